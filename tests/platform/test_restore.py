"""A backup that comes back on an empty machine: what people built is built again from its files, and launches."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.client import Client, Kernel
from support.packages import META, notebook
from support.platform import Platform, running_platform
from support.ports import free_port

pytestmark = [pytest.mark.runtime, pytest.mark.slow, pytest.mark.long]

PATIENCE = 240.0


@pytest.fixture
def place() -> Iterator[Platform]:
    """Run a platform that is gone when its backup is restored."""
    with running_platform() as running:
        yield running


def until_built(client: Client, build: str) -> dict[str, object]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: dict[str, object] = client.api("GET", f"/builds/{build}").raise_for_status().json()
        if found["state"] in {"built", "failed", "cancelled"}:
            break
        time.sleep(0.2)
    assert found["state"] == "built", found
    return found


def test_what_was_built_is_built_again_after_a_restore(place: Platform) -> None:
    client = Client(place, "demo-developer")
    files = [("files", ("stars.ipynb", notebook("import humanize").encode()))]
    files += [("files", ("datalab-meta.yml", META.encode()))]
    build = client.api("POST", "/builds", files=files).raise_for_status().json()["id"]
    client.api("POST", f"/builds/{build}/start", json={}).raise_for_status()
    before = until_built(client, build)
    log = client.api("GET", f"/builds/{build}/log").text
    paper = Path("sboms", f"environment-{before['environment']}.cdx.json")
    deadline = time.monotonic() + PATIENCE
    while not (place.state / paper).exists():  # nobody waits for it, and a backup takes what there is
        assert time.monotonic() < deadline
        time.sleep(0.2)
    file = place.state.with_suffix(".tar.gz")
    assert place.command("backup", str(file)).returncode == 0
    place.stop()
    elsewhere = replace(place, state=place.state.with_name("restored"), port=free_port(), process=None)
    done = elsewhere.command("restore", str(file))
    assert done.returncode == 0, done.stderr
    assert (elsewhere.state / paper).exists()
    assert not (elsewhere.state / "builds" / "cache").exists()
    shutil.rmtree(place.state)  # nothing may be read from there any more
    elsewhere.start()
    try:
        launches(Client(elsewhere, "demo-developer"), build, log)
    finally:
        elsewhere.stop()


def launches(client: Client, build: str, log: str) -> None:
    assert client.api("GET", f"/builds/{build}/log").text == log, "the logs came along"
    again = client.api("GET", "/builds").json()[0]
    assert again["id"] != build
    if again["state"] != "built":
        refused = client.api("POST", "/sessions", json={"datalab": "nearby-stars", "profile": "small"})
        assert (refused.status_code, "being built again" in refused.text) == (409, True), refused.text
    until_built(client, again["id"])
    session = client.launch("nearby-stars", volumes=[])
    said = Kernel(client, session).run(
        "import humanize, pathlib\n"
        "print(humanize.intword(1_000_000), pathlib.Path('/media/user/nearby-stars/stars.ipynb').exists())"
    )
    assert "1.0 million True" in said
