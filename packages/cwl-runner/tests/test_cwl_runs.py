"""Whole runs from their folders: what is told, what comes out, what is repeated and what isn't."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from pathlib import Path

import pytest
from cwl_runs import a_file, alive, kill, make_run, preloaded, until, wait

from cwl_runner import cli, documents
from cwl_runner.backends import broker
from cwl_runner.cache import tool_key
from cwl_runner.roots import Roots

GATHER = """
cwlVersion: v1.2
class: Workflow
label: words
requirements: {ScatterFeatureRequirement: {}}
inputs: {words: "string[]", mark: string}
outputs:
  all: {type: File, outputSource: gather/all}
steps:
  say:
    label: say each
    scatter: word
    in: {word: words}
    out: [said]
    run:
      class: CommandLineTool
      baseCommand: echo
      inputs: {word: {type: string, inputBinding: {}}}
      stdout: said.txt
      outputs: {said: stdout}
  gather:
    in: {files: say/said, mark: mark}
    out: [all]
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'cat "$@"; echo', mark]
      inputs:
        files: {type: "File[]", inputBinding: {}}
        mark: string
      arguments: [{valueFrom: $(inputs.mark), position: -1, prefix: -v, separate: false}]
      stdout: all.txt
      outputs: {all: stdout}
""".replace("arguments: [{valueFrom: $(inputs.mark), position: -1, prefix: -v, separate: false}]", "")

SLEEPS = """
cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs: {seconds: "string[]"}
outputs: {done: {type: "File[]", outputSource: nap/done}}
steps:
  nap:
    scatter: seconds
    in: {seconds: seconds}
    out: [done]
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'sleep $0; echo slept $0']
      inputs: {seconds: {type: string, inputBinding: {}}}
      stdout: done.txt
      outputs: {done: stdout}
"""


def test_a_run_tells_its_story_and_delivers(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", GATHER, {"words": ["a", "b", "c"], "mark": "x"})
    assert run.carry_out() == 0
    first = run.events[0]
    assert (first["event"], first["attempt"], first["cwl_version"], first["main"]) == (
        "run-started",
        1,
        "v1.2",
        "main.cwl",
    )
    assert first["steps"] == [
        {"id": "say", "label": "say each", "run": "", "scatter": True, "parent": ""},
        {"id": "gather", "label": "", "run": "", "scatter": False, "parent": ""},
    ]
    assert all({"at", "event", "attempt"} <= set(event) for event in run.events)
    assert [(one["step"], one["count"]) for one in run.told("scatter")] == [("say", 3)]
    assert run.states() == {"say.0": "succeeded", "say.1": "succeeded", "say.2": "succeeded", "gather": "succeeded"}
    assert sorted(tuple(one["index"]) for one in run.told("job-started") if one["index"]) == [(0,), (1,), (2,)]
    started = next(one for one in run.told("job-started") if one["job"] == "say.1")
    assert started["command"] == ["echo", "b"]
    assert started["inputs"] == {"word": "b"}
    ended = next(one for one in run.told("job-ended") if one["job"] == "say.1")
    assert (ended["exit_code"], ended["cpu_seconds"] > 0, ended["memory_bytes"] > 0) == (0, True, True)
    assert [(one["step"], one["state"]) for one in run.told("step-ended")] == [
        ("say", "succeeded"),
        ("gather", "succeeded"),
    ]
    assert run.end["event"] == "run-ended"
    assert run.end["state"] == "succeeded"
    assert (tmp_path / "run/out/all.txt").read_text() == "a\nb\nc\n\n"
    assert run.end["outputs"]["all"]["path"] == str(tmp_path / "run/out/all.txt")
    assert run.end["outputs"]["all"]["checksum"].startswith("sha1$")
    assert not (tmp_path / "run/jobs/say.0").exists()  # it printed nothing


def test_all_outputs_of_a_large_run_are_told(tmp_path: Path) -> None:
    document = """
cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs: {count: int}
outputs: {names: "string[]"}
expression: '${var n = []; for (var i = 0; i < inputs.count; i++) n.push("name-" + i); return {names: n};}'
"""
    run = make_run(tmp_path, document, {"count": 9000})
    assert run.carry_out() == 0
    assert run.end["outputs"] == {"names": [f"name-{number}" for number in range(9000)]}


def test_the_same_run_again_repeats_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", GATHER, {"words": ["a", "b"], "mark": "x"})
    run.carry_out()
    assert run.carry_out() == 0
    assert set(run.states(2).values()) == {"reused"}
    assert run.told("job-started", 2) == []
    assert run.end["outputs"] == run.told("run-ended", 1)[0]["outputs"]


def test_a_changed_run_repeats_only_what_the_change_touches(tmp_path: Path) -> None:
    make_run(tmp_path / "one", GATHER, {"words": ["a", "b"], "mark": "x"}).carry_out()
    run = make_run(tmp_path / "two", GATHER, {"words": ["a", "c"], "mark": "x"})
    run.carry_out()
    assert run.states() == {"say.0": "reused", "say.1": "succeeded", "gather": "succeeded"}
    edited = make_run(
        tmp_path / "three", GATHER.replace("echo', mark", "echo end', mark"), {"words": ["a", "c"], "mark": "x"}
    )
    edited.carry_out()
    assert edited.states() == {"say.0": "reused", "say.1": "reused", "gather": "succeeded"}
    assert (tmp_path / "three/out/all.txt").read_text() == "a\nc\nend\n"


def test_a_changed_input_file_is_noticed(tmp_path: Path) -> None:
    tool = """
cwlVersion: v1.2
class: CommandLineTool
baseCommand: wc
inputs: {file: {type: File, inputBinding: {}}}
stdout: count.txt
outputs: {count: stdout}
"""
    order = {"file": a_file(tmp_path / "data/words.txt", "one\n")}
    make_run(tmp_path / "one", tool, order).carry_out()
    same = make_run(tmp_path / "two", tool, order)
    same.carry_out()
    (tmp_path / "data/words.txt").write_text("one two\n")
    changed = make_run(tmp_path / "three", tool, order)
    changed.carry_out()
    assert (same.states(), changed.states()) == ({"main": "reused"}, {"main": "succeeded"})


def test_a_result_whose_files_were_changed_is_not_used(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", GATHER, {"words": ["a"], "mark": "x"})
    run.carry_out()
    for path in (tmp_path / "cache/jobs").glob("*/said.txt"):
        path.write_text("forged\n")
    run.carry_out()
    assert run.states(2)["say.0"] == "succeeded"


def test_work_that_may_not_be_reused_is_repeated_by_other_runs_only(tmp_path: Path) -> None:
    tool = """
cwlVersion: v1.2
class: CommandLineTool
requirements: {WorkReuse: {enableReuse: false}}
baseCommand: [date, +%N]
inputs: []
stdout: now.txt
outputs: {now: stdout}
"""
    first, second = make_run(tmp_path / "one", tool), make_run(tmp_path / "two", tool)
    first.carry_out()
    second.carry_out()
    first.carry_out()
    assert (second.states(), first.states(2)) == ({"main": "succeeded"}, {"main": "reused"})


def test_a_killed_run_goes_on_without_repeating_what_was_done(tmp_path: Path) -> None:
    mark = f"86{time.time_ns() % 10**6:06}.5"
    run = make_run(tmp_path / "run", SLEEPS, {"seconds": ["0.01", "0.02", "0.03", mark]})
    process = run.start()
    until(lambda: len(run.told("job-ended")) == 3 and alive(f"sleep\0{mark}"))
    kill(process)
    until(lambda: not alive(mark))
    run.write("job.json", {"seconds": ["0.01", "0.02", "0.03", "0.04"]})
    assert run.carry_out() == 0
    assert run.states(2) == {"nap.0": "reused", "nap.1": "reused", "nap.2": "reused", "nap.3": "succeeded"}
    assert run.end["attempt"] == 2
    assert list((tmp_path / "cache/work").iterdir()) == []


def test_what_jobs_print_can_be_read_while_they_run_and_stays(tmp_path: Path) -> None:
    document = """
cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs: {scripts: "string[]"}
outputs: {}
steps:
  talk:
    scatter: script
    in: {script: scripts}
    out: []
    run:
      class: CommandLineTool
      baseCommand: [sh, -c]
      inputs: {script: {type: string, inputBinding: {}}}
      outputs: []
"""
    quick = ["echo one; echo two >&2", "true", "echo three", "exit 1"]
    run = make_run(tmp_path / "run", document, {"scripts": [*quick, "sleep 1; echo late >&2; sleep 300"]}, parallel=1)
    process = run.start()
    jobs = tmp_path / "run/jobs"
    until(lambda: (jobs / "talk.4/stderr").exists() and "late" in (jobs / "talk.4/stderr").read_text())
    assert kill(process, signal.SIGTERM) == 143
    found = {str(path.relative_to(jobs)): path.read_text() for path in jobs.glob("talk.*/std*")}
    assert found == {
        "talk.0/stdout": "one\n",
        "talk.0/stderr": "two\n",
        "talk.2/stdout": "three\n",
        "talk.4/stdout": "",
        "talk.4/stderr": "late\n",
    }
    assert (jobs / "talk.3/command.json").exists()
    run.write("job.json", {"scripts": ["echo again", *(f": {number}" for number in range(4))]})
    assert run.carry_out() == 0
    assert (jobs / "talk.0/stdout").read_text() == "again\n"
    assert [(jobs / "talk.0/stderr").read_text(), (jobs / "talk.4/stderr").read_text()] == ["", ""]


def test_a_run_is_cancelled_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    mark = f"87{time.time_ns() % 10**6:06}.5"
    run = make_run(tmp_path / "run", SLEEPS, {"seconds": [mark, mark]})
    process = run.start()
    until(lambda: len(alive(f"sleep\0{mark}")) == 2)
    assert kill(process, signal.SIGTERM) == 143
    until(lambda: not alive(mark))  # long before they would have ended by themselves
    assert run.states() == {"nap.0": "cancelled", "nap.1": "cancelled"}
    assert (run.end["event"], run.end["state"]) == ("run-ended", "cancelled")


def test_a_paused_run_starts_nothing_until_it_goes_on(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SLEEPS, {"seconds": ["1.0", "1.1", "1.2", "1.3"]}, parallel=1)
    process = run.start()
    until(lambda: run.told("job-started"))
    run.write("control.json", {"paused": True})
    until(lambda: run.told("paused"))
    until(lambda: len(run.told("job-ended")) == len(run.told("job-started")))
    held = len(run.told("job-started"))
    time.sleep(0.5)
    assert len(run.told("job-started")) == held < 4
    run.write("control.json", {"paused": False})
    assert wait(process) == 0
    assert len(run.told("resumed")) == 1


TWO = """
cwlVersion: v1.2
class: Workflow
inputs: {folder: Directory}
outputs: {late: {type: File, outputSource: after/out}, other: {type: File, outputSource: apart/out}}
steps:
  broken:
    in: {folder: folder}
    out: [out]
    run: &tool
      class: CommandLineTool
      baseCommand: [sh, -c, 'cat "$0/wanted.txt"']
      inputs: {folder: {type: Directory, inputBinding: {}}}
      stdout: out.txt
      outputs: {out: stdout}
  after:
    in: {file: broken/out}
    out: [out]
    run:
      class: CommandLineTool
      baseCommand: cat
      inputs: {file: {type: File, inputBinding: {}}}
      stdout: out.txt
      outputs: {out: stdout}
  apart:
    in: []
    out: [out]
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'sleep 0.2; echo fine']
      inputs: []
      stdout: out.txt
      outputs: {out: stdout}
