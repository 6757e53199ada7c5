"""Each example notebook, run in the JupyterLab environment on the shipped archives, gives the known answer."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from spacelab.builds.actions import build_environment
from spacelab.volumes import making
from support.template import ENVIRONMENTS, borrow

CATALOGUE: Path = settings.CATALOGUE_DIRECTORY
QUESTIONS = [
    (recipe.name, entry)
    for recipe in making.recipes(CATALOGUE)
    if (recipe.folder / "answers.yml").exists()
    for entry in yaml.safe_load((recipe.folder / "answers.yml").read_text())
]
pytestmark = [pytest.mark.runtime, pytest.mark.slow]


@pytest.fixture(scope="module")
def python() -> Path:
    borrow(ENVIRONMENTS, settings.ENVIRONMENTS_DIRECTORY)
    requirements = CATALOGUE / "datalabs" / "jupyterlab" / "requirements.txt"
    name = build_environment(slug="jupyterlab", requirements=requirements, progress=lambda _text: None)
    return Path(settings.ENVIRONMENTS_DIRECTORY) / name / "bin" / "python"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for recipe in making.recipes(CATALOGUE):
        making.make(recipe, root, lambda _text: None)
        assert not making.is_stale(recipe, root)
    return root


def test_every_notebook_has_its_known_answer() -> None:
    shipped = {(file.parts[-3], file.name) for file in (CATALOGUE / "archives").glob("*/Example_Notebooks/*.ipynb")}
    assert shipped == {(volume, entry["notebook"]) for volume, entry in QUESTIONS}


def test_every_archive_has_a_notebook_with_a_known_answer() -> None:
    archives = {recipe.name for recipe in making.recipes(CATALOGUE)}
    assert archives
    assert archives == {volume for volume, _ in QUESTIONS}


@pytest.mark.parametrize(("volume", "entry"), QUESTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_notebook_gives_the_known_answer(
    python: Path, data: Path, tmp_path: Path, volume: str, entry: dict[str, Any]
) -> None:
    notebook = data / volume / "Example_Notebooks" / entry["notebook"]
    argv = [python, "-m", "jupyter", "nbconvert", "--execute", "--to", "notebook", "--output-dir", tmp_path, notebook]
    places = {"SPACELAB_DATA": str(data), "SPACELAB_WORKSPACE": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(argv, env={**os.environ, **places}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads((tmp_path / entry["result"]).read_text())
    assert result[entry["key"]] == pytest.approx(entry["expected"], abs=entry["tolerance"])
    assert result["unit"] == entry["unit"]
    assert (tmp_path / entry["result"]).with_suffix(".png").stat().st_size > 1000
