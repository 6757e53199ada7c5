"""Files given by their contents: in the job order, as a default, with an expression that reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from cwl_runs import make_run

GREETING = """
cwlVersion: v1.2
class: Workflow
requirements: {InlineJavascriptRequirement: {}}
inputs:
  name: {type: File, default: {class: File, basename: name.txt, contents: "PIPEMAN\\n"}}
outputs:
  copy: {type: File, outputSource: copy/copy}
steps:
  read:
    in: {name: name}
    out: [greeting]
    run:
      class: ExpressionTool
      inputs: {name: {type: File, loadContents: true}}
      outputs: {greeting: string}
      expression: '${ return {"greeting": "Hello " + inputs.name.contents.trim()}; }'
  copy:
    in: {name: name, greeting: read/greeting}
    out: [copy]
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'cat "$0"; echo "$1"']
      inputs:
        name: {type: File, inputBinding: {position: 1}}
        greeting: {type: string, inputBinding: {position: 2}}
      stdout: copy.txt
      outputs: {copy: stdout}
"""


@pytest.mark.parametrize("name", ["", "Ada"])
def test_a_file_given_by_its_contents_is_read_and_handed_on(tmp_path: Path, name: str) -> None:
    order = {"name": {"class": "File", "contents": f"{name}\n"}} if name else {}
    run = make_run(tmp_path / "run", GREETING, order)
    assert run.carry_out() == 0, run.end
    assert (tmp_path / "run/out/copy.txt").read_text() == f"{name or 'PIPEMAN'}\nHello {name or 'PIPEMAN'}\n"
    assert run.carry_out() == 0
    assert run.states(2) == {"read": "succeeded", "copy": "reused"}, "an expression is evaluated anew"


def test_its_name_is_no_path(tmp_path: Path) -> None:
    order = {"name": {"class": "File", "contents": "x", "basename": "../x"}}
    run = make_run(tmp_path / "run", GREETING, order)
    assert run.carry_out() != 0
    assert "can't be the name of a file" in run.end["reason"]
