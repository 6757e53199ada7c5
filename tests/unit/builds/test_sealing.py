"""What a build's sandbox left is the platform's own afterwards, whatever a hostile build put there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from spacelab.builds.adapters import sealing
from spacelab.kit.refusals import Invalid

LARGE = 2**30


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made" / "environment"
    for name in ("bin", "lib/python3.11/site-packages/tool", "share"):
        (folder / name).mkdir(parents=True)
    (folder / "lib64").symlink_to("lib")
    (folder / "lib/python3.11/site-packages/tool/__init__.py").write_text("x = 1\n")
    (folder / "pyvenv.cfg").write_text("home = /nowhere\n")
    return folder


def test_the_interpreter_is_the_platforms_whatever_the_build_says(made: Path, tmp_path: Path) -> None:
    secret = tmp_path / "state"
    (secret / "bin").mkdir(parents=True)
    (secret / "bin" / "python").write_text("#!/bin/sh\n")
    (made / "bin" / "python").symlink_to(secret / "bin" / "python")
    (made / "bin" / "python3").write_text("#!/bin/sh\n")
    (made / "pyvenv.cfg").unlink()
    (made / "pyvenv.cfg").symlink_to(secret / "pyvenv.cfg")
    sealing.seal(made, largest=LARGE)
    interpreter = Path(sealing.base_interpreter())
    assert (made / "bin" / "python").resolve() == interpreter.resolve()
    assert (made / "bin" / "python3").resolve() == interpreter.resolve()
    assert f"home = {interpreter.parent}" in (made / "pyvenv.cfg").read_text()
    assert not (secret / "pyvenv.cfg").exists()
    assert sealing.is_sealed(made)
    assert sealing.size_of(made) > 0


def test_links_that_lead_out_go_and_those_inside_stay(made: Path, tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("secret")
    package = made / "lib/python3.11/site-packages"
    (package / "METADATA").symlink_to(tmp_path / "secret-key")
    (package / "up").symlink_to("../../../../..")
    (package / "first").symlink_to("second")
    (package / "second").symlink_to("/etc")
    (package / "alias.py").symlink_to("tool/__init__.py")
    sealing.seal(made, largest=LARGE)
    assert {one.name for one in package.iterdir()} - {"first"} == {"alias.py", "tool"}
    assert not (package / "first").exists()
    assert (made / "lib64").is_symlink()


def test_odd_files_and_rights_are_gone(made: Path) -> None:
    os.mkfifo(made / "lib" / "pipe")
    tool = made / "bin" / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o6777)
    closed = made / "lib" / "closed"
    closed.mkdir()
    (closed / "inside").symlink_to("/etc/passwd")
    closed.chmod(0o000)
    sealing.seal(made, largest=LARGE)
    assert not (made / "lib" / "pipe").exists()
    assert stat.S_IMODE(tool.stat().st_mode) == 0o755
    assert not (closed / "inside").is_symlink()
    assert stat.S_IMODE((made / "lib/python3.11/site-packages/tool/__init__.py").stat().st_mode) == 0o644


def test_the_platforms_files_never_land_elsewhere(made: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (made / "share").rmdir()
    (made / "share").symlink_to(elsewhere)
    source = tmp_path / "start.py"
    source.write_text("start")
    sealing.seal(made, largest=LARGE)
    (made / "share").unlink(missing_ok=True)
    (made / "share").symlink_to(elsewhere)
    sealing.add(made, "share/spacelab", {"base/start.py": source})
    assert list(elsewhere.iterdir()) == []
    assert (made / "share/spacelab/base/start.py").read_text() == "start"


def test_no_environment_or_one_that_is_too_large_is_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no environment"):
        sealing.seal(tmp_path / "none", largest=LARGE)
    (tmp_path / "link").symlink_to(made)
    with pytest.raises(Invalid, match="no environment"):
        sealing.seal(tmp_path / "link", largest=LARGE)
    with pytest.raises(Invalid, match="more than a build may make"):
        sealing.seal(made, largest=3)
    assert not sealing.is_sealed(made)


def test_it_appears_whole_and_a_second_one_changes_nothing(made: Path, tmp_path: Path) -> None:
    sealing.seal(made, largest=LARGE)
    target = tmp_path / "environments" / "ada-tool-0"
    (target / "half").mkdir(parents=True)
    sealing.move(made, target)
    assert sealing.is_sealed(target)
    assert not (target / "half").exists()
    (tmp_path / "made" / "environment").mkdir()
    sealing.move(tmp_path / "made" / "environment", target)
    assert (target / "bin" / "python").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's files can be lent without being changed")
def test_a_clone_shares_its_files_and_may_not_change_them(made: Path, tmp_path: Path) -> None:
    sealing.seal(made, largest=LARGE)
    clone = tmp_path / "clone"
    assert sealing.clone(made, clone, 64200)
    original = made / "lib/python3.11/site-packages/tool/__init__.py"
    copied = clone / "lib/python3.11/site-packages/tool/__init__.py"
    assert copied.stat().st_ino == original.stat().st_ino
    assert (copied.stat().st_uid, copied.stat().st_mode & 0o022) == (0, 0)
    assert copied.parent.stat().st_uid == 64200
    assert not sealing.is_sealed(clone)
