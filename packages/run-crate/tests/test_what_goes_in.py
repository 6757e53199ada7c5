"""What a crate takes along, what it refers to, and what no run can make it take."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from crates import about_run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from run_crate import (
    Below,
    ChangedError,
    RunRecord,
    Take,
    UnreadableRunError,
    crate_of,
    open_inside,
    read_run,
    write_folder,
    write_zip,
)
from run_crate.records import follow

TOOL = "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: cat\ninputs: {a: File}\noutputs: {b: File}\n"
MEBIBYTE = 2**20


def record_of(order: dict[str, Any], outputs: dict[str, Any] | None = None) -> RunRecord:
    record = RunRecord({"main.cwl": TOOL}, "main.cwl", order)
    follow(record, [{"event": "run-ended", "at": 1.79e9, "state": "succeeded", "outputs": outputs or {}}])
    return record


def file_at(path: Path | str, **more: Any) -> dict[str, Any]:
    return {"class": "File", "location": str(path), **more}


def ids(metadata: dict[str, Any]) -> set[str]:
    return {one["@id"] for one in metadata["@graph"]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    found = tmp_path / "data"
    found.mkdir()
    (found / "a.fits").write_bytes(b"x" * 100)
    (found / "a.fits.idx").write_bytes(b"i" * 10)
    (found / "inner").mkdir()
    (found / "inner" / "b.txt").write_text("b")
    (found / "secret").symlink_to("/etc/passwd")
    return found


def test_inputs_are_referred_to_unless_asked_for(data: Path) -> None:
    record = record_of({"a": file_at("/data/archive/a.fits")})
    place = Below({"/data/archive": data})
    referred = crate_of(record, about_run(), place=place)
    assert "file:///data/archive/a.fits" in ids(referred.metadata)
    taken = crate_of(record, about_run(), place=place, take=Take(inputs=True))
    assert "run/inputs/a/a.fits" in ids(taken.metadata)
    target = io.BytesIO()
    write_zip(taken, target)
    with zipfile.ZipFile(target) as archive:
        assert archive.read("run/inputs/a/a.fits") == b"x" * 100
        assert json.loads(archive.read("run/job.json"))["a"]["location"] == "inputs/a/a.fits"


def test_addresses_of_what_is_referred_to_are_the_platforms(data: Path) -> None:
    record = record_of({"a": file_at("/data/archive/a.fits")})
    crate = crate_of(record, about_run(), address_of=lambda path: f"https://lab.example{path}")
    assert "https://lab.example/data/archive/a.fits" in ids(crate.metadata)
    assert data.exists()


@pytest.mark.parametrize("take", [Take(largest_file=99), Take(largest_total=99)], ids=["file", "total"])
def test_what_is_too_large_is_referred_to_and_said(data: Path, take: Take) -> None:
    crate = crate_of(
        record_of({}, {"b": file_at(data / "a.fits")}), about_run(), place=Below({"/": Path("/")}), take=take
    )
    assert crate.left_out == (str(data / "a.fits"),)
    assert f"file://{data}/a.fits" in ids(crate.metadata)
    root = next(one for one in crate.metadata["@graph"] if one["@id"] == "./")
    assert "1 files are referred to" in root["description"]


def test_links_are_never_followed(data: Path) -> None:
    outputs = {"b": file_at("/data/secret"), "c": {"class": "Directory", "location": "/data"}}
    crate = crate_of(record_of({}, outputs), about_run(), place=Below({"/data": data}))
    assert crate.left_out == ("/data/secret",)
    paths = {part.path for part in crate.parts}
    assert "run/outputs/c/data/inner/b.txt" in paths
    assert not any("secret" in path for path in paths)
    (data / "way").symlink_to("/etc")
    assert open_inside(data, ("way", "passwd")) is None
    assert Below({"/data": data}).open("/data/../../etc/passwd") is None


def test_a_file_that_becomes_a_link_after_it_was_seen_is_not_written(data: Path, tmp_path: Path) -> None:
    crate = crate_of(record_of({}, {"b": file_at("/data/a.fits")}), about_run(), place=Below({"/data": data}))
    (data / "a.fits").unlink()
    (data / "a.fits").symlink_to("/etc/passwd")
    with pytest.raises(ChangedError, match="gone"):
        write_folder(crate, tmp_path / "crate")


def test_a_file_that_grows_is_cut_where_it_was(data: Path) -> None:
    crate = crate_of(record_of({}, {"b": file_at("/data/a.fits")}), about_run(), place=Below({"/data": data}))
    (data / "a.fits").write_bytes(b"y" * MEBIBYTE)
    target = io.BytesIO()
    write_zip(crate, target)
    assert len(zipfile.ZipFile(target).read("run/outputs/b/a.fits")) == 100


def test_files_of_one_name_and_those_that_travel_together_keep_apart(data: Path) -> None:
    (data / "inner" / "a.fits").write_text("other")
    first = file_at("/data/a.fits", secondaryFiles=[file_at("/data/a.fits.idx")])
    outputs = {"b": [first, file_at("/data/inner/a.fits")]}
    crate = crate_of(record_of({}, outputs), about_run(), place=Below({"/data": data}))
    assert {part.path for part in crate.parts} >= {
        "run/outputs/b/0/a.fits",
        "run/outputs/b/0/a.fits.idx",
        "run/outputs/b/1/a.fits",
    }
    collection = next(one for one in crate.metadata["@graph"] if one["@type"] == "Collection")
    assert collection["mainEntity"] == {"@id": "run/outputs/b/0/a.fits"}


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "..", "a/b", "", "\0", "a\nb"], ids=range(7))
def test_names_of_a_run_lead_nowhere_else(data: Path, tmp_path: Path, name: str) -> None:
    outputs = {
        name: file_at("/data/a.fits", basename=name),
        "lit": {"class": "File", "basename": name, "contents": "x"},
    }
    crate = crate_of(record_of({}, outputs), about_run(), place=Below({"/data": data}))
    write_folder(crate, tmp_path / "in" / "crate")
    written = [path for path in tmp_path.rglob("*") if path.is_file() and data not in path.parents]
    assert all(tmp_path / "in" / "crate" in path.parents for path in written)


def test_documents_that_have_a_folder_run_keep_it(data: Path) -> None:
    record = record_of({"a": file_at("/data/a.fits")})
    record.documents["run/job.json"] = "{}"
    crate = crate_of(record, about_run(), place=Below({"/data": data}), take=Take(inputs=True))
    assert {part.path for part in crate.parts} >= {"run/job.json", "run-2/job.json", "run-2/inputs/a/a.fits"}


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRunError, match=r"options\.json"):
        read_run(tmp_path)
    (tmp_path / "options.json").write_text("[]")
    with pytest.raises(UnreadableRunError, match="can't be read"):
        read_run(tmp_path)


def test_a_link_instead_of_events_is_no_events(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "main.cwl").write_text(TOOL)
    (tmp_path / "job.json").write_text("{}")
    (tmp_path / "options.json").write_text('{"main": "main.cwl"}')
    (tmp_path / "elsewhere").write_text('{"event": "run-ended", "state": "succeeded"}\n')
    (tmp_path / "events.jsonl").symlink_to(tmp_path / "elsewhere")
    assert read_run(tmp_path).state == "running"
    (tmp_path / "events.jsonl").unlink()
    lines = ["no json", "[" * 100_000, '{"event": "job-ended", "job": 3}', '{"event": "run-ended", "state": "failed"}']
    (tmp_path / "events.jsonl").write_text("\n".join([*lines, '{"event": "run-ended", "state": "cut']))
    assert read_run(tmp_path).state == "failed"


ODD: tuple[Any, ...] = (
       None, True, -1, 0, 10**400, float("inf"), 1.79e9, "", "x", "\ud800", "/etc", [], [1, ["a"]], {}, {"a": [{}]},
       {"class": "File"}, {"class": "File", "location": 3}, {"class": "File", "path": "/x", "secondaryFiles": [3]},
       {"class": "Directory", "listing": [{"class": "Directory"}]}, {"\0": "\0"})  # fmt: skip
json_values = st.sampled_from(ODD) | st.dictionaries(
    st.sampled_from(["a", "b", ".."]), st.sampled_from(ODD), max_size=2
)
FIELDS = ("at", "job", "step", "state", "outputs", "inputs", "command", "exit_code", "reason", "image", "try")
events = st.fixed_dictionaries(
    {"event": st.sampled_from(["run-started", "job-started", "job-ended", "run-ended"])},
    optional=dict.fromkeys(FIELDS, json_values),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(events, max_size=6))
def test_whatever_events_say_a_crate_comes_out(told: list[dict[str, Any]]) -> None:
    record = RunRecord({"main.cwl": TOOL}, "main.cwl", {})
    follow(record, told)
    json.dumps(crate_of(record, about_run()).metadata)
