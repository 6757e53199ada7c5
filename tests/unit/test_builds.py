"""Environments: their names, and that one works from wherever it is seen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from spacelab.builds.actions import build_environment
from spacelab.builds.rules import advice_after_failure, environment_name, explain_failure
from spacelab.kit.refusals import Invalid, Unavailable


def test_a_name_follows_what_is_needed_and_nothing_else() -> None:
    name = environment_name("lab", "b==2\na==1\n", "3.11.7")
    assert name == environment_name("lab", "# why\na==1  # because\n\nb==2", "3.11.7")
    assert name.startswith("lab-")
    assert name != environment_name("lab", "b==2\na==1\n", "3.12.0")
    assert name != environment_name("lab", "b==3\na==1\n", "3.11.7")


def test_an_environment_is_built_once_and_may_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "ENVIRONMENTS_DIRECTORY", tmp_path / "environments")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("h11==0.16.0\nuvicorn==0.54.0\nclick\n")
    said: list[str] = []
    name = build_environment(slug="lab", requirements=requirements, progress=said.append)
    assert said
    moved = (settings.ENVIRONMENTS_DIRECTORY / name).rename(tmp_path / "seen-elsewhere")
    for argv in (["python", "-c", "import h11"], ["uvicorn", "--version"]):
        assert subprocess.run([moved / "bin" / argv[0], *argv[1:]], check=False, capture_output=True).returncode == 0
    moved.rename(settings.ENVIRONMENTS_DIRECTORY / name)
    said.clear()
    assert build_environment(slug="lab", requirements=requirements, progress=said.append) == name
    assert not said


def test_what_can_not_be_had_is_named_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "ENVIRONMENTS_DIRECTORY", tmp_path / "environments")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("h11==0.0.999\n")
    with pytest.raises(Unavailable, match="h11"):
        build_environment(slug="lab", requirements=requirements, progress=lambda _text: None)
    assert [one for one in settings.ENVIRONMENTS_DIRECTORY.iterdir() if one.is_dir()] == []
    with pytest.raises(Invalid):
        build_environment(slug="lab", requirements=tmp_path / "none.txt", progress=lambda _text: None)


def test_a_full_disk_is_not_blamed_on_a_package() -> None:
    output = (
        "warning: Failed to hardlink files; falling back to full copy. This may lead to degraded performance.\n"
        "         If the cache and target directories are on different filesystems, hardlinking may not work.\n"
        "error: Failed to install: babel-2.18.0-py3-none-any.whl (babel==2.18.0)\n"
        "  Caused by: failed to copy file: No space left on device (os error 28)\n"
    )
    assert advice_after_failure(output).startswith("Free some space")
    assert "Check the package's name" in advice_after_failure("no version of h11==0.0.999")
    assert explain_failure(output).startswith("error: Failed to install: babel")


def test_an_override_leaves_out_what_another_package_asks_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "ENVIRONMENTS_DIRECTORY", tmp_path / "environments")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("uvicorn==0.54.0\n")
    whole = build_environment(slug="lab", requirements=requirements, progress=lambda _text: None)
    (tmp_path / "overrides.txt").write_text('click ; python_version < "3"\n')
    less = build_environment(slug="lab", requirements=requirements, progress=lambda _text: None)
    found = {
        name: list((settings.ENVIRONMENTS_DIRECTORY / name).glob("lib/*/site-packages/click")) for name in (whole, less)
    }
    assert found[whole]
    assert not found[less]
