"""Launch tests with the real process runtime: a notebook's way to being submitted, and one that raises."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.chromium import CHROMIUM
from support.client import Client
from support.packages import META, notebook
from support.platform import Platform, running_platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow]

PATIENCE = 240.0
TERMS = META + "distribution:\n  license: MIT\n"
"""Nothing that a submission needs is missing."""
SUBMIT = (
    "from spacelab.datalabs import actions; from spacelab.datalabs.models import DatalabVersion as V; "
    "v = V.objects.get(datalab__slug='{slug}'); "
    "print(actions.advance(by=v.datalab.maintainer, version=v, transition='submit').state)"
)


@pytest.fixture(scope="module")
def place() -> Iterator[Platform]:
    with running_platform(SPACELAB_BROWSER=CHROMIUM) as running:
        yield running


@pytest.fixture(scope="module")
def client(place: Platform) -> Client:
    return Client(place, "demo-developer")


def build(client: Client, slug: str, *cells: str) -> None:
    named = {"stars.ipynb": notebook(*cells), "datalab-meta.yml": TERMS}
    files = [("files", (name, text.encode())) for name, text in named.items()]
    made = client.api("POST", "/builds", files=files).raise_for_status().json()["id"]
    client.api("POST", f"/builds/{made}/start", json={"short_name": slug}).raise_for_status()
    wait(lambda: client.api("GET", f"/builds/{made}").json(), "state", {"built"}, {"failed", "cancelled"})


def outcome(client: Client, slug: str) -> dict[str, Any]:
    return wait(
        lambda: client.api("GET", f"/launch-tests/{slug}/0.1.0").raise_for_status().json(),
        "state",
        {"passed", "failed", "given-up", "dropped"},
        set(),
    )


def wait(ask: Any, key: str, wanted: set[str], never: set[str]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    found: dict[str, Any] = {}
    while time.monotonic() < deadline:
        found = ask()
        assert found[key] not in never, found
        if found[key] in wanted:
            return found
        time.sleep(0.3)
    raise AssertionError(found)


def test_a_notebook_is_built_passes_its_launch_test_and_is_submitted(client: Client, place: Platform) -> None:
    build(client, "nearby-stars", "import humanize\nhumanize.intword(10**6)", "open('here.txt', 'w').write('x')")
    seen = outcome(client, "nearby-stars")
    assert seen["state"] == "passed", seen
    assert seen["version_state"] == "testing"
    found = seen["evidence"][0]
    data = found["data"]
    assert found["passed"]
    assert data["page"]["status"] == 200
    assert data["page"]["content_type"].startswith("text/html")
    assert data["page"]["size"] > 1000
    assert 0 < data["ready_seconds"] < 120
    assert data["interface_usage"]["memory_bytes"] > 20 * 2**20
    assert data["interface_usage"]["cpu_seconds"] > 0
    assert data["ports"], "it listens somewhere"
    assert data["size_bytes"] > 10**6
    assert [(one["name"], one["passed"]) for one in data["notebooks"]] == [("stars.ipynb", True)]
    pictures = list((place.state / "evidence").glob("*/screenshot.png"))
    assert len(pictures) == 1
    assert pictures[0].stat().st_size > 5000
    assert not (place.state / "volumes" / "people" / "demo-developer" / "workspace" / "nearby-stars").exists()
    submitted = place.command("shell", "-c", SUBMIT.format(slug="nearby-stars"))
    assert submitted.stdout.strip().endswith("submitted"), submitted
    wait(lambda: {"left": str(any((place.state / "tests").iterdir()))}, "left", {"False"}, set())
    assert client.api("GET", "/sessions").json() == [], "a test is nobody's session"


@pytest.mark.long
def test_a_notebook_that_raises_fails_the_test_and_its_cell_is_named(client: Client, place: Platform) -> None:
    build(client, "broken-stars", "stars = 3", "stars / 0")
    seen = outcome(client, "broken-stars")
    assert seen["state"] == "failed", seen
    assert seen["reason"] == "stars.ipynb, code cell 2: ZeroDivisionError: division by zero"
    log = next((place.state / "evidence").glob("*/log.txt"), None)
    assert log is not None
    refused = place.command("shell", "-c", SUBMIT.format(slug="broken-stars"))
    assert refused.returncode != 0
    assert "has not passed its launch test" in refused.stderr
