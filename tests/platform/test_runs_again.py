"""Runs with changes on a running platform: what is unchanged is reused, one step runs alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.client import Client
from support.live_runs import GATHER, demo_client, ended, launch, put, starts_of, texts
from support.platform import Platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow]
PIPELINE = "count-and-gather"


@pytest.fixture(scope="module")
def client(platform: Platform) -> Iterator[Client]:
    """Sign somebody in who has a pipeline."""
    put(platform, PIPELINE, GATHER)
    with demo_client(platform) as found:
        yield found


def test_only_what_changed_runs_again(platform: Platform, client: Client) -> None:
    folder = texts(platform, "changing", 3)
    first = ended(client, launch(client, PIPELINE, job={"texts": folder, "seconds": 0.01}))
    assert first["state"] == "succeeded"
    file = platform.state / "volumes" / "people" / "demo-scientist" / "workspace" / "changing" / "text-001.txt"
    file.write_text(file.read_text() + "a line\n")
    made = client.api("POST", f"/runs/{first['id']}/again", json={"profile": "medium"})
    again = ended(client, made.raise_for_status().json()["id"])
    assert (again["state"], again["previous"]) == ("succeeded", first["id"])
    assert [one for one in starts_of(platform, again["id"]) if one.startswith("count.")] == ["count.1"]
    assert next(one["jobs"] for one in again["steps"] if one["id"] == "count") == {"reused": 2, "succeeded": 1}


def test_one_step_runs_alone(client: Client, platform: Platform) -> None:
    folder = texts(platform, "few", 2)
    first = ended(client, launch(client, PIPELINE, job={"texts": folder, "seconds": 0}))
    text = {"class": "File", "location": "/media/user/few/text-001.txt"}
    wanted = {"step": "count", "job": {"text": text, "seconds": 0, "breaks": "nothing"}, "profile": "small"}
    made = client.api("POST", f"/runs/{first['id']}/again", json=wanted)
    found = ended(client, made.raise_for_status().json()["id"])
    assert (found["state"], found["step"]) == ("succeeded", "count")
    assert list(found["outputs"]) == ["counted"]
