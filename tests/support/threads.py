"""Sky Explorer's processing thread on a running platform, and a check of what it leaves."""

from __future__ import annotations

import csv
import io

from support.client import Client
from support.platform import Platform


def run_thread(client: Client, **inputs: object) -> str:
    """Run Sky Explorer's thread; return the session's id."""
    wanted = {"datalab": "sky-explorer", "thread": "nearby", "inputs": inputs}
    session: str = client.api("POST", "/sessions", json=wanted).raise_for_status().json()["id"]
    return session


def check_thread(platform: Platform) -> None:
    """Run the thread, and check what it leaves."""
    client = Client(platform)
    session = run_thread(client, distance=5)
    seen = client.wait_for(session, "succeeded")
    assert seen["state"] == "finished"
    assert "the nearest is HIP 71681" in client.api("GET", f"/sessions/{session}/log").text
    names = {path.rpartition("/")[2]: path for path in seen["results"]}
    assert set(names) == {"stars.csv", "diagram.svg"}
    table = client.api("GET", f"/workspace/files/{names['stars.csv']}").text
    stars = list(csv.DictReader(io.StringIO(table)))
    assert [one["HIP"] for one in stars[:3]] == ["71681", "70890", "71683"]  # Alpha Centauri B, Proxima, then A
    assert all(float(one["distance_pc"]) < 5 for one in stars)
