"""Whatever a person puts into her area, everybody's backup is made and can be restored."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from spacelab.site import backups
from spacelab.site.configuration import Configuration


@pytest.fixture
def state(tmp_path: Path) -> Path:
    state = tmp_path / "state"
    for name in ("mallory", "zoe"):
        (state / "volumes" / name).mkdir(parents=True)
        (state / "volumes" / name / "notes.txt").write_text(name)
    (state / "secret-key").write_text("secret")
    sqlite3.connect(state / "spacelab.sqlite3").close()
    return state


def round_trip(state: Path, tmp_path: Path) -> tuple[Path, list[str]]:
    """Save the state and restore it elsewhere; return where, and what was said."""
    said: list[str] = []
    configuration = Configuration(state=state, database_url="")
    backups.save(configuration, tmp_path / "b.tar.gz", said.append)
    restored = tmp_path / "restored"
    backups.restore(configuration.model_copy(update={"state": restored}), tmp_path / "b.tar.gz", said.append)
    return restored, said


def test_folders_without_end(state: Path, tmp_path: Path) -> None:
    descriptor = os.open(state / "volumes" / "mallory", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d" * 20, dir_fd=descriptor)
        inner = os.open("d" * 20, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    restored, said = round_trip(state, tmp_path)
    assert (restored / "volumes" / "zoe" / "notes.txt").read_text() == "zoe"
    assert any("too deep; left out" in line for line in said)
    subprocess.run(["rm", "-rf", str(state / "volumes" / "mallory")], check=True)  # too deep for Python as well


def test_a_file_of_holes(state: Path, tmp_path: Path) -> None:
    with (state / "volumes" / "mallory" / "huge").open("wb") as file:
        file.truncate(2**42)
    restored, said = round_trip(state, tmp_path)
    assert (restored / "volumes" / "zoe" / "notes.txt").read_text() == "zoe"
    assert any("nearly all holes" in line for line in said)


def test_pipes_sockets_and_names_that_are_no_text(state: Path, tmp_path: Path) -> None:
    area = os.fsencode(state / "volumes" / "mallory")
    os.mkfifo(area + b"/pipe")
    with open(area + b"/\xff\x1b[2J", "w") as file:  # noqa: PTH123  a name in bytes
        file.write("odd")
    restored, _ = round_trip(state, tmp_path)
    assert Path(os.fsdecode(os.fsencode(restored / "volumes" / "mallory") + b"/\xff\x1b[2J")).read_text() == "odd"


def test_what_turns_into_a_link_or_vanishes_during_the_walk(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listdir = os.listdir

    def swap(folder: int) -> list[str]:
        names = listdir(folder)
        notes = state / "volumes" / "mallory" / "notes.txt"
        if "notes.txt" in names and notes.exists() and os.path.samestat(os.fstat(folder), notes.parent.stat()):
            notes.unlink()
        return names

    monkeypatch.setattr(os, "listdir", swap)
    restored, said = round_trip(state, tmp_path)
    assert (restored / "volumes" / "zoe" / "notes.txt").read_text() == "zoe"
    assert any("notes.txt' changed while it was read" in line for line in said)