"""


def test_a_failure_leaves_the_rest_alone_and_a_retry_repeats_only_what_failed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    run = make_run(tmp_path / "run", TWO, {"folder": {"class": "Directory", "location": str(tmp_path / "data")}})
    assert run.carry_out() == 1
    assert run.states() == {"broken": "failed", "apart": "succeeded"}
    failed = next(one for one in run.told("job-ended") if one["job"] == "broken")
    assert (failed["exit_code"], failed["advice"]) == (1, "Its log tells more.")
    assert failed["reason"].startswith("The command ended with exit code 1: cat:")
    assert "wanted.txt" in (tmp_path / "run/jobs/broken/stderr").read_text()
    kept = json.loads((tmp_path / "run/jobs/broken/command.json").read_text())
    assert kept["laid"] == [{"path": f"{kept['folder']}/in/0/data", "source": str(tmp_path / "data")}]
    assert run.end["state"] == "failed"
    assert run.end["reason"] == failed["reason"]
    (tmp_path / "data/wanted.txt").write_text("here\n")
    assert run.carry_out() == 0
    assert run.states(2) == {"broken": "succeeded", "after": "succeeded", "apart": "reused"}


def test_one_step_alone(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", GATHER, {"word": "solo"}, only_step="say")
    assert run.carry_out() == 0
    assert run.states() == {"main": "succeeded"}
    assert (tmp_path / "run/out/said.txt").read_text() == "solo\n"


def test_intermediate_outputs_are_kept_when_asked_for(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", GATHER, {"words": ["a"], "mark": "x"}, keep_intermediate=True)
    run.carry_out()
    assert (tmp_path / "run/out/steps/say.0/said.txt").read_text() == "a\n"


CONDITION = """
cwlVersion: v1.2
class: Workflow
requirements: {InlineJavascriptRequirement: {}, SubworkflowFeatureRequirement: {}, ScatterFeatureRequirement: {}}
inputs: {numbers: "int[]"}
outputs: {said: {type: Any, outputSource: inner/said}}
steps:
  inner:
    scatter: number
    in: {number: numbers}
    out: [said]
    run:
      class: Workflow
      inputs: {number: int}
      outputs: {said: {type: Any, outputSource: say/said}}
      steps:
        say:
          when: $(inputs.number > 1)
          in: {number: number}
          out: [said]
          run:
            class: CommandLineTool
            baseCommand: echo
            inputs: {number: {type: int, inputBinding: {}}}
            stdout: said.txt
            outputs: {said: stdout}
