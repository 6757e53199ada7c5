"""Types, and what fits what, as the reference implementation has it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cwl_reference
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cwl_graph import converter, edit, edits, fit, parse_type, read
from cwl_graph.cwl_types import type_data

SIMPLE = st.sampled_from(["int", "long", "float", "double", "string", "boolean", "File", "Directory"])
TYPES = st.recursive(
    SIMPLE | st.just({"type": "enum", "symbols": ["a", "b"]}),
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(lambda kind: ["null", kind], inner.filter(lambda kind: not isinstance(kind, list)))
        | st.builds(lambda x, y: {"type": "record", "fields": {"x": {"type": x}, "y": {"type": y}}}, inner, inner)
    ),
    max_leaves=4,
)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("File", "File"),
        ("File?", "File?"),
        ("File[]", "File[]"),
        ("File[]?", "File[]?"),
        ({"type": "array", "items": ["null", "int"]}, "int?[]"),
        (["null", "int", "string"], "null | int | string"),
        ({"type": "array", "items": ["int", "string"]}, "(int | string)[]"),
        ({"type": "enum", "symbols": ["#x/a", "b"]}, "enum(a, b)"),
        ({"type": "record", "fields": [{"name": "#x/y", "type": "int"}]}, "record(y)"),
        ({"type": "array", "items": {"type": "array", "items": "int"}}, "int[][]"),
        ("stdout", "File"),
        ("Fiel", "Fiel"),
    ],
    ids=str,
)
def test_types_are_told_in_one_line(written: Any, text: str) -> None:
    assert parse_type(written).text == text


@settings(deadline=None)
@given(TYPES)
def test_a_type_written_and_read_is_the_same(written: Any) -> None:
    kind = parse_type(written)
    assert parse_type(type_data(kind)) == kind


def normal(data: Any) -> Any:
    """Return a type as the reference implementation has it after loading: fields in lists."""
    if isinstance(data, list):
        return [normal(each) for each in data]
    if isinstance(data, dict) and data["type"] == "record":
        return {
            "type": "record",
            "fields": [{"name": name, "type": normal(each["type"])} for name, each in data["fields"].items()],
        }
    if isinstance(data, dict) and data["type"] == "array":
        return {"type": "array", "items": normal(data["items"])}
    return data


@settings(deadline=None)
@given(TYPES, TYPES)
def test_what_fits_fits_the_reference_too(source: Any, target: Any) -> None:
    checker = pytest.importorskip("cwltool.checker", reason="the reference implementation is not installed")
    theirs = checker.check_types(normal(source), normal(target), None, None, None)
    ours, why = fit(parse_type(source), parse_type(target))
    if theirs == "exception":
        assert ours != "fits" or "enum" in str((source, target))
    if ours != "fits":
        assert theirs == "exception" or "enum" in str((source, target)) or "null" in str((source, target))
    assert bool(why) or ours == "fits"


CONVERTED = [
    ("int", "string", 3, "3"),
    ("boolean", "string", True, "true"),
    ("double", "int", 2.6, 3),
    ("int", "double", 3, 3),
    ("string", "int", "12", 12),
    ("string", "double", "1.5", 1.5),
    ("int", "int[]", 3, [3]),
    ("string[]", "string", ["a", "b"], "a"),
    ("string", {"type": "enum", "symbols": ["a", "b"]}, "a", "a"),
    ("File", "string", "text of it\n", "text of it\n"),
    ("Directory", "File[]", ["one", "two"], ["one", "two"]),
]
SHOW = {
    "class": "ExpressionTool",
    "requirements": {"InlineJavascriptRequirement": {}},
    "outputs": {"got": "Any"},
    "expression": "${ return {got: inputs.given}; }",
}


def test_nothing_converts_everything() -> None:
    assert converter(parse_type("File"), parse_type("int")) is None
    assert fit(parse_type("File"), parse_type("int"))[0] == "never"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="converters are JavaScript, and Node is not here")
def test_converters_do_what_they_say(tmp_path: Path) -> None:
    files = {"main.cwl": "cwlVersion: v1.2\nclass: Workflow\ninputs: {}\noutputs: {}\nsteps: {}\n"}
    job: dict[str, Any] = {}
    for number, (source, target, given_value, _) in enumerate(CONVERTED):
        step = {**SHOW, "inputs": {"given": {"type": target}}}
        for change in (
            edits.AddInput(f"i{number}", source),
            edits.AddStep(f"s{number}", step),
            edits.Connect(f"i{number}", f"i{number}", f"s{number}", "given", fit="convert"),
            edits.AddOutput(f"o{number}", "Any", f"s{number}", "got"),
        ):
            files["main.cwl"] = edit(files, "main.cwl", change)
        job[f"i{number}"] = given_value
        if source == "File":
            (tmp_path / "text").write_text(str(given_value))
            job[f"i{number}"] = {"class": "File", "location": "text"}
        if source == "Directory":
            (tmp_path / "folder" / "below").mkdir(parents=True)
            for name in given_value if isinstance(given_value, list) else []:
                (tmp_path / "folder" / str(name)).write_text("")
            job[f"i{number}"] = {"class": "Directory", "location": "folder"}
    assert read(files, "main.cwl").problems == ()
    (tmp_path / "main.cwl").write_text(files["main.cwl"])
    got = cwl_reference.run(tmp_path / "main.cwl", job)
    for number, (source, _, _, wanted) in enumerate(CONVERTED):
        value = got[f"o{number}"]
        if source == "Directory":
            value = sorted(each["basename"] for each in value)
        assert value == wanted, (source, value)
