"""Lists of contents by the real program: what is installed, and nothing beyond its source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings

from spacelab.images import queries, shelf
from spacelab.images.actions import scanning
from spacelab.images.adapters.syft import Syft, program
from spacelab.kit.refusals import NotFound, Unavailable


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep papers in a folder of the test."""
    monkeypatch.setattr(settings.SPACELAB, "state", tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Make a folder with one installed Python package, one installed npm package and a lock file."""
    folder = tmp_path / "environment"
    site = folder / "lib" / "python3.11" / "site-packages"
    package = site / "left_pad-1.2.3.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: left-pad\nVersion: 1.2.3\nLicense: MIT\n")
    (package / "RECORD").write_text("left_pad.py,,\n")
    module = folder / "lib" / "node_modules" / "lodash"
    module.mkdir(parents=True)
    (module / "package.json").write_text(json.dumps({"name": "lodash", "version": "4.17.20", "license": "MIT"}))
    wanted = {"lockfileVersion": 1, "dependencies": {"not-installed": {"version": "1.0.0"}}}
    (folder / "package-lock.json").write_text(json.dumps(wanted))
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\nversion_info = 3.11.9\n")
    return folder


def test_what_is_installed_is_listed_and_what_is_only_wanted_is_not(environment: Path, state: Path) -> None:
    key = scanning.describe_environment("lab-0123456789", environment)
    assert key == "environment-lab-0123456789"
    document = shelf.get(key, shelf.CONTENTS)
    assert document is not None
    purls = {one["purl"] for one in document["components"]}
    assert purls == {"pkg:pypi/left-pad@1.2.3", "pkg:npm/lodash@4.17.20", "pkg:generic/python@3.11.9"}
    assert document["metadata"]["component"]["name"] == "lab-0123456789"
    assert str(environment) not in json.dumps(document)
    contents = queries.contents(key)
    assert contents is not None
    assert contents.sentence == "3 packages: 1 other, 1 npm, 1 Python"
    assert contents.licences == {"Python-2.0": 1, "MIT": 2}
    kept = sorted(one.name for one in (state / "sboms").iterdir())
    assert kept == ["environment-lab-0123456789.cdx.json", "environment-lab-0123456789.summary.json"]


def test_a_list_is_made_once(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanning.describe_environment("lab-0", environment)
    monkeypatch.setattr(settings, "CATALOGUER", "spacelab.images.adapters.nothing.Nothing")
    assert scanning.describe_environment("lab-0", environment) == "environment-lab-0"


def test_the_same_list_in_spdx(environment: Path, state: Path) -> None:
    key = scanning.describe_environment("lab-0", environment)
    converted = Syft().to_spdx(shelf.paper(key, shelf.CONTENTS), work=state / "sboms")
    assert converted["spdxVersion"] == "SPDX-2.3"
    assert {"left-pad", "lodash"} <= {one["name"] for one in converted["packages"]}


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\0" * 10_240])
def test_what_is_no_image_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    archive, work = tmp_path / "image.tar", tmp_path / "work"
    archive.write_bytes(content)
    work.mkdir()
    with pytest.raises(Unavailable, match="can't be listed"):
        Syft().describe_archive(archive, name="x", version="1", work=work)
    assert not list(work.iterdir())


def test_a_scan_that_takes_too_long_is_ended(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.SPACELAB, "scan_timeout_seconds", 0.01)
    with pytest.raises(Unavailable, match="took more than"):
        Syft().describe_folder(environment, name="x", version="", work=tmp_path)
    here = str(tmp_path).encode()
    assert not [one for one in Path("/proc").glob("[0-9]*/cmdline") if here in told(one)]


def told(command: Path) -> bytes:
    """Return a process's words, none of one that is gone."""
    try:
        return command.read_bytes()
    except OSError:
        return b""


def test_the_program_is_the_one_from_the_wheel() -> None:
    assert program().is_file()


@pytest.mark.parametrize("key", ["../../etc/passwd", "sha256-abc", "environment-../x", "environment-", ""])
def test_keys_of_papers_are_no_paths(key: str) -> None:
    with pytest.raises(NotFound):
        shelf.paper(key, shelf.CONTENTS)
