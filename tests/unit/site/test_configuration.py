"""Wrong settings are refused at the start, in words that say what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from spacelab.site.configuration import Configuration


@pytest.mark.parametrize(
    "reachable",
    [{"bind": "0.0.0.0"}, {"bind": "192.168.1.4"}, {"bind": "::"}, {"portal_url": "https://spacelab.example.org"}],
)
def test_demo_people_are_refused_where_others_can_reach_the_platform(reachable: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="Demo people sign in without a password"):
        Configuration(state=tmp_path, demo=True, **reachable)
    assert Configuration(state=tmp_path, demo=False, **reachable)


def test_a_long_state_path_still_has_short_sockets(tmp_path: Path) -> None:
    configuration = Configuration(state=tmp_path / ("x" * 90))
    assert len(str(configuration.run_directory / "abcdefghijkm" / "main.sock")) < 107
    assert configuration.run_directory == Configuration(state=tmp_path / ("x" * 90)).run_directory


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("colour = 'blue'\n", "there is no setting “colour”"),
        ("port = 'eighty'\n", "port: "),
        ("port = \n", "is not valid TOML"),
    ],
)
def test_a_corrupt_settings_file_is_named(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "spacelab.toml").write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "spacelab", "check"],
        env={"SPACELAB_STATE": str(tmp_path), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spacelab.toml").write_text("port = 9001\nquota_sessions = 7\n")
    monkeypatch.setenv("SPACELAB_STATE", str(tmp_path))
    monkeypatch.setenv("SPACELAB_PORT", "9002")
    configuration = Configuration()
    assert (configuration.port, configuration.quota_sessions) == (9002, 7)
    assert configuration.portal_url == "http://localhost:9002"
