"""Runs on a running platform: a scatter over a folder, control, everything killed on the way, refusals."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.client import Client
from support.live_runs import (
    ENDS,
    GATHER,
    demo_client,
    ended,
    kill_all_of,
    launch,
    output,
    put,
    run_of,
    seen,
    starts_of,
    texts,
)
from support.platform import Platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow]
PIPELINE = "count-and-gather"
MANY = 12


@pytest.fixture(scope="module")
def client(platform: Platform) -> Iterator[Client]:
    """Sign somebody in who has a pipeline."""
    put(platform, PIPELINE, GATHER)
    with demo_client(platform) as found:
        yield found


def until(client: Client, run: str, done: int) -> dict[str, Any]:
    """Wait until so many jobs of a run have succeeded, and it goes on."""
    return next(one for one in seen(client, run) if one["jobs"].get("succeeded", 0) >= done)


def test_a_folder_of_the_workspace_is_scattered_and_gathered(platform: Platform, client: Client) -> None:
    run = ended(client, launch(client, PIPELINE, job={"texts": texts(platform, "few", 4), "seconds": 0}))
    assert (run["state"], run["reason"]) == ("succeeded", "")
    assert output(client, run, "gathered.txt") == "1\n2\n3\n4\n"
    step = {one["id"]: one for one in run["steps"]}["count"]
    assert (step["scatter"], step["count"], step["jobs"]) == (True, 4, {"succeeded": 4})


def test_a_run_is_paused_between_jobs_and_goes_on(platform: Platform, client: Client) -> None:
    run = launch(client, PIPELINE, job={"texts": texts(platform, "many", MANY), "seconds": 0.8})
    until(client, run, 1)
    client.api("POST", f"/runs/{run}/pause").raise_for_status()
    next(one for one in seen(client, run) if one["state"] == "paused" and not one["jobs"].get("running"))
    begun = len(starts_of(platform, run))
    time.sleep(0.8)
    assert len(starts_of(platform, run)) == begun < MANY
    client.api("POST", f"/runs/{run}/unpause").raise_for_status()
    assert ended(client, run)["state"] == "succeeded"


def test_a_stopped_run_is_resumed_and_repeats_nothing_that_was_finished(platform: Platform, client: Client) -> None:
    run = launch(client, PIPELINE, job={"texts": texts(platform, "many", MANY), "seconds": 0.81})
    until(client, run, 4)
    client.api("POST", f"/runs/{run}/stop").raise_for_status()
    stopped = ended(client, run)
    assert (stopped["state"], stopped["reason"]) == ("cancelled", "You stopped it.")
    finished = {one["job"] for one in client.api("GET", f"/runs/{run}/jobs").json() if one["state"] == "succeeded"}
    client.api("POST", f"/runs/{run}/resume").raise_for_status()
    found = ended(client, run)
    assert (found["state"], found["attempt"]) == ("succeeded", 2)
    starts = starts_of(platform, run)
    assert {starts[one] for one in finished if one.startswith("count.")} == {1}
    assert len([one for one in starts if one.startswith("count.")]) == MANY


def goes_on_by_itself(platform: Platform, client: Client, run: str, finished: set[str]) -> None:
    """Wait for the end of a run of which everything was killed, and see that nothing finished was repeated."""
    found = ended(client, run)
    assert (found["state"], found["attempt"]) == ("succeeded", 2), found
    assert {starts_of(platform, run)[one] for one in finished if one.startswith("count.")} == {1}
    assert set(found["jobs"]) <= {"succeeded", "reused"}


def finished_of(client: Client, run: str) -> set[str]:
    return {one["job"] for one in client.api("GET", f"/runs/{run}/jobs").json() if one["state"] == "succeeded"}


def test_a_run_of_which_everything_was_killed_goes_on_by_itself(platform: Platform, client: Client) -> None:
    run = launch(client, PIPELINE, job={"texts": texts(platform, "slow", 8), "seconds": 2})
    until(client, run, 2)  # the list of files, and at least one that was counted
    finished = finished_of(client, run)
    kill_all_of(platform, run)
    goes_on_by_itself(platform, client, run, finished)


@pytest.mark.long
def test_runs_go_on_by_themselves_after_a_restart_of_the_machine(platform: Platform, client: Client) -> None:
    run = launch(client, PIPELINE, job={"texts": texts(platform, "slow", 8), "seconds": 2})
    until(client, run, 2)
    finished = finished_of(client, run)
    platform.stop(sessions=False)
    kill_all_of(platform, run)
    platform.start()
    goes_on_by_itself(platform, client, run, finished)


def test_a_job_that_fails_is_told_and_a_retry_goes_on_from_there(platform: Platform, client: Client) -> None:
    job = {"texts": texts(platform, "broken", 4), "seconds": 0, "breaks": "poison"}
    bad = platform.state / "volumes" / "people" / "demo-scientist" / "workspace" / "broken" / "text-002.txt"
    bad.write_text("poison\n")
    run = launch(client, PIPELINE, job=job)
    found = ended(client, run)
    assert found["state"] == "failed"
    failed = [one for one in client.api("GET", f"/runs/{run}/jobs").json() if one["state"] == "failed"]
    assert [(one["job"], one["exit_code"]) for one in failed] == [("count.2", 7)]
    assert failed[0]["reason"]
    bad.write_text("a line\na line\na line\n")
    client.api("POST", f"/runs/{run}/resume").raise_for_status()
    found = ended(client, run)
    assert found["state"] == "succeeded"
    assert output(client, found, "gathered.txt") == "1\n2\n3\n4\n"


def test_runs_begin_in_turn_when_there_is_room(platform: Platform, client: Client) -> None:
    folder = texts(platform, "few", 4)
    first, second = (launch(client, PIPELINE, job={"texts": folder, "seconds": 300}) for _ in range(2))
    last = launch(client, PIPELINE, job={"texts": folder, "seconds": 0})
    found = run_of(client, last)
    assert (found["state"], found["reason"][:41]) == ("queued", "It waits for its turn: 2 of your runs are")
    client.api("POST", f"/runs/{first}/stop").raise_for_status()
    assert ended(client, last)["state"] == "succeeded"
    assert run_of(client, second)["state"] not in ENDS
    client.api("POST", f"/runs/{second}/stop").raise_for_status()
    assert {ended(client, run)["state"] for run in (first, second)} == {"cancelled"}


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "file:///etc/passwd", "/media/user/../../etc/passwd", "/data/absent/x"]
)
def test_a_file_outside_of_what_the_person_sees_is_refused(client: Client, path: str) -> None:
    put_in = {"texts": {"class": "Directory", "location": path}}
    answer = client.api("POST", "/runs", json={"pipeline": PIPELINE, "job": put_in})
    assert answer.status_code == 422
    assert "texts" in answer.json()["detail"]