"""


def test_nested_steps_have_their_path_and_all_indices(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", CONDITION, {"numbers": [1, 2]})
    assert run.carry_out() == 0
    assert run.states() == {"inner/say.0": "skipped", "inner/say.1": "succeeded"}
    assert next(one["index"] for one in run.told("job-started")) == [1]
    assert [one["id"] for one in run.events[0]["steps"]] == ["inner", "inner/say"]
    assert [one["parent"] for one in run.events[0]["steps"]] == ["", "inner"]


@pytest.mark.parametrize("backend", ["local", "bubblewrap"])
def test_both_backends_give_the_same(tmp_path: Path, backend: str) -> None:
    run = make_run(tmp_path / "run", GATHER, {"words": ["a", "b"], "mark": "x"}, backend=backend)
    assert run.carry_out() == 0
    assert (tmp_path / "run/out/all.txt").read_text() == "a\nb\n\n"


@pytest.mark.parametrize("cache", ["", "elsewhere"])
def test_results_are_read_where_the_inputs_folder_holds_the_run(tmp_path: Path, cache: str) -> None:
    document = GATHER.replace("inputs: {", "inputs: {data: File, ", 1)
    given = {"words": ["a", "b"], "mark": "x", "data": a_file(tmp_path / "data.txt")}
    run = make_run(tmp_path / "run", document, given, cache=cache and str(tmp_path / cache), backend="bubblewrap")
    assert run.carry_out() == 0, run.end
    assert (tmp_path / "run/out/all.txt").read_text() == "a\nb\n\n"


def test_an_image_that_changed_is_other_software(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "main.cwl").write_text("{cwlVersion: v1.2, class: CommandLineTool, inputs: [], outputs: []}")
    process = documents.load(str(tmp_path / "main.cwl"), documents.plain_context(Roots([tmp_path])))
    monkeypatch.setattr(broker, "SOCKET", tmp_path / "broker.sock")
    assert broker.image_digests() == {}
    keys = []
    for digest in ("sha256:1", "sha256:2", "sha256:1"):
        (tmp_path / "images.json").write_text(json.dumps({"python:3": digest}))
        keys.append(tool_key(process, str(tmp_path), ("python:3", "", broker.image_digests()["python:3"])))
    assert keys[0] == keys[2] != keys[1]


def test_software_is_an_environment_by_name(tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    program = environment / "bin" / "greet"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    tool = """
cwlVersion: v1.2
class: CommandLineTool
requirements: {DockerRequirement: {dockerPull: software/greet:1}}
baseCommand: greet
inputs: []
stdout: said.txt
outputs: {said: stdout}
"""
    run = make_run(tmp_path / "run", tool, environments={"software/greet:1": str(environment)})
    assert run.carry_out() == 0
    assert (tmp_path / "run/out/said.txt").read_text() == "hello\n"
    again = make_run(tmp_path / "again", tool, environments={"software/greet:1": str(environment)})
    assert again.carry_out() == 0
    assert again.states() == {"main": "reused"}
    record = environment / "lib/python3.11/site-packages/other-1.dist-info/RECORD"
    record.parent.mkdir(parents=True)
    record.write_text("other.py,,\n")
    changed = make_run(tmp_path / "changed", tool, environments={"software/greet:1": str(environment)})
    assert changed.carry_out() == 0
    assert changed.states() == {"main": "succeeded"}, "what is installed in the environment is another"
    without = make_run(tmp_path / "without", tool)
    assert without.carry_out() == 33
    assert (
        without.end["reason"]
        == "The software software/greet:1 needs a container runtime, or an environment of that name."
    )


def test_jobs_share_the_cores_of_the_run(tmp_path: Path) -> None:
    document = SLEEPS.replace("baseCommand:", "requirements: {ResourceRequirement: {coresMin: 2}}\n      baseCommand:")
    run = make_run(tmp_path / "run", document, {"seconds": ["0.1", "0.11", "0.12"]}, parallel=3, cores=3)
    assert run.carry_out() == 0
    times = sorted((one["started_at"], one["ended_at"]) for one in run.told("job-ended"))
    assert all(ended <= started for (_, ended), (started, _) in itertools.pairwise(times))
    larger = make_run(tmp_path / "larger", document, {"seconds": ["0.1"]}, cores=1)
    assert larger.carry_out() == 1
    assert larger.end["reason"] == "A step asks for 2 cores, and this run has 1."


def test_leftovers_and_old_results_go(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", GATHER, {"words": ["a", "b"], "mark": "x"}, cache_mb=0.000001)
    run.carry_out()
    (tmp_path / "cache/jobs/dead-1").mkdir()
    run.carry_out()
    assert "reused" not in run.states(2).values()
    assert len(list((tmp_path / "cache/jobs").iterdir())) <= 1


def test_the_plain_command_runs_a_document_and_leaves_its_inputs_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "data/deep").mkdir(parents=True)
    (tmp_path / "data/deep/one.txt").write_text("one\n")
    tool = """
cwlVersion: v1.2
class: CommandLineTool
requirements: {InitialWorkDirRequirement: {listing: [$(inputs.folder)]}}
baseCommand: [ls]
inputs: {folder: Directory}
stdout: list.txt
outputs: {folder: {type: Directory, outputBinding: {glob: data}}, list: stdout}
"""
    (tmp_path / "tool.cwl").write_text(tool)
    (tmp_path / "job.yml").write_text("folder: {class: Directory, path: data}\n")
    preloaded()
    for backend in ("local", "bubblewrap"):
        out = tmp_path / backend
        process = os.fork()
        if process == 0:
            words = ["--backend", backend, "--outdir", str(out), str(tmp_path / "tool.cwl"), str(tmp_path / "job.yml")]
            os._exit(cli.main(words))
        assert wait(process) == 0
        assert (out / "data/deep/one.txt").read_text() == "one\n"
        assert (out / "list.txt").read_text() == "data\nlist.txt\n"
        assert (tmp_path / "data/deep/one.txt").read_text() == "one\n"


def test_jobs_at_the_same_time_may_be_the_same(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", SLEEPS, {"seconds": ["0.1"] * 6}, parallel=3)
    assert run.carry_out() == 0
    assert [Path(one["path"]).read_text() for one in run.end["outputs"]["done"]] == ["slept 0.1\n"] * 6
