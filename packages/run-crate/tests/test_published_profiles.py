"""Crates of real runs are accepted by the published validator, read by the usual library, and run again."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from crates import DOCUMENTS, complaints, crate_from, make_cache, make_run
from rocrate.rocrate import ROCrate

from run_crate import Environment, write_folder, write_zip

ALL_PROFILES = "provenance-run-crate"
"""It extends the other ones, which are checked with it."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cache(tmp_path_factory.mktemp("contexts"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("words")
    (place / "text.txt").write_text("one two\nthree\nfour five six\n")
    return make_run(place, DOCUMENTS, {"text": {"class": "File", "location": str(place / "text.txt")}})


def sums(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of outputs what two runs of the same have in common."""
    return {
        name: [one["checksum"] for one in value] if isinstance(value, list) else value["checksum"]
        for name, value in outputs.items()
    }


def find(metadata: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in metadata["@graph"] if one["@id"] == name)


def test_a_run_with_a_scatter_and_a_subworkflow_is_accepted(run: Path, cache: Path, tmp_path: Path) -> None:
    environments = {"software/words:1": Environment("words-1", packages="coreutils==9.1\n")}
    write_folder(crate_from(run, environments=environments), tmp_path / "crate")
    assert complaints(tmp_path / "crate", cache, ALL_PROFILES) == []
    assert (tmp_path / "crate/run/environments/words-1.txt").read_text() == "coreutils==9.1\n"


def test_a_zip_is_accepted_and_the_usual_library_reads_it(run: Path, cache: Path, tmp_path: Path) -> None:
    with (tmp_path / "crate.zip").open("wb") as target:
        write_zip(crate_from(run), target)
    assert complaints(tmp_path / "crate.zip", cache, ALL_PROFILES) == []
    crate = ROCrate(tmp_path / "crate.zip")
    assert crate.mainEntity.id == "main.cwl"
    actions = crate.get_by_type("CreateAction")
    assert {one.id for one in actions} >= {"#run/abc123def456", "#job/split", "#job/count.0", "#job/count.2"}
    assert zipfile.ZipFile(tmp_path / "crate.zip").read("tools/split.cwl").decode() == DOCUMENTS["tools/split.cwl"]


@pytest.mark.parametrize("missing", ["instrument", "mainEntity"])
def test_the_validator_complains_of_a_crate_that_lacks_something(
    run: Path, cache: Path, tmp_path: Path, missing: str
) -> None:
    crate = crate_from(run)
    broken = next(one for one in crate.metadata["@graph"] if missing in one and one["@id"] != "ro-crate-metadata.json")
    del broken[missing]
    write_folder(crate, tmp_path / "crate")
    assert complaints(tmp_path / "crate", cache, ALL_PROFILES)


def test_what_a_crate_holds_runs_again_with_the_same_outputs(run: Path, tmp_path: Path) -> None:
    write_folder(crate_from(run), tmp_path / "crate")
    first = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()][-1]["outputs"]
    (run.parent / "text.txt").rename(run.parent / "gone.txt")
    try:
        program = str(Path(sys.executable).with_name("spacelab-cwl"))
        command = [program, "--outdir", str(tmp_path / "again"), "main.cwl", "run/job.json"]
        done = subprocess.run(command, cwd=tmp_path / "crate", capture_output=True, text=True, check=False, timeout=120)
    finally:
        (run.parent / "gone.txt").rename(run.parent / "text.txt")
    assert done.returncode == 0, done.stderr
    assert sums(json.loads(done.stdout)) == sums(first)


def test_each_job_has_its_command_times_code_and_values(run: Path) -> None:
    metadata = crate_from(run).metadata
    job = find(metadata, "#job/count.1")
    assert job["description"] == "wc -w"
    assert job["startTime"] < job["endTime"]
    assert find(metadata, job["additionalProperty"]["@id"])["value"] == 0
    assert job["instrument"] == {"@id": "tools/count.cwl"}
    assert find(metadata, "#control/count.1")["instrument"] == {"@id": "#step/count"}
    values = [find(metadata, one["@id"]) for one in job["object"]]
    assert {one.get("value", one["name"]) for one in values} == {"-w", "xab"}
    assert job["result"]["@id"] == "run/outputs/counts/1/counted.txt"


def test_connections_belong_to_the_step_or_workflow_that_receives(run: Path) -> None:
    metadata = crate_from(run).metadata
    split_to_count = find(metadata, "#connection/split/lines/to/count/text")
    assert split_to_count["sourceParameter"] == {"@id": "tools/split.cwl#out/lines"}
    assert split_to_count["targetParameter"] == {"@id": "tools/count.cwl#in/text"}
    assert {"@id": split_to_count["@id"]} in find(metadata, "#step/count")["connection"]
    assert {"@id": "#connection/sum/total/to/total/total"} in find(metadata, "main.cwl")["connection"]


def test_a_failed_run_tells_what_failed_and_what_was_not_reached(cache: Path, tmp_path: Path) -> None:
    documents = {
        "main.cwl": """\
cwlVersion: v1.2
class: Workflow
requirements: {InlineJavascriptRequirement: {}}
inputs: {word: string}
outputs: {said: {type: "File?", outputSource: say/said}}
steps:
  check: {run: check.cwl, in: {word: word}, out: [found]}
  never: {run: say.cwl, when: $(false), in: {found: {default: {class: File, basename: x, contents: ""}}}, out: []}
  say: {run: tell.cwl, in: {found: check/found}, out: [said]}
""",
        "check.cwl": """\
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, "echo no such word >&2; exit 3"]
inputs: {word: string}
outputs: {found: {type: File, outputBinding: {glob: found}}}
""",
        "say.cwl": "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: cat\n"
        "inputs: {found: stdin}\noutputs: {said: stdout}\n",
        "tell.cwl": "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: cat\n"
        "inputs: {found: stdin}\noutputs: {said: stdout}\n",
    }
    folder = make_run(tmp_path, documents, {"word": "figlet"})
    crate = crate_from(folder)
    write_folder(crate, tmp_path / "crate")
    assert complaints(tmp_path / "crate", cache, ALL_PROFILES) == []
    job = find(crate.metadata, "#job/check")
    assert job["actionStatus"].endswith("FailedActionStatus")
    assert "exit code 3" in job["error"]
    assert find(crate.metadata, job["additionalProperty"]["@id"])["value"] == 3
    assert "no such word" in (tmp_path / "crate/run/logs/check/stderr.txt").read_text()
    assert find(crate.metadata, "#job/say")["actionStatus"].endswith("PotentialActionStatus")
    assert find(crate.metadata, "#job/never")["description"] == "Its `when` said no."


def test_a_single_tool_is_a_run_without_steps(cache: Path, tmp_path: Path) -> None:
    tool = {"say.cwl": "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\n"
        "inputs: {word: {type: string, inputBinding: {}}}\noutputs: {said: stdout}\n"}  # fmt: skip
    crate = crate_from(make_run(tmp_path, tool, {"word": "hello"}, main="say.cwl"))
    write_folder(crate, tmp_path / "crate")
    assert complaints(tmp_path / "crate", cache, "workflow-run-crate") == []
    profiles = {one["@id"] for one in find(crate.metadata, "./")["conformsTo"]}
    assert "https://w3id.org/ro/wfrun/provenance/0.5" not in profiles
    run = find(crate.metadata, "#run/abc123def456")
    assert find(crate.metadata, run["additionalProperty"]["@id"])["value"] == 0
