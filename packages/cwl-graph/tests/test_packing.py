"""A bundle becomes one document and one document a bundle, and both say the same."""

from __future__ import annotations

from typing import Any

import pytest
from cwl_corpus import bundle_of, documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_reading import COUNT, FILES

from cwl_graph import Document, Refused, pack, read, unpack

NAMES = sorted(documents())


def meaning(document: Document) -> Any:
    """Return what a document does, without where it stands."""
    nodes = [
        (n.id, n.kind, n.run_class, n.scatter, n.when, [(p.id, p.type.text) for p in n.ports_in])
        for n in document.graph.nodes
    ]
    links = [(link.id, link.fit) for link in document.graph.links]
    return (
        nodes,
        links,
        [(f.name, f.type.text, f.doc) for f in document.inputs],
        [p.message for p in document.problems if "`" not in p.message],
    )


@pytest.mark.skipif(not NAMES, reason="no package here brings CWL documents")
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_other_projects_documents_are_packed_and_unpacked(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    files, main = bundle_of(name), name.rpartition("/")[2]
    document = read(files, main)
    if not document.ok:
        return
    try:
        packed = pack(files, main)
    except Refused:
        return  # versions that differ
    assert meaning(read({"packed.cwl": packed}, "packed.cwl")) == meaning(document)
    assert meaning(read(unpack(packed), "main.cwl")) == meaning(document)


def test_comments_and_ids_are_kept() -> None:
    packed = pack(FILES, "main.cwl")
    assert "      file: texts  # one each\n" in "".join(f"{line[4:]}\n" for line in packed.split("\n"))
    assert read({"p.cwl": packed}, "p.cwl").processes == ("main", "1.0")
    files = unpack(packed)
    assert sorted(files) == ["1.0.cwl", "main.cwl"]
    assert "file: texts  # one each" in files["main.cwl"]
    assert 'id: "#1.0"' in files["1.0.cwl"]
    assert 'run: "1.0.cwl"' in files["main.cwl"]


def test_imports_and_includes_are_put_in() -> None:
    tool = COUNT + "requirements:\n  InlineJavascriptRequirement:\n    expressionLib: [{$include: lib.js}]\n"
    packed = pack({"main.cwl": tool, "lib.js": "var a;\n"}, "main.cwl")
    assert "$include" not in packed
    content = read({"p.cwl": packed}, "p.cwl").content
    assert content["requirements"]["InlineJavascriptRequirement"]["expressionLib"] == ["var a;\n"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"main.cwl": FILES["main.cwl"]}, "is missing"),
        ({**FILES, "catalogue/count/1.0.cwl": COUNT.replace("v1.2", "v1.0")}, "is v1.0"),
        ({"main.cwl": "a: [\n"}, "line 2"),
        ({"other.cwl": COUNT}, "not in the bundle"),
        ({"main.cwl": FILES["main.cwl"].replace("catalogue/count/1.0.cwl", "/etc/passwd")}, "absolute"),
        ({"main.cwl": COUNT + "requirements: {$import: main.cwl}\n"}, "circle"),
    ],
    ids=["missing", "version", "broken", "absent", "absolute", "circle"],
)
def test_what_cannot_be_packed_is_refused(files: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        pack(files, "main.cwl")


def test_a_document_without_a_graph_is_its_own_bundle() -> None:
    assert unpack(COUNT) == {"main.cwl": COUNT}
    with pytest.raises(Refused):
        unpack("$graph: [{id: a, class: Workflow}, {id: b, class: Workflow}]\n")
    with pytest.raises(Refused):
        unpack("a: [")


def test_names_of_files_stay_inside_the_bundle() -> None:
    text = """cwlVersion: v1.2
$graph:
  - {id: main, class: Workflow, inputs: [], outputs: [], steps: []}
  - {id: ../../etc/x, class: Operation, inputs: [], outputs: []}
  - {id: ..., class: Operation, inputs: [], outputs: []}
"""
    assert sorted(unpack(text)) == ["etc_x.cwl", "main.cwl", "tool.cwl"]
