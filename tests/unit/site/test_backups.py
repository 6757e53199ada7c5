"""A backup made while people work comes back whole, and can't be tricked into reading the platform's files."""

from __future__ import annotations

import errno
import sqlite3
import tarfile
from pathlib import Path

import pytest

from spacelab.kit.refusals import Conflict, Invalid
from spacelab.site import backups
from spacelab.site.configuration import Configuration


def quiet(_text: str) -> None:
    """Take progress and say nothing."""


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    state = tmp_path / "state"
    workspace = state / "volumes" / "workspace-ada"
    workspace.mkdir(parents=True)
    (workspace / "result.json").write_text('{"distance": 46.4}')
    (workspace / "link").symlink_to("/etc/hostname")
    (state / "secret-key").write_text("secret")
    with sqlite3.connect(state / "spacelab.sqlite3") as database:
        database.execute("create table star (name text)")
        database.execute("insert into star values ('Barnard')")
    return Configuration(state=state, database_url="")  # whichever database the tests themselves run on


def elsewhere(configuration: Configuration, tmp_path: Path) -> Configuration:
    return configuration.model_copy(update={"state": tmp_path / "restored"})


def test_everything_comes_back(configuration: Configuration, tmp_path: Path) -> None:
    backups.save(configuration, tmp_path / "b.tar.gz", quiet)
    target = elsewhere(configuration, tmp_path)
    backups.restore(target, tmp_path / "b.tar.gz", quiet)
    area = target.state / "volumes" / "workspace-ada"
    assert (area / "result.json").read_text() == '{"distance": 46.4}'
    assert (area / "link").readlink() == Path("/etc/hostname")
    assert (target.state / "secret-key").read_text() == "secret"
    with sqlite3.connect(target.state / "spacelab.sqlite3") as database:
        assert database.execute("select name from star").fetchall() == [("Barnard",)]


def test_folders_of_runs_come_back_and_what_was_kept_for_reuse_does_not(
    configuration: Configuration, tmp_path: Path
) -> None:
    for name in ("runs/a/events.jsonl", "runs/a/jobs/count.1/stdout", "run-cache/ada/jobs/a-1/made"):
        (configuration.state / name).parent.mkdir(parents=True)
        (configuration.state / name).write_text("told\n")
    backups.save(configuration, tmp_path / "b.tar.gz", quiet)
    target = elsewhere(configuration, tmp_path)
    backups.restore(target, tmp_path / "b.tar.gz", quiet)
    assert (target.state / "runs/a/events.jsonl").read_text() == "told\n"
    assert (target.state / "runs/a/jobs/count.1/stdout").exists()
    assert not (target.state / "run-cache").exists()


def test_a_link_is_saved_as_a_link_and_its_target_is_not_read(configuration: Configuration, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "key").write_text("the platform's")
    (configuration.state / "volumes" / "workspace-ada" / "folder").symlink_to(secret)
    backups.save(configuration, tmp_path / "b.tar.gz", quiet)
    with tarfile.open(tmp_path / "b.tar.gz") as tar:
        names = tar.getnames()
    assert "volumes/workspace-ada/folder" in names
    assert not [name for name in names if name.endswith("folder/key")]


def test_a_backup_is_private_and_never_overwrites(configuration: Configuration, tmp_path: Path) -> None:
    backups.save(configuration, tmp_path / "b.tar.gz", quiet)
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o077 == 0
    with pytest.raises(Conflict, match="exists already"):
        backups.save(configuration, tmp_path / "b.tar.gz", quiet)


def test_a_restore_never_overwrites_state(configuration: Configuration, tmp_path: Path) -> None:
    backups.save(configuration, tmp_path / "b.tar.gz", quiet)
    with pytest.raises(Conflict, match="already holds"):
        backups.restore(configuration, tmp_path / "b.tar.gz", quiet)


def test_a_cut_or_foreign_file_is_refused(configuration: Configuration, tmp_path: Path) -> None:
    backups.save(configuration, tmp_path / "b.tar.gz", quiet)
    whole = (tmp_path / "b.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "note.txt").write_text("hello")
    target = elsewhere(configuration, tmp_path)
    for name in ("cut.tar.gz", "note.txt", "absent"):
        with pytest.raises(Invalid):
            backups.restore(target, tmp_path / name, quiet)
    assert not list(target.state.iterdir()), "nothing is left behind"
    backups.restore(target, tmp_path / "b.tar.gz", quiet)


def test_a_restore_that_fails_half_way_leaves_the_key_that_was_there(
    configuration: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups.save(configuration, tmp_path / "b.tar.gz", quiet)
    target = elsewhere(configuration, tmp_path)
    target.state.mkdir()
    (target.state / "secret-key").write_text("made a moment ago")

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "makefile", full)
        with pytest.raises(Invalid, match="No space left on device"):
            backups.restore(target, tmp_path / "b.tar.gz", quiet)
    assert [file.name for file in target.state.iterdir()] == ["secret-key"]
    assert (target.state / "secret-key").read_text() == "made a moment ago"
    backups.restore(target, tmp_path / "b.tar.gz", quiet)
    assert (target.state / "secret-key").read_text() == "secret"


def test_a_large_file_keeps_its_content(configuration: Configuration, tmp_path: Path) -> None:
    big = bytes(range(256)) * (backups.WHOLE_FILE // 256) + b"end"
    (configuration.state / "volumes" / "workspace-ada" / "big").write_bytes(big)
    backups.save(configuration, tmp_path / "b.tar.gz", quiet)
    target = elsewhere(configuration, tmp_path)
    backups.restore(target, tmp_path / "b.tar.gz", quiet)
    assert (target.state / "volumes" / "workspace-ada" / "big").read_bytes() == big


@pytest.mark.parametrize("name", ["../escaped", "/escaped-from-a-backup", "volumes/workspace-ada/link/escaped"])
def test_a_forged_backup_writes_nothing_outside(name: str, configuration: Configuration, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = configuration.state / "volumes" / "workspace-ada" / "link"
    link.unlink()
    link.symlink_to(outside)
    backups.save(configuration, tmp_path / "b.tar.gz", quiet)
    with tarfile.open(tmp_path / "b.tar.gz") as good, tarfile.open(tmp_path / "forged.tar.gz", "w:gz") as forged:
        for member in good:
            forged.addfile(member, good.extractfile(member) if member.isreg() else None)
        forged.addfile(tarfile.TarInfo(name))
    target = elsewhere(configuration, tmp_path)
    with pytest.raises(Invalid, match="outside"):
        backups.restore(target, tmp_path / "forged.tar.gz", quiet)
    assert not list(target.state.iterdir())
    assert not list(outside.iterdir())
