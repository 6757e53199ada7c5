"""Whatever stands in a document, a job order or an edit: an answer comes, never a traceback."""

from __future__ import annotations

from typing import Any

import pytest
from cwl_corpus import documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_reading import COUNT, FILES, TWO

from cwl_graph import Document, Refused, check_job, edit, edit_of, edits, layout, pack, read, read_job, unpack

TEXTS = [*(documents()[name] for name in sorted(documents())), TWO, COUNT]
SIGNS = ["\n", ":", "-", "[", "]", "{", "}", "#", "&a ", "*a", "'", '"', ">", "!x ", "null", "~", "0", "<<: ", ","]
CONTROLS = ["\t", "\r", "\ufeff", "é", "\0"]
NAMES = [
    "$import: ",
    "run: ",
    "id: ",
    "in: ",
    "out: ",
    "scatter: ",
    "source: ",
    "type: ",
    "class: ",
    "inputs: ",
    "steps: ",
]
PIECES = st.sampled_from([" ", "  ", "- ", "|", *SIGNS, *CONTROLS, *NAMES])
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | PIECES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | PIECES, inner, max_size=3),
    max_leaves=8,
)
WORDS = (
    "cwlVersion",
    "class",
    "inputs",
    "outputs",
    "steps",
    "in",
    "out",
    "run",
    "requirements",
    "hints",
    "scatter",
    "id",
)
KEYS = st.sampled_from(
    [*WORDS, "type", "items", "fields", "symbols", "source", "secondaryFiles", "default", "$graph", "$import", "types"]
)
WRONG = st.recursive(
    ANY
    | st.sampled_from(["Workflow", "CommandLineTool", "v1.2", "record", "array", "enum", "main.cwl", "a/b", "#main"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
QUIET = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def examined(files: dict[str, str]) -> Document:
    """Ask everything of a document that a page would."""
    document = read(files, "main.cwl")
    placed = layout(document.graph)
    assert set(placed.boxes) == {node.id for node in document.graph.nodes}
    assert all(problem.message and problem.line >= 0 for problem in document.problems)
    check_job(document, {field.name: [{}] for field in document.inputs})
    return document


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Return a real document with some pieces put in or cut out."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(PIECES) + text[start + draw(st.integers(0, 30)) :]
    return text


@QUIET
@given(damaged())
def test_a_damaged_document_is_read_and_edited_without_a_traceback(text: str) -> None:
    files = {**FILES, "main.cwl": text}
    document = examined(files)
    changes: list[edits.Edit] = [edits.SetField(("label",), "x"), edits.AddStep("fresh", "catalogue/count/1.0.cwl")]
    changes += [edits.Remove(node.id) for node in document.graph.nodes[:2]]
    changes += [edits.Rename(node.id, "fresh") for node in document.graph.nodes[-2:]]
    for change in changes:
        try:
            new = edit(files, "main.cwl", change)
        except Refused as refusal:
            answer = refusal.advice
        else:
            answer = new
            assert read({**files, "main.cwl": new}, "main.cwl").content is not None
        assert answer


@QUIET
@given(st.dictionaries(KEYS, WRONG, max_size=8), st.sampled_from(["", "Workflow", "CommandLineTool"]))
def test_a_document_of_the_wrong_shape_is_read_without_a_traceback(content: dict[str, Any], kind: str) -> None:
    from cwl_graph import job_text  # noqa: PLC0415

    head = {"cwlVersion": "v1.2", "class": kind} if kind else {}
    files = {"main.cwl": job_text({**content, **head})}
    examined(files)
    try:
        edit(files, "main.cwl", edits.AddInput("fresh", "int"))
        assert read(unpack(pack(files, "main.cwl")), "main.cwl")
    except Refused as refusal:
        message = refusal.message
    else:
        message = "done"
    assert message


@QUIET
@given(
    st.sampled_from(["AddStep", "Connect", "SetField", "SetType", "Rename", "Paste", "AddInput", "AddRequirement"]),
    st.data(),
)
def test_an_edit_with_any_values_is_done_or_refused(kind: str, data: st.DataObject) -> None:
    names = st.sampled_from(["count", "texts", "counts", "file", "a", "", "steps", "in", "label"]) | st.text(max_size=5)
    shapes: dict[str, dict[str, st.SearchStrategy[Any]]] = {
        "AddStep": {
            "id": names,
            "run": ANY,
            "label": st.text(max_size=5),
            "sources": st.dictionaries(names, ANY, max_size=2),
        },
        "Connect": dict.fromkeys(("source_node", "source_port", "target_node", "target_port"), names),
        "SetField": {"path": st.lists(names, max_size=5), "value": ANY},
        "SetType": {"node": names, "type": ANY},
        "Rename": {"node": names, "to": names},
        "Paste": {"text": st.text(max_size=30) | st.just("steps: {a: {in: {b: [c]}}}")},
        "AddInput": {"id": names, "type": ANY, "more": st.dictionaries(names, ANY, max_size=2)},
        "AddRequirement": {"name": names, "fields": st.dictionaries(names, ANY, max_size=2)},
    }
    sent = {"edit": kind, **{name: data.draw(values) for name, values in shapes[kind].items()}}
    try:
        new = edit(FILES, "main.cwl", edit_of(sent))
    except Refused as refusal:
        new = refusal.message
    else:
        examined({**FILES, "main.cwl": new})
    assert new


@QUIET
@given(st.text() | st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_read_as_a_job_order_without_a_traceback(text: str) -> None:
    job, problems = read_job(text)
    assert isinstance(job, dict)
    found = check_job(read(FILES, "main.cwl"), job, text=text)
    assert problems or found


def test_a_value_nested_very_deeply_is_refused() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(Refused):
        edit(FILES, "main.cwl", edits.SetField(("my:x",), deep))
    with pytest.raises(Refused):
        edit_of({"edit": "Several", "edits": [{"edit": "Several", "edits": []}]})
