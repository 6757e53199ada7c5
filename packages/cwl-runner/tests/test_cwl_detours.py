"""Names and links with which a hostile document would have the coordinator write, remove or wait where it must not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cwl_runs import Run, a_file, make_run, until, wait

RENAMED = """
cwlVersion: v1.2
class: Workflow
requirements: {InlineJavascriptRequirement: {}}
inputs: {file: File, entry: string}
outputs: {out: {type: File, outputSource: use/out}}
steps:
  make:
    in: {file: file, entry: entry}
    out: [made]
    run:
      class: ExpressionTool
      inputs: {file: File, entry: string}
      outputs: {made: Any}
      expression: |
        ${
          var made = JSON.parse(inputs.entry), own = inputs.file;
          function filled(one) {
            if (one.location === "own") { one.location = own.location; }
            if (one.location === "its folder") { one.location = own.location.replace(/[/][^/]*$/, ""); }
            (one.listing || []).forEach(filled);
          }
          filled(made);
          return {made: made};
        }
  use:
    in: {made: make/made}
    out: [out]
    run:
      class: CommandLineTool
      inputs: {made: {type: Any, inputBinding: {}}}
      outputs: {out: stdout}
      baseCommand: [sh, -c, "ls $0"]
"""

STAGED = """
cwlVersion: v1.2
class: CommandLineTool
requirements:
  InitialWorkDirRequirement: {listing: [{entryname: sub/mine, entry: $(inputs.folder)}]}
inputs: {folder: Directory, victim: string}
outputs: {out: stdout}
baseCommand: [sh, -c, 'rm -r sub; ln -s "$0" sub']
arguments: [$(inputs.victim)]
"""

COMMAND = """
cwlVersion: v1.2
class: CommandLineTool
inputs: []
outputs: {{out: stdout}}
stderr: said
baseCommand: [sh, -c, '{command}']
"""


def reason(run: Run) -> str:
    """Carry a run out that has to fail, within a time, and say why it did."""
    process = run.start()
    until(lambda: run.events and run.end["event"] == "run-ended")
    assert wait(process) == 1
    return str(run.end["reason"])


@pytest.mark.parametrize(
    "entry",
    [
        {"class": "File", "basename": "{up}/evil", "contents": "x"},
        {"class": "File", "basename": "{up}/evil", "location": "own"},
        {"class": "File", "basename": "{target}/evil", "contents": "x"},
        {"class": "File", "basename": "evil", "dirname": "{target}", "contents": "x"},
        {"class": "Directory", "basename": "{up}/evil", "listing": []},
        {"class": "Directory", "basename": "..", "listing": [{"class": "File", "basename": "evil", "contents": "x"}]},
        {
            "class": "Directory",
            "basename": "top",
            "listing": [
                {"class": "Directory", "basename": "in", "location": "its folder"},
                {"class": "File", "basename": "in/evil", "contents": "x"},
            ],
        },
    ],
    ids=range(7),
)
def test_a_name_that_leads_out_writes_nothing_there(tmp_path: Path, entry: dict[str, Any]) -> None:
    up = "/".join([".."] * 30) + str(tmp_path / "data")
    given = json.dumps(entry).replace("{up}", up).replace("{target}", str(tmp_path / "data"))
    order = {"file": a_file(tmp_path / "data/in.txt", "mine\n"), "entry": given}
    run = make_run(tmp_path / "run", RENAMED, order)
    assert reason(run)
    assert [one.name for one in (tmp_path / "data").iterdir()] == ["in.txt"]
    assert run.states()["use"] == "failed"


def test_a_link_in_the_place_of_a_staged_folder_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "data" / "mine"
    a_file(victim / "precious", "x")
    (tmp_path / "data" / "input").mkdir()
    order = {"folder": {"class": "Directory", "location": str(tmp_path / "data/input")}, "victim": str(victim.parent)}
    run = make_run(tmp_path / "run", STAGED, order)
    assert "put a link in the place of a folder above sub/mine" in reason(run)
    assert (victim / "precious").read_text() == "x"
    assert not victim.is_symlink()


@pytest.mark.parametrize(
    ("command", "told"),
    [("mkfifo cwl.output.json", "isn't a file"), ("rm said; mkfifo said; exit 3", "exit code 3")],
    ids=["outputs", "stderr"],
)
def test_a_pipe_where_a_file_is_read_holds_up_nobody(tmp_path: Path, command: str, told: str) -> None:
    assert told in reason(make_run(tmp_path / "run", COMMAND.format(command=command)))


def test_the_last_words_are_not_read_through_a_link(tmp_path: Path) -> None:
    a_file(tmp_path / "data/secret", "hush\n")
    command = f"rm said; ln -s {tmp_path}/data/secret said; exit 3"
    assert "hush" not in reason(make_run(tmp_path / "run", COMMAND.format(command=command)))


def test_less_than_nothing_can_not_be_asked_for(tmp_path: Path) -> None:
    asks = "requirements: {ResourceRequirement: {coresMin: -3}}"
    run = make_run(tmp_path / "run", COMMAND.format(command="true").replace("inputs:", f"{asks}\ninputs:"))
    assert reason(run) == "A step asks for -3 cores."


def test_a_step_can_not_be_named_like_the_folder_above(tmp_path: Path) -> None:
    tool = "{class: CommandLineTool, inputs: [], outputs: [], baseCommand: 'true'}"
    steps = f"{{'..': {{in: [], out: [], run: {tool}}}}}"
    document = f"cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\nsteps: {steps}\n"
    run = make_run(tmp_path / "run", document)
    assert "can't be the name of a step" in reason(run)
    assert not (tmp_path / "run" / "stdout").exists()
