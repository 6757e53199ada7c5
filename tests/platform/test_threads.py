"""A processing thread on a running platform: from its form's inputs to files in the workspace."""

from __future__ import annotations

import pytest

from support.client import Client
from support.platform import Platform
from support.threads import check_thread, run_thread

pytestmark = [pytest.mark.runtime, pytest.mark.slow]


def test_a_thread_leaves_its_results_in_the_workspace(platform: Platform) -> None:
    check_thread(platform)


def test_a_thread_that_fails_says_so_and_keeps_its_log(platform: Platform) -> None:
    client = Client(platform)
    session = run_thread(client, table="/data/hipparcos/README.md")
    seen = client.wait_for(session, "failed")
    assert "exit code 1" in seen["reason"]
    assert "Traceback" in client.api("GET", f"/sessions/{session}/log").text
    assert seen["results"] == []
