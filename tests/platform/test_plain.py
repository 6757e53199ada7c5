"""A host that forbids every sandbox: the main job works all the same, for one person, and says what is missing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import httpx
import pytest

from support.client import Client
from support.live_runs import GATHER, demo_client, ended, launch, output, put, texts
from support.platform import Platform, running_platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow, pytest.mark.long]

WRITING = "try to write into the archive"


@pytest.fixture(scope="module")
def plain() -> Iterator[Platform]:
    with running_platform(SPACELAB_SANDBOX="plain") as running:
        yield running


def page_of(plain: Platform, address: str) -> str:
    """Sign the demo scientist in and open a page of the portal; return it with single spaces."""
    with httpx.Client(base_url=plain.url, transport=httpx.HTTPTransport(), follow_redirects=True) as browser:
        form = {"username": "demo-scientist", "next": address}
        browser.get("/sign-in/")
        form["csrfmiddlewaretoken"] = browser.cookies["spacelab_csrf"]
        page = browser.post("/sign-in/demo/", data=form)
        return " ".join(page.text.split())


def test_the_main_job_holds_for_one_person_who_is_warned(plain: Platform) -> None:
    done = plain.command("demo", "--json", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    report, _, last = done.stdout.rstrip().rpartition("\n")
    assert last.endswith("the main job works")
    outcome = next(step["outcome"] for step in json.loads(report)["steps"] if step["name"] == WRITING)
    assert outcome.startswith("written, and removed again" if os.geteuid() == 0 else "Permission denied")
    archive = plain.state / "archives" / "hipparcos"
    assert not (archive / "written-by-the-demo").exists()
    assert archive.stat().st_mode & 0o222 == 0
    assert all(entry.stat().st_mode & 0o222 == 0 for entry in archive.rglob("*"))

    client = Client(plain, "demo-developer")
    refused = client.api("POST", "/sessions", json={"datalab": "jupyterlab", "profile": "small"})
    assert refused.status_code == 409
    assert "one person only" in refused.json()["detail"]
    assert "spacelab doctor" in refused.json()["advice"]
    assert client.api("GET", "/sessions").json() == []


def test_the_launch_page_and_the_doctor_say_what_is_missing(plain: Platform) -> None:
    page = page_of(plain, "/datalabs/jupyterlab/launch")
    assert "Sessions run without a sandbox on this host" in page
    assert "without a sandbox" in " ".join(plain.command("doctor").stdout.split())


def test_a_pipeline_runs_without_a_sandbox_and_its_page_says_so(plain: Platform) -> None:
    put(plain, "count-and-gather", GATHER)
    with demo_client(plain) as client:
        job = {"texts": texts(plain, "broken", 3), "seconds": 0, "breaks": "poison"}
        bad = plain.state / "volumes" / "people" / "demo-scientist" / "workspace" / "broken" / "text-001.txt"
        bad.write_text("poison\n")
        run = launch(client, "count-and-gather", job=job)
        assert ended(client, run)["state"] == "failed"
        bad.write_text("a line\na line\n")
        client.api("POST", f"/runs/{run}/resume").raise_for_status()
        found = ended(client, run)
        assert (found["state"], found["problems"]) == ("succeeded", [])
        assert output(client, found, "gathered.txt") == "1\n2\n3\n"
    assert "Runs are without a sandbox on this host" in page_of(plain, "/pipelines/count-and-gather/launch")
    assert "<dt>Isolation</dt><dd>none on this host</dd>" in page_of(plain, f"/runs/{run}/")
