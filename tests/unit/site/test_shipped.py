"""Which datalabs of the shipped catalogue a platform offers, with a container engine and without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spacelab.kit.refusals import Invalid
from spacelab.site import preparation, shipped
from support.sessions import QuietRuntime

META = "title: {name}\nalternateName: {name}\nabstract: For tests.\nversion: 1\n"


@pytest.fixture(autouse=True)
def catalogue(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a catalogue: one of the first datalabs, a later one for both runtimes, and three that need an engine."""
    settings.WORKLOAD_RUNTIME = "support.sessions.QuietRuntime"
    settings.CATALOGUE_DIRECTORY = tmp_path
    monkeypatch.setattr(QuietRuntime, "images", False)
    for name, files in {
        "jupyterlab": {},
        "plots": {"requirements.txt": "numpy"},
        "ds9": {"spacelab.yml": "kind: desktop\ncommand: [ds9]"},
        "fv": {"packages.txt": "ftools-fv"},
        "own": {"Dockerfile": "FROM scratch"},
    }.items():
        folder = tmp_path / "datalabs" / name
        folder.mkdir(parents=True)
        for file, text in {"datalab-meta.yml": META.format(name=name), **files}.items():
            (folder / file).write_text(text)
    return tmp_path


def names(folders: Any) -> list[str]:
    return [folder.name for folder in folders]


def choose(settings: Any, *wanted: str) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"catalogue_datalabs": list(wanted)})


def test_without_an_engine_what_needs_one_is_left_out() -> None:
    assert names(shipped.at_start()) == ["jupyterlab", "plots"]
    assert names(shipped.left_out()) == ["ds9", "fv", "own"]
    assert names(shipped.later()) == []


def test_with_an_engine_only_the_first_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuietRuntime, "images", True)
    assert names(shipped.at_start()) == ["jupyterlab"]
    assert names(shipped.later()) == ["ds9", "fv", "own", "plots"]
    assert names(shipped.left_out()) == []


def test_the_settings_choose(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(settings, "plots", "ds9")
    assert names(shipped.at_start()) == ["plots"]
    monkeypatch.setattr(QuietRuntime, "images", True)
    assert (names(shipped.at_start()), names(shipped.later())) == ([], ["ds9", "plots"])


def test_a_name_that_the_catalogue_does_not_have_is_refused(settings: Any) -> None:
    choose(settings, "plots", "plotz")
    task = next(task for task in preparation.tasks() if task.title == "The catalogue's datalabs")
    with pytest.raises(Invalid, match="no datalab “plotz”") as caught:
        task.work(lambda _text: None)
    assert "ds9, fv, jupyterlab" in caught.value.advice


def test_one_that_can_not_be_built_keeps_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuietRuntime, "images", True)
    tried, told = [], []

    def install(package: Path, progress: shipped.Progress) -> None:
        tried.append(package.name)
        progress("step 1")
        if package.name == "fv":
            raise Invalid("No such package.")

    monkeypatch.setattr(shipped, "install", install)
    failed = shipped.install_rest(lambda name, text: told.append((name, text)))
    assert tried == ["ds9", "fv", "own", "plots"]
    assert [(name, refusal.message) for name, refusal in failed] == [("fv", "No such package.")]
    assert ("plots", "") in told
    assert ("fv", "") not in told
