"""Edits of a workflow that stands inside a step."""

from __future__ import annotations

import pytest

from cwl_graph import Refused, edit, edits, read

TEXT = """\
cwlVersion: v1.2
class: Workflow
requirements: {SubworkflowFeatureRequirement: {}}
inputs: {images: "File[]"}
outputs: {}
steps:
  detect:  # what it holds is below
    in: {images: images}
    out: []
    run:
      class: Workflow
      inputs:
        images: File[]   # all of them
      outputs: {}
      steps:
        find: {run: find.cwl, in: {}, out: [found]}
"""
TOOL = """\
cwlVersion: v1.2
class: CommandLineTool
baseCommand: "true"
inputs: {frame: File}
outputs: {found: stdout}
"""
LISTED = TEXT.replace("  detect:  #", "  - id: detect  #")
FILES = {"main.cwl": TEXT, "find.cwl": TOOL}


@pytest.mark.parametrize("text", [TEXT, LISTED], ids=["map", "list"])
def test_a_change_inside_a_step_touches_its_own_lines(text: str) -> None:
    after = edit({**FILES, "main.cwl": text}, "main.cwl", edits.AddStep("again", "find.cwl"), ("detect",))
    assert after.startswith(text.rstrip())
    assert "        again:\n          run: find.cwl\n" in after
    inner = read({**FILES, "main.cwl": after}, "main.cwl").graph.node("detect/again")
    assert inner is not None
    assert [port.id for port in inner.ports_out] == ["found"]


def test_a_link_inside_a_step_is_made_to_fit() -> None:
    change = edits.Connect("images", "images", "find", "frame", fit="scatter")
    after = edit(FILES, "main.cwl", change, ("detect",))
    graph = read({**FILES, "main.cwl": after}, "main.cwl").graph
    inner = graph.node("detect/find")
    assert inner is not None
    assert inner.scatter == ("frame",)
    assert "# all of them" in after


def test_what_holds_no_workflow_cannot_be_entered() -> None:
    with pytest.raises(Refused, match="holds no workflow"):
        edit(FILES, "main.cwl", edits.SetField(("label",), "x"), ("detect", "find"))
    with pytest.raises(Refused, match="no step `nobody`"):
        edit(FILES, "main.cwl", edits.SetField(("label",), "x"), ("nobody",))
