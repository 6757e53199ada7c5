"""Each edit does what it says, in every style of writing, and refuses what it can't do safely."""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

import pytest

from cwl_graph import Edit, Refused, edit, edit_of, edits, read
from cwl_graph.packing import copy_nodes

TOOL = """cwlVersion: v1.2
class: CommandLineTool
baseCommand: [cat]
inputs:
  file: {type: File, inputBinding: {position: 1}}
  words: {type: "string[]?"}
  number: int?
stdout: $(inputs.file.basename)
outputs: {out: stdout}
"""
BLOCK = """#!/usr/bin/env cwl-runner
cwlVersion: v1.2   # the version
class: Workflow

# What goes in
inputs:
  texts: File[]     # many
  one:
    type: File
    doc: |
      Two lines,
      # not a comment
outputs: []
steps:
  # the first step
  first:
    run: tool.cwl
    in:
      file: one   # from outside
    out: [out]
  # the second step
  second:
    run: tool.cwl
    my:colour: "blue"   # ours alone
    in: {file: first/out}
    out: [out]
# the end
"""
LISTS = """cwlVersion: v1.2
class: Workflow
inputs:
- {id: texts, type: "File[]"}
- id: one
  type: File
outputs: []
steps:
- id: first
  run: tool.cwl
  in:
  - {id: file, source: one}
  out: [out]
- run: tool.cwl   # the id comes last here
  in: []
  out:
  - out
  id: second
"""
JSON = """{
    "cwlVersion": "v1.2",
    "class": "Workflow",
    "inputs": {
        "texts": "File[]",
        "one": "File"
    },
    "outputs": [],
    "steps": {
        "first": {"run": "tool.cwl", "in": {"file": "one"}, "out": ["out"]},
        "second": {
            "run": "tool.cwl",
            "in": {},
            "out": ["out"]
        }
    }
}
"""
PACKED = """cwlVersion: v1.2
$graph:
- id: '#tool'
  class: Operation
  inputs: [{id: '#tool/file', type: File}]
  outputs: [{id: '#tool/out', type: File}]
- id: '#main'
  class: Workflow
  inputs:
  - {id: '#main/one', type: File}
  outputs: []
  steps:
  - id: '#main/first'
    run: '#tool'
    in:
    - {id: '#main/first/file', source: '#main/one'}
    out: ['#main/first/out']
"""
STYLES = {"block": BLOCK, "lists": LISTS, "json": JSON}


def diff(text: str, change: Edit) -> list[str]:
    """Return the lines that an edit takes away and adds, with their signs."""
    new = edit({"main.cwl": text, "tool.cwl": TOOL}, "main.cwl", change)
    lines = unified_diff(text.split("\n"), new.split("\n"), lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (
            edits.Rename("first", "begin"),
            ["-  first:", "+  begin:", "-    in: {file: first/out}", "+    in: {file: begin/out}"],
        ),
        (edits.SetField(("steps", "second", "label"), "No: 2"), ['+    label: "No: 2"']),
        (
            edits.SetField(("inputs", "texts", "label"), "Texts"),
            ["-  texts: File[]     # many", "+  texts:     # many", "+    label: Texts", "+    type: File[]"],
        ),
        (edits.SetType("one", "File?"), ["-    type: File", "+    type: File?"]),
        (edits.SetWhen("first", "$(inputs.go)"), ["+    when: $(inputs.go)"]),
        (edits.Connect("one", "one", "second", "file"), ["-    in: {file: first/out}", "+    in: {file: one}"]),
        (edits.Disconnect("first", "out", "second", "file"), ["-    in: {file: first/out}", "+    in: {}"]),
        (
            edits.Disconnect("one", "one", "first", "file"),
            ["-    in:", "-      file: one   # from outside", "+    in: {}   # from outside"],
        ),
        (
            edits.AddInput("more", "int", "More", {"default": 1}),
            ["+  more:", "+    label: More", "+    type: int", "+    default: 1"],
        ),
        (
            edits.AddOutput("all", None, "second", "out"),
            ["-outputs: []", "+outputs:", "+  all:", "+    type: File", "+    outputSource: second/out"],
        ),
        (edits.AddRequirement("InlineJavascriptRequirement"), ["+requirements:", "+  InlineJavascriptRequirement: {}"]),
        (
            edits.Remove("second"),
            [
                "-  second:",
                "-    run: tool.cwl",
                '-    my:colour: "blue"   # ours alone',
                "-    in: {file: first/out}",
                "-    out: [out]",
            ],
        ),
        (edits.SetField(("doc",), "One\nTwo\n"), ["+doc: |", "+  One", "+  Two"]),
        (
            edits.SetField(("inputs", "one", "doc"), "New\nlines"),
            [
                "-    doc: |",
                "-      Two lines,",
                "-      # not a comment",
                "+    doc: |-",
                "+      New",
                "+      lines",
            ],
        ),
        (
            edits.SetField(("steps", "second", "my:colour"), 're"d'),
            ['-    my:colour: "blue"   # ours alone', '+    my:colour: "re\\"d"   # ours alone'],
        ),
    ],
    ids=lambda each: type(each).__name__ if not isinstance(each, list) else "",
)
def test_an_edit_changes_its_lines_only(change: Edit, lines: list[str]) -> None:
    assert diff(BLOCK, change) == lines


