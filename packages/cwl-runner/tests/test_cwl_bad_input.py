"""What bad or hostile documents get: a message at node and line, and nothing else of what they wanted."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from cwl_runs import Run, a_file, alive, make_run

from cwl_runner.expressions import Engine

SHELL = """
cwlVersion: v1.2
class: Workflow
inputs: {{file: File?}}
outputs: {{out: {{type: {type}, outputSource: step/out}}}}
steps:
  step:
    in: {{file: file}}
    out: [out]
    run:
      class: CommandLineTool
      requirements: {requirements}
      baseCommand: [sh, -c, '{command}']
      inputs: {{file: {{type: File?, inputBinding: {{}}}}}}
      outputs:
        out:
          type: {type}
          outputBinding: {{glob: {glob}}}
"""


def shell(command: str, glob: str = "out.txt", kind: str = "File", requirements: str = "{}") -> str:
    """Make a workflow of one step with a shell command; `$0` is its input file."""
    return SHELL.format(command=command.replace("'", "''"), glob=glob, type=kind, requirements=requirements)


def problem(run: Run) -> dict[str, Any]:
    """Give the first error that a run told."""
    return next(one for one in run.told("problem") if one["severity"] == "error")


def test_a_pattern_that_finds_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", shell("echo hello > other.txt"))
    assert run.carry_out() == 1
    told = problem(run)
    assert told["message"] == "Did not find output file with glob pattern: ['out.txt']."
    assert "compare the pattern" in told["advice"]
    assert (told["node"], told["file"], told["line"]) == ("step", "main.cwl", 18)
    ended = run.told("job-ended")[0]
    assert (ended["state"], ended["reason"], ended["advice"]) == ("failed", told["message"], told["advice"])


def test_an_expression_that_never_ends(tmp_path: Path) -> None:
    document = """
cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs: []
outputs: {out: int}
expression: |
  ${
    var count = 0;
    while (true) { count += 1; }
    return {"out": count};
  }
"""
    run = make_run(tmp_path / "run", document, expression_seconds=0.5)
    began = time.monotonic()
    assert run.carry_out() == 1
    assert time.monotonic() - began < 120
    told = problem(run)
    assert "Long-running script killed after 0.5 seconds" in told["message"]
    assert told["advice"] == "Look for a loop that never ends in this expression."
    assert (told["file"], told["line"]) == ("main.cwl", 9)
    assert "Traceback" not in told["message"]


def test_an_expression_sees_neither_files_nor_programs(tmp_path: Path) -> None:
    document = """
cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs: []
outputs: {out: string}
expression: |
  ${
    var getter = (function() { return this; }).constructor("return this.process || require");
    return {"out": String(getter().mainModule.require("fs").readFileSync("/etc/passwd"))};
  }
