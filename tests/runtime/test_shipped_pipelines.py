"""Every shipped pipeline that needs no reference server runs by the platform's executor, and gives its known answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from spacelab.builds.actions import build_environment
from spacelab.datalabs.manifest import read_manifest
from spacelab.pipelines import intake, rules
from spacelab.volumes import making
from support.template import ENVIRONMENTS, borrow

CATALOGUE: Path = settings.CATALOGUE_DIRECTORY
STEPS = {folder.name: intake.read_folder(folder) for folder in sorted((CATALOGUE / "steps").iterdir())}
ONLY_VALID = {"detector1", "image2", "jwst"}
"""They need reference files of a server."""
NAMES = {"figlet": "software/figlet:1.0", "jupyterlab": "datalabs/jupyterlab:1.0.0"}
"""The environments as steps name them."""
pytestmark = [pytest.mark.runtime]


def whole(slug: str) -> rules.Bundle:
    files = intake.read_folder(CATALOGUE / "pipelines" / slug)
    named = [one for path, text in files.items() for one in rules.references(text, path)]
    used = {one.path: STEPS[one.slug][f"{one.slug}.cwl"] for one in named}
    return rules.Bundle({**files, **used}, rules.main_of(files, "", slug))


def run(slug: str, job: dict[str, Any], tmp_path: Path, **environments: Path) -> dict[str, Any]:
    """Run a pipeline in a run's folder as the platform makes it, and return its outputs."""
    bundle = whole(slug)
    folder = tmp_path / "run"
    for path, text in bundle.files.items():
        file = folder / "bundle" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    results = tmp_path / "results"
    results.mkdir()
    known = {NAMES[name]: str(place) for name, place in environments.items()}
    options = {"main": bundle.main, "outdir": str(results), "cache": str(tmp_path / "cache"), "environments": known}
    (folder / "options.json").write_text(json.dumps({**options, "roots": [str(tmp_path), str(folder)]}))
    (folder / "job.json").write_text(json.dumps(job))
    command = [str(Path(sys.executable).with_name("spacelab-cwl")), "run", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert ended.returncode == 0, json.dumps([ended.stderr[-2000:], *events[-4:]])
    assert events[-1]["event"] == "run-ended"
    outputs: dict[str, Any] = events[-1]["outputs"]
    return outputs


def place_of(output: dict[str, Any]) -> Path:
    return Path(str(output.get("path") or output["location"]).removeprefix("file://"))


def file_at(path: Path) -> dict[str, str]:
    return {"class": "File", "location": str(path)}


def test_simple_says_what_it_is_told(tmp_path: Path) -> None:
    outputs = run("simple", {"message": "to the stars"}, tmp_path)
    assert place_of(outputs["said"]).read_text() == "to the stars\n"


def test_timestamp_waits_and_keeps_the_text_between_two_times(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("middle\n")
    outputs = run("timestamp", {"text": file_at(tmp_path / "text.txt"), "seconds": 1}, tmp_path)
    began, middle, ended = place_of(outputs["stamped"]).read_text().splitlines()
    assert middle == "middle"
    assert began.removeprefix("began ") < ended.removeprefix("ended ")


def test_cdr_demo_keeps_what_its_first_step_made(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("name,kind\nM31,galaxy\nM13,cluster\nM33,galaxy\n")
    outputs = run("cdr-demo", {"table": file_at(tmp_path / "table.csv"), "column": 2}, tmp_path)
    assert place_of(outputs["column_values"]).read_text() == "galaxy\ncluster\ngalaxy\n"
    assert place_of(outputs["counts"]).read_text() == "2 galaxy\n1 cluster\n"


def test_scatter_gather_finds_out_how_many_files_there_are(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    for number in range(1, 6):
        (texts / f"{number}.txt").write_text("word " * number)
    (texts / "left.out").write_text("not counted")
    outputs = run("scatter-gather", {"folder": {"class": "Directory", "location": str(texts)}}, tmp_path)
    assert place_of(outputs["counts"]).read_text().split() == ["1", "2", "3", "4", "5"]


@pytest.fixture(scope="module")
def figlet() -> Path:
    borrow(ENVIRONMENTS, settings.ENVIRONMENTS_DIRECTORY)
    requirements = CATALOGUE / "software" / "figlet" / "requirements.txt"
    name = build_environment(slug="figlet", requirements=requirements, progress=lambda _text: None)
    return Path(settings.ENVIRONMENTS_DIRECTORY) / name


def test_hello_pipeman_draws_the_greeting_with_the_catalogues_step(tmp_path: Path, figlet: Path) -> None:
    (tmp_path / "name.txt").write_text("Ada\nand more\n")
    outputs = run("hello-pipeman", {"name": file_at(tmp_path / "name.txt")}, tmp_path, figlet=figlet)
    drawn = place_of(outputs["letters"]).read_text()
    expected = subprocess.run(
        [str(figlet / "bin" / "pyfiglet"), "-f", "standard", "-w", "80", "Hello Ada"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert drawn == expected.stdout
    assert len(drawn.splitlines()) > 3


@pytest.fixture(scope="module")
def jupyterlab() -> Path:
    requirements = CATALOGUE / "datalabs" / "jupyterlab" / "requirements.txt"
    borrow(ENVIRONMENTS, settings.ENVIRONMENTS_DIRECTORY)
    name = build_environment(slug="jupyterlab", requirements=requirements, progress=lambda _text: None)
    return Path(settings.ENVIRONMENTS_DIRECTORY) / name


@pytest.mark.slow
def test_solar_flares_finds_the_m2_5_flare_of_7_june_2011(tmp_path: Path, jupyterlab: Path) -> None:
    """NOAA's list of events has it: M2.5, from 06:16 to 06:59, with its peak at 06:41."""
    recipe = next(one for one in making.recipes(CATALOGUE) if one.name == "heliophysics")
    making.make(recipe, tmp_path / "data", lambda _text: None)
    record = tmp_path / "data" / "heliophysics" / "goes" / "go1520110607.fits"
    outputs = run("solar-flares", {"record": file_at(record)}, tmp_path, jupyterlab=jupyterlab)
    flares = json.loads(place_of(outputs["flares"]).read_text())["flares"]
    assert [(one["class"], one["begin"], one["peak"], one["end"]) for one in flares] == [
        ("M2.5", "06:16", "06:41", "06:59")
    ]
    assert place_of(outputs["picture"]).read_bytes().startswith(b"\x89PNG")


def test_nothing_shipped_is_left_out_here() -> None:
    shipped = {folder.name for folder in (CATALOGUE / "pipelines").iterdir()}
    tested = {"simple", "timestamp", "cdr-demo", "scatter-gather", "hello-pipeman", "solar-flares"}
    assert shipped == tested | ONLY_VALID


def test_steps_name_software_that_is_shipped() -> None:
    lab = read_manifest(CATALOGUE / "datalabs" / "jupyterlab")
    offered = {f"software/{folder.name}:1.0" for folder in (CATALOGUE / "software").iterdir()}
    offered |= {f"datalabs/jupyterlab:{lab.version}", "software/jwst:1.0"}
    named = [one for slug in ("solar-flares", "detector1", "jwst") for one in rules.software_names(whole(slug).files)]
    named += rules.software_names(STEPS["figlet"])
    assert set(named) == offered