def test_scatter_asks_for_what_it_needs() -> None:
    assert diff(BLOCK, edits.Connect("texts", "texts", "first", "file", fit="scatter")) == [
        "+requirements:",
        "+  ScatterFeatureRequirement: {}",
        "+    scatter: file",
        "-      file: one   # from outside",
        "+      file: texts   # from outside",
    ]


def test_a_converter_is_written_and_goes_with_its_link() -> None:
    files = {"main.cwl": BLOCK, "tool.cwl": TOOL}
    files["main.cwl"] = edit(files, "main.cwl", edits.Connect("texts", "texts", "first", "file", fit="convert"))
    assert "        source: texts\n        valueFrom: $(self[0])\n" in files["main.cwl"]
    assert read(files, "main.cwl").ok
    files["main.cwl"] = edit(files, "main.cwl", edits.Disconnect("texts", "texts", "first", "file"))
    assert "valueFrom" not in files["main.cwl"]


@pytest.mark.parametrize("style", STYLES)
def test_a_pipeline_is_built_in_every_style(style: str) -> None:
    files = {"main.cwl": STYLES[style], "tool.cwl": TOOL}
    before = files["main.cwl"].split("\n")
    for change in (
        edits.AddStep("third", "tool.cwl", "The third"),
        edits.Connect("texts", "texts", "third", "file", fit="scatter"),
        edits.AddOutput("result", None, "third", "out"),
        edits.AddInput("count", "int"),
        edits.Connect("count", "count", "third", "number"),
        edits.SetWhen("third", "$(inputs.number)"),
        edits.Rename("third", "last"),
        edits.SetField(("steps", "last", "in", "words", "default"), ["a", "b: c"]),
    ):
        files["main.cwl"] = edit(files, "main.cwl", change)
    document = read(files, "main.cwl")
    assert [each.message for each in document.problems if each.severity == "error" and each.node != "second"] == []
    assert {link.id for link in document.graph.links} >= {
        "texts/texts->last/file",
        "last/out->result/result",
        "count/count->last/number",
    }
    result = document.graph.node("result")
    assert result is not None
    assert result.ports_in[0].type.text == "File[]"
    after = files["main.cwl"].split("\n")
    gone = [
        line for line in before if line not in after and line.rstrip(",") not in [each.rstrip(",") for each in after]
    ]
    assert [line.strip() for line in gone] in (["outputs: []"], ['"outputs": [],']), "only the empty list was opened"


def test_json_stays_json() -> None:
    import json  # noqa: PLC0415

    files = {"main.cwl": JSON, "tool.cwl": TOOL}
    for change in (
        edits.AddStep("third", "tool.cwl"),
        edits.Connect("one", "one", "third", "file"),
        edits.Remove("first"),
        edits.SetField(("doc",), 'Two "lines"\nin all'),
        edits.AddRequirement("ResourceRequirement", {"coresMin": 2}),
    ):
        files["main.cwl"] = edit(files, "main.cwl", change)
        assert json.loads(files["main.cwl"])
    assert list(json.loads(files["main.cwl"])["steps"]) == ["second", "third"]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("hints:\n  ResourceRequirement: {coresMin: 2, ramMin: 5}\n", "hints:\n  ResourceRequirement: {ramMin: 5}\n"),
        (
            "hints:\n  - {class: ResourceRequirement, coresMin: 2, ramMin: 5}  # two\n",
            "hints:\n  - {class: ResourceRequirement, ramMin: 5}  # two\n",
        ),
    ],
    ids=["map", "list"],
)
def test_a_field_of_a_requirement_is_taken_away(written: str, wanted: str) -> None:
    head = "cwlVersion: v1.2\nclass: Workflow\ninputs: {}\noutputs: {}\nsteps: {}\n"
    change = edits.AddRequirement("ResourceRequirement", {"coresMin": None}, hint=True)
    assert edit({"main.cwl": head + written}, "main.cwl", change) == head + wanted


def test_what_only_json_can_write_stays() -> None:
    words = '"doc": "\\ud83d\\ude00 \\/ \\u00e9", "label": "\\uD83D\\uDE00"'
    text = f'{{"cwlVersion": "v1.2", "class": "Workflow", {words}, "inputs": {{}}}}'
    document = read({"main.cwl": text}, "main.cwl")
    assert (document.doc, document.label) == ("😀 / é", "😀")
    new = edit({"main.cwl": text}, "main.cwl", edits.SetField(("label",), "new"))
    assert new == text.replace("\\uD83D\\uDE00", "new")