"""
    run = make_run(tmp_path / "run", document)
    assert run.carry_out() == 1
    assert "root:" not in (tmp_path / "run/events.jsonl").read_text()


def test_an_expression_can_not_answer_for_later_ones() -> None:
    engine = Engine(isolated=True)
    taken = "P = p.constructor.constructor('return process')(); P.stdout.write = function() {};"
    changed = "O = p; while (O.__proto__) { O = O.__proto__; } O.toJSON = function() { return {value: '7'}; };"
    try:
        for body in (taken, changed):
            code = f"{{ import('x').catch(function(p) {{ var P, O; {body} }}); return 1; }}"
            assert engine.eval(code, "", 5) == 1
            assert engine.eval("(1 + 1)", "", 5) == 2
        assert engine.eval("{ return eval('1 + 2'); }", "", 5) == 3
    finally:
        engine.close()


BAD = {
    "no YAML": ("cwlVersion: v1.2\nclass: [\n", ""),
    "no class": ("cwlVersion: v1.2\ninputs: []\noutputs: []\n", ""),
    "a missing step": (
        "cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\nsteps:\n  a: {in: [], out: [], run: gone.cwl}\n",
        "gone.cwl",
    ),
    "an unknown source": (
        "cwlVersion: v1.2\nclass: Workflow\ninputs: []\nsteps: []\noutputs: {o: {type: int, outputSource: nobody/o}}\n",
        "nobody",
    ),
    "an operation": ("cwlVersion: v1.2\nclass: Operation\ninputs: []\noutputs: []\n", "abstract Operation"),
    "a missing input": (
        "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\ninputs: {text: string}\noutputs: []\n",
        "Missing required input parameter 'text'",
    ),
    "an empty document": ("", ""),
    "a list": ("- 1\n- 2\n", ""),
    "an unknown version": ("cwlVersion: v9\nclass: CommandLineTool\ninputs: []\noutputs: []\n", "version"),
    "itself as a step": (
        "cwlVersion: v1.2\nclass: Workflow\nrequirements: [{class: SubworkflowFeatureRequirement}]\n"  # noqa: ISC004
        "inputs: []\noutputs: []\nsteps:\n  a: {in: [], out: [], run: main.cwl}\n",
        "itself",
    ),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_document_that_cannot_run(tmp_path: Path, name: str) -> None:
    document, wanted = BAD[name]
    run = make_run(tmp_path / "run", document)
    assert run.carry_out() in (1, 33)
    assert run.end["event"] == "run-ended"
    assert run.end["state"] == "failed"
    assert run.end["reason"]
    assert wanted in problem(run)["message"]
    assert "Traceback" not in (tmp_path / "run/events.jsonl").read_text()


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "/etc/passwd", "/data/../etc/passwd", "https://example.org/x", "file:///gone"]
)
def test_an_input_outside_of_what_the_run_may_read(tmp_path: Path, location: str) -> None:
    order = {"file": {"class": "File", "location": location}}
    run = make_run(tmp_path / "run", shell("cat $0 > out.txt"), order, roots=[str(tmp_path / "data")])
    assert run.carry_out() == 1
    assert problem(run)["message"]
    assert "root:" not in (tmp_path / "run/events.jsonl").read_text()


@pytest.mark.parametrize(
    "field",
    [
        "baseCommand: {$include: /etc/passwd}",
        "baseCommand: [echo, {$include: file:///etc/passwd}]",
        "baseCommand: echo\ndoc: {$include: ../../../../../../etc/passwd}",
        "baseCommand: echo\n$schemas: [/etc/passwd]",
        "baseCommand: echo\nrequirements: {SchemaDefRequirement: {types: [{$import: /etc/hostname}]}}",
        "baseCommand: echo\nrequirements: {SchemaDefRequirement: {types: [{$import: https://example.org/t.yml}]}}",
    ],
)
def test_a_document_that_takes_in_what_it_may_not_read(tmp_path: Path, field: str) -> None:
    document = f"cwlVersion: v1.2\nclass: CommandLineTool\n{field}\ninputs: []\noutputs: []\n"
    run = make_run(tmp_path / "run", document)
    run.carry_out()
    assert "root:" not in (tmp_path / "run/events.jsonl").read_text()
    if "$schemas" not in field:
        assert run.end["state"] == "failed"


@pytest.mark.parametrize(
    ("command", "glob", "kind"),
    [
        ("ln -s /etc/passwd out.txt", "out.txt", "File"),
        ("ln -s ../../../../../../../../etc/passwd out.txt", "out.txt", "File"),
        ("ln -s /etc out", "out/passwd", "File"),
        ("mkdir out; ln -s /etc/passwd out/p", "out", "Directory"),
        ("mkdir -p out/a; ln -s /etc out/a/b", "out", "Directory"),
        ("ln -s /etc out", "out", "Directory"),
        ("ln -s /etc/passwd a; ln -s a b", "b", "File"),
    ],
)
@pytest.mark.parametrize("backend", ["bubblewrap", "local"])
def test_an_output_that_is_a_link_out(tmp_path: Path, command: str, glob: str, kind: str, backend: str) -> None:
    run = make_run(tmp_path / "run", shell(command, glob, kind), backend=backend)
    assert run.carry_out() == 1
    assert "outside of the job's folder: refused" in problem(run)["message"]
    assert "copy the file" in problem(run)["advice"]
    assert not [path for path in (tmp_path / "run/out").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../../../../../../../../etc/passwd", "file:///etc/passwd", "link/passwd"]
)
def test_a_written_list_of_outputs_that_leads_out(tmp_path: Path, path: str) -> None:
    key = "location" if path.startswith("file") else "path"
    told = f'{{"out": {{"class": "File", "{key}": "{path}"}}}}'
    run = make_run(tmp_path / "run", shell(f"ln -s /etc link; echo '{told}' > cwl.output.json"))
    assert run.carry_out() == 1
    assert not [found for found in (tmp_path / "run/out").rglob("*") if found.is_file()]


@pytest.mark.parametrize("backend", ["bubblewrap", "local"])
def test_a_link_to_an_input_is_a_fine_output(tmp_path: Path, backend: str) -> None:
    order = {"file": a_file(tmp_path / "data/in.txt", "from the input\n")}
    run = make_run(tmp_path / "run", shell('ln -s "$0" out.txt'), order, backend=backend)
    assert run.carry_out() == 0
    out = tmp_path / "run/out/out.txt"
    assert (out.read_text(), out.is_symlink()) == ("from the input\n", False)


def test_a_pipe_as_an_output_holds_up_nobody(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", shell("mkdir out; mkfifo out/pipe", "out", "Directory"))
    assert run.carry_out() == 1
    assert "neither a file nor a folder" in problem(run)["message"] or run.end["reason"]


def test_a_sandbox_shows_and_lets_change_nothing_else(tmp_path: Path) -> None:
    order = {"file": a_file(tmp_path / "data/in.txt")}
    tests = (
        f"echo x >> $0; echo x > {tmp_path}/data/new; echo forged >> {tmp_path}/run/events.jsonl;"
        f" ls {tmp_path}/run/events.jsonl {tmp_path}/cache/results; ls /proc|grep -c '^[0-9]'; cat /proc/net/dev|wc -l;"
        " kill -9 1; echo end"
    )
    run = make_run(tmp_path / "run", shell(f"({tests}) > out.txt 2>&1"), order)
    assert run.carry_out() == 0
    told = (tmp_path / "run/out/out.txt").read_text()
    assert told.endswith("end\n")
    assert (tmp_path / "data/in.txt").read_text() == "text\n"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["in.txt"]
    assert "forged" not in (tmp_path / "run/events.jsonl").read_text().split('"job-ended"')[0].split('"inputs"')[1]
    numbers = [int(line) for line in told.splitlines() if line.isdigit()]
    assert numbers[0] < 8
    assert numbers[1] == 3, "only the loopback device beside two lines of heading"


def test_nothing_of_a_job_reaches_the_next(tmp_path: Path) -> None:
    mark = f"88{time.time_ns() % 10**6:06}.5"
    document = """
cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs: {numbers: "string[]"}
outputs: {out: {type: "File[]", outputSource: step/out}}
steps:
  step:
    scatter: number
    in: {number: numbers}
    out: [out]
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'ls -A /tmp /var/tmp /dev/shm . ../tmp ../in; grep -l sleep /proc/[0-9]*/comm;
        touch /tmp/a /dev/shm/b ../tmp/c ../in/d;
        mkdir -m 0 /tmp/closed; (setsid sleep MARK >/dev/null 2>&1 &)']
      inputs: {number: {type: string, inputBinding: {}}}
      stdout: out.txt
      outputs: {out: stdout}
""".replace("MARK", mark)
    run = make_run(tmp_path / "run", document, {"numbers": ["1", "2", "3"]}, parallel=1)
    assert run.carry_out() == 0
    assert alive(mark) == []
    texts = {one.read_text() for one in (tmp_path / "run/out").iterdir()}
    assert len(texts) == 1
    assert not {"a", "b", "c", "d", "closed"} & set(texts.pop().split())


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    tool = "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: no-such-program\ninputs: []\noutputs: []\n"
    run = make_run(tmp_path / "run", tool)
    assert run.carry_out() == 1
    assert run.end["reason"] == "The program no-such-program can't be started: No such file or directory."


def test_a_command_that_takes_too_long(tmp_path: Path) -> None:
    tool = (
        "cwlVersion: v1.2\nclass: CommandLineTool\nrequirements: {ToolTimeLimit: {timelimit: 1}}\n"
        "baseCommand: [sleep, '50']\ninputs: []\noutputs: []\n"
    )
    run = make_run(tmp_path / "run", tool)
    assert run.carry_out() == 1
    assert "took longer than the 1 s" in run.end["reason"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", shell("head -c 9000000 /dev/zero > out.txt"))
    small = tmp_path / "cache"
    small.mkdir()
    assert os.system(f"mount -t tmpfs -o size=4m none {small}") == 0  # noqa: S605 - a path of the test's
    try:
        assert run.carry_out() == 1
        ended = run.told("job-ended")[0]
        assert ended["state"] == "failed"
        assert "space" in ended["reason"] + ended["advice"]
    finally:
        os.system(f"umount {small}")  # noqa: S605 - as above
