"""Credentials of registries: found by host, never told, and never read from a file that others may read."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from spacelab.images.credentials import read_credentials, registry_of
from spacelab.kit.refusals import Invalid

AUTH = base64.b64encode(b"ada:pass:word").decode()
ENTRIES = {
    "registry.example.org": {"username": "ada", "password": "secret"},
    "https://other.example.org:5000/": {"auth": AUTH},
    "https://index.docker.io/v1/": {"auth": AUTH},
    "broken.example.org": {"auth": "bm8gY29sb24="},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write such a file, for its owner's eyes."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"auths": ENTRIES}))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("registry.example.org/lab/sky:v1", ("ada", "secret")),
        ("other.example.org:5000/sky:v1", ("ada", "pass:word")),
        ("library/debian:12", ("ada", "pass:word")),
        ("nowhere.example.org/sky:v1", None),
    ],
)
def test_credentials_are_found_by_the_registry(file: Path, reference: str, found: tuple[str, str] | None) -> None:
    assert read_credentials(file, reference) == found
    assert read_credentials(None, reference) is None


def test_the_registry_is_what_looks_like_a_host() -> None:
    wanted = {"localhost/a:1": "localhost", "a/b:1": "docker.io", "debian": "docker.io", "h:5000/a": "h:5000"}
    assert {name: registry_of(name) for name in wanted} == wanted


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(Invalid, match="Others may read") as refused:
        read_credentials(file, "registry.example.org/a:1")
    assert "chmod 600" in refused.value.advice


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"auths": []}', '{"auths": {"broken.example.org": 3}}'])
def test_a_file_of_another_form_is_refused_without_telling_what_it_holds(file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(Invalid):
        read_credentials(file, "broken.example.org/a:1")


def test_an_entry_that_can_not_be_used_is_named_without_its_secret(file: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"broken\.example\.org") as refused:
        read_credentials(file, "broken.example.org/a:1")
    assert "bm8gY29sb24=" not in refused.value.message
    with pytest.raises(Invalid, match="can't be read"):
        read_credentials(tmp_path / "absent", "a/b:1")