def test_a_packed_document_keeps_its_manner() -> None:
    files = {"main.cwl": PACKED}
    for change in (
        edits.AddStep("second", "#tool"),
        edits.Connect("first", "out", "second", "file"),
        edits.Rename("first", "begin"),
        edits.AddOutput("all", "File", "second", "out"),
    ):
        files["main.cwl"] = edit(files, "main.cwl", change)
    document = read(files, "main.cwl")
    assert document.problems == ()
    assert [link.id for link in document.graph.links] == [
        "one/one->begin/file",
        "begin/out->second/file",
        "second/out->all/all",
    ]
    assert "source: '#main/begin/out'" in files["main.cwl"].replace('"', "'")


ANCHORS = """cwlVersion: v1.2
class: Workflow
inputs: {one: File}
outputs: []
steps:
  first: &same
    run: tool.cwl
    in: {file: one}
    out: [out]
  second: *same
  third:
    <<: *same
    label: Third
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edits.SetField(("steps", "second", "label"), "x"), "alias"),
        (edits.SetField(("steps", "first", "label"), "x"), "alias"),
        (edits.Connect("one", "one", "third", "number"), "alias"),
        (edits.Remove("first"), "alias"),
    ],
    ids=["inside the alias", "inside the anchor", "inside a merge", "the anchor itself"],
)
def test_what_an_alias_repeats_is_refused(change: Edit, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        edit({"main.cwl": ANCHORS, "tool.cwl": TOOL}, "main.cwl", change)
    assert refused.value.advice


def test_beside_an_alias_edits_work() -> None:
    assert diff(ANCHORS, edits.Remove("second")) == ["-  second: *same"]
    assert diff(ANCHORS, edits.SetField(("steps", "third", "label"), "3")) == ["-    label: Third", '+    label: "3"']
    assert diff(ANCHORS, edits.SetField(("steps", "third", "doc"), "new")) == ["+    doc: new"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edits.Rename("first", "one"), "taken"),
        (edits.Rename("first", "a b"), "can't be an id"),
        (edits.Rename("nobody", "x"), "no `nobody`"),
        (edits.Remove("nobody"), "no `nobody`"),
        (edits.AddStep("first", "tool.cwl"), "taken"),
        (edits.AddStep("x", "/etc/passwd"), "absolute address"),
        (edits.Connect("one", "one", "texts", "texts"), "can't end at an input"),
        (edits.Disconnect("one", "one", "second", "file"), "no such link"),
        (edits.SetField(("inputs", "one", "type", "a", "b"), 1), "has no fields"),
        (edits.SetField(()), "path is empty"),
        (edits.SetType("first", "int"), "no type"),
        (edits.RemoveRequirement("X"), "no requirement"),
        (edits.Paste("a: 1"), "no nodes"),
        (edits.Connect("first", "out", "second", "number", fit="convert"), "Nothing converts"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(change: Edit, words: str) -> None:
    with pytest.raises(Refused, match=words):
        edit({"main.cwl": BLOCK, "tool.cwl": TOOL}, "main.cwl", change)


def test_a_text_that_cannot_be_read_is_not_edited() -> None:
    with pytest.raises(Refused, match="Line 3"):
        edit({"main.cwl": "a: 1\nb: [\n"}, "main.cwl", edits.SetField(("label",), "x"))


def test_nodes_are_copied_and_pasted() -> None:
    files = {"main.cwl": BLOCK, "tool.cwl": TOOL}
    copied = copy_nodes(files, "main.cwl", ("first", "second"))
    files["main.cwl"] = edit(files, "main.cwl", edits.Paste(copied))
    document = read(files, "main.cwl")
    assert [node.id for node in document.graph.nodes if node.kind == "step"] == [
        "first",
        "second",
        "first_2",
        "second_2",
    ]
    links = {link.id for link in document.graph.links}
    assert {"one/one->first_2/file", "first_2/out->second_2/file"} <= links
    lists = {"main.cwl": LISTS, "tool.cwl": TOOL}
    lists["main.cwl"] = edit(lists, "main.cwl", edits.Paste(copied))
    assert "first_2/out->second_2/file" in {link.id for link in read(lists, "main.cwl").graph.links}


def test_a_tool_s_input_is_renamed_in_its_expressions() -> None:
    new = edit({"tool.cwl": TOOL}, "tool.cwl", edits.Rename("file", "table"))
    assert new == TOOL.replace("  file:", "  table:").replace("inputs.file", "inputs.table")


def test_an_edit_comes_as_plain_data() -> None:
    made = edit_of({"edit": "Several", "edits": [{"edit": "SetScatter", "step": "a", "ports": ["x"]}]})
    assert made == edits.Several((edits.SetScatter("a", ("x",)),))


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"edit": "Explode"},
        {"edit": "Rename", "node": "a"},
        {"edit": "Rename", "node": "a", "to": 3},
        {"edit": "Rename", "node": "a", "to": "b", "more": {}},
        {"edit": "SetField", "path": "label"},
        {"edit": "Several", "edits": {}},
        {"edit": "Connect", "source_node": "a", "source_port": "b", "target_node": "c", "target_port": "d", "add": 1},
    ],
    ids=str,
)
def test_data_that_describe_no_edit_are_refused(data: Any) -> None:
    with pytest.raises(Refused):
        edit_of(data)
