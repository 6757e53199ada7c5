"""A processing thread on a running platform: from its form's inputs to files in the workspace."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import httpx
import pytest

from support.platform import Platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow]
PATIENCE = 60.0


def signed_in(platform: Platform) -> httpx.Client:
    """Return a client of the API that speaks for the demo scientist."""
    address, name = f"http://127.0.0.1:{platform.port}/api/v1", f"localhost:{platform.port}"
    client = httpx.Client(base_url=address, headers={"Host": name}, timeout=30)
    made = client.post("/demo-tokens", json={"username": "demo-scientist"})
    client.headers["Authorization"] = f"Bearer {made.json()['token']}"
    return client


def ended(client: httpx.Client, session: str) -> dict[str, Any]:
    """Wait for a session's end and return what it is then."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        seen: dict[str, Any] = client.get(f"/sessions/{session}").json()
        if seen["phase"] in {"succeeded", "failed", "stopped"}:
            return seen
        time.sleep(0.2)
    raise AssertionError(seen)


def test_a_thread_leaves_its_results_in_the_workspace(platform: Platform) -> None:
    client = signed_in(platform)
    wanted = {"datalab": "sky-explorer", "thread": "nearby", "inputs": {"distance": 5}}
    made = client.post("/sessions", json=wanted)
    assert made.status_code == 201, made.text
    seen = ended(client, made.json()["id"])
    log = client.get(f"/sessions/{seen['id']}/log").text
    assert (seen["phase"], seen["state"]) == ("succeeded", "finished"), log
    assert "the nearest is HIP 71681" in log
    names = {path.rpartition("/")[2]: path for path in seen["results"]}
    assert set(names) == {"stars.csv", "diagram.svg"}
    table = client.get(f"/workspace/files/{names['stars.csv']}").text
    stars = list(csv.DictReader(io.StringIO(table)))
    assert [one["HIP"] for one in stars[:3]] == ["71681", "70890", "71683"]  # Alpha Centauri B, Proxima, Alpha Centauri A
    assert all(float(one["distance_pc"]) < 5 for one in stars)


def test_a_thread_that_fails_says_so_and_keeps_its_log(platform: Platform) -> None:
    client = signed_in(platform)
    inputs = {"table": "/data/hipparcos/README.md"}
    made = client.post("/sessions", json={"datalab": "sky-explorer", "thread": "nearby", "inputs": inputs})
    seen = ended(client, made.json()["id"])
    assert seen["phase"] == "failed"
    assert "exit code 1" in seen["reason"]
    assert "Traceback" in client.get(f"/sessions/{seen['id']}/log").text
    assert seen["results"] == []
