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
        ("# caf\xe9\n", "is not valid TOML"),
        ("database_url = 'mysql://host/name'\n", "database_url: it must look like postgresql://user@host/name"),
    ],
)
def test_a_corrupt_settings_file_is_named(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "spacelab.toml").write_text(content, encoding="latin-1")
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


@pytest.mark.parametrize("command", ["up", "doctor", "prepare"])
def test_a_state_directory_that_cannot_be_one_is_named(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "spacelab", command],
        env={"SPACELAB_STATE": str(tmp_path / "file"), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Spacelab can't go on" in done.stderr
    assert "SPACELAB_STATE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_told_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "spacelab", "prepare"],
        env={
            "SPACELAB_STATE": str(tmp_path),
            "SPACELAB_DATABASE_URL": "postgresql://ada:hidden@127.0.0.1:1/spacelab",
            "SPACELAB_DISK_RESERVE_MB": "0",
            "PATH": "/usr/bin",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "The database can't be used" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hidden" not in done.stderr


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spacelab.toml").write_text("port = 9001\nquota_sessions = 7\n")
    monkeypatch.setenv("SPACELAB_STATE", str(tmp_path))
    monkeypatch.setenv("SPACELAB_PORT", "9002")
    configuration = Configuration()
    assert (configuration.port, configuration.quota_sessions) == (9002, 7)
    assert configuration.portal_url == "http://localhost:9002"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mail_user": "spacelab"}, "belong together"),
        ({"mail_password_file": "/etc/password"}, "belong together"),
        (
            {
                "mail_host": "smtp.example.org",
                "mail_security": "none",
                "mail_user": "spacelab",
                "mail_password_file": "/etc/password",
            },
            "in the clear",
        ),
    ],
)
def test_settings_of_mail_that_make_no_sense_are_refused(values: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=said):
        Configuration(state=tmp_path, **values)


def test_a_mail_server_on_this_machine_may_be_told_a_password_in_the_clear(tmp_path: Path) -> None:
    values: dict[str, Any] = {"mail_host": "127.0.0.1", "mail_user": "a", "mail_password_file": "/etc/password"}
    assert Configuration(state=tmp_path, mail_security="none", **values).usual_mail_port == 25
    assert Configuration(state=tmp_path, mail_security="tls", **values).usual_mail_port == 465
    assert Configuration(state=tmp_path, **values).usual_mail_port == 587
