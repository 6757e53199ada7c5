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


TOOL = """
cwlVersion: {version}
class: CommandLineTool
{fields}
inputs: {{file: File?, folder: Directory?}}
outputs: {{out: {{type: Directory, outputBinding: {{glob: out}}}}}}
baseCommand: [sh, -c, '{command}']
"""


def tool(command: str, fields: str = "", version: str = "v1.2") -> str:
    """Make a tool whose command makes the folder `out`, and something beside."""
    return TOOL.format(command=f"mkdir out; {command}", fields=fields, version=version)


def test_what_a_command_reads_can_not_be_written_through_its_standard_input(tmp_path: Path) -> None:
    order = {"file": a_file(tmp_path / "data/in.txt", "mine\n")}
    command = "cat; echo evil > /proc/self/fd/0; touch -d 2000-01-01 /proc/self/fd/0; echo tried"
    run = make_run(tmp_path / "run", tool(command, "stdin: $(inputs.file.path)\nstdout: out/said"), order)
    document = (run.path / "bundle/main.cwl").read_text().replace("mkdir out; ", "")
    run.write("bundle/main.cwl", document)
    assert run.carry_out() == 0
    assert (tmp_path / "run/out/out/said").read_text() == "mine\ntried\n"
    assert (tmp_path / "data/in.txt").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("entry", "stdout"), [("$(inputs.file)", "said"), ("$(inputs.folder)", "said/in.txt")], ids=["a file", "a folder"]
)
def test_what_a_command_says_is_not_written_into_its_inputs(tmp_path: Path, entry: str, stdout: str) -> None:
    file = a_file(tmp_path / "data/in.txt", "mine\n")
    order = {"file": file, "folder": {"class": "Directory", "location": str(tmp_path / "data")}}
    laid = f"requirements: {{InitialWorkDirRequirement: {{listing: [{{entryname: said, entry: {entry}}}]}}}}"
    run = make_run(tmp_path / "run", tool("echo evil", f"{laid}\nstdout: {stdout}"), order)
    assert "written through an input" in reason(run)
    assert (tmp_path / "data/in.txt").read_text() == "mine\n"


def test_a_command_holds_nothing_that_its_starter_answers_through(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", tool("ls -l /proc/self/fd > out/held"))
    assert run.carry_out() == 0
    assert "socket" not in (tmp_path / "run/out/out/held").read_text()


@pytest.mark.parametrize("place", ["out", "/tmp"])  # noqa: S108 - inside
def test_folders_nested_too_deeply_fail_their_job_alone(tmp_path: Path, place: str) -> None:
    name = "n" * 200
    command = f"cd {place}; i=0; while [ $i -lt 22 ]; do mkdir {name}; cd {name}; i=$((i+1)); done"
    run = make_run(tmp_path / "run", tool(command))
    if place == "out":
        assert "too deeply" in reason(run)
        assert not list((tmp_path / "cache/jobs").iterdir())
    else:
        assert run.carry_out() == 0
    again = make_run(tmp_path / "again", tool("true"))
    assert again.carry_out() == 0


@pytest.mark.parametrize("version", ["v1.0", "v1.2"])
def test_links_that_lead_round_about_are_not_followed_for_ever(tmp_path: Path, version: str) -> None:
    command = (
        "cd out; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do mkdir d$i; ln -s ../d$((i+1)) d$i/a; cp -P d$i/a d$i/b; done"
    )
    run = make_run(tmp_path / "run", tool(f"{command}; mkdir d13", version=version))
    assert "lead round about" in reason(run)


def test_a_document_s_own_files_decide_what_is_reused(tmp_path: Path) -> None:
    laid = "requirements: {InitialWorkDirRequirement: {listing: [{class: File, location: script.sh}]}}"
    for name in ("hostile", "mine", "again"):
        run = make_run(tmp_path / name, tool("sh script.sh > out/said", laid))
        run.write("bundle/script.sh", "echo hostile" if name == "hostile" else "echo mine")
        assert run.carry_out() == 0
        assert set(run.states().values()) == {"reused" if name == "again" else "succeeded"}
    assert (tmp_path / "mine/out/out/said").read_text() == "mine\n"


UPDATED = """
cwlVersion: v1.2
class: Workflow
inputs: {victim: string}
outputs: []
steps:
  make:
    in: []
    out: [f]
    run:
      class: CommandLineTool
      baseCommand: [touch, f]
      inputs: []
      outputs: {f: {type: File, outputBinding: {glob: f}}}
  use:
    in: {f: make/f, victim: victim}
    out: []
    run:
      class: CommandLineTool
      requirements:
        InplaceUpdateRequirement: {inplaceUpdate: true}
        InitialWorkDirRequirement: {listing: [{entryname: d, entry: $(inputs.f), writable: true}]}
      baseCommand: [sh, -c, 'rm d; ln -s "$0" d']
      inputs: {f: File, victim: {type: string, inputBinding: {}}}
      outputs: []
"""


def test_an_update_in_place_takes_nothing_in_through_a_link(tmp_path: Path) -> None:
    a_file(tmp_path / "home/secret", "hush\n")
    run = make_run(tmp_path / "run", UPDATED, {"victim": str(tmp_path / "home")})
    assert "put a link in the place of d" in reason(run)
    assert not list((tmp_path / "cache").rglob("secret"))
