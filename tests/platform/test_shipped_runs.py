"""Every shipped pipeline that needs no reference server runs on a platform as shipped, and gives its known answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.client import Client
from support.live_runs import demo_client, ended, launch, output
from support.platform import Platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow, pytest.mark.long]
RECORD = "/data/heliophysics/goes/go1520110607.fits"
NEEDS_REFERENCES = ["detector1", "image2", "jwst"]


@pytest.fixture(scope="module")
def client(platform: Platform) -> Iterator[Client]:
    with demo_client(platform) as found:
        yield found


@pytest.fixture(scope="module")
def runs(platform: Platform, client: Client) -> dict[str, dict[str, Any]]:
    """Launch all of them, and wait for their ends."""
    folder = platform.state / "volumes" / "people" / "demo-scientist" / "workspace" / "shipped"
    (folder / "texts").mkdir(parents=True)
    for number in range(1, 4):
        (folder / "texts" / f"{number}.txt").write_text("word " * number)
    (folder / "name.txt").write_text("Ada\n")
    (folder / "table.csv").write_text("name,kind\nM31,galaxy\nM13,cluster\nM33,galaxy\n")

    def file(path: str) -> dict[str, str]:
        return {"class": "File", "location": path if path.startswith("/") else f"/media/user/shipped/{path}"}

    texts = {"class": "Directory", "location": "/media/user/shipped/texts"}
    jobs: dict[str, dict[str, Any]] = {
        "simple": {"message": "to the stars"},
        "timestamp": {"text": file("name.txt"), "seconds": 1},
        "cdr-demo": {"table": file("table.csv"), "column": 2},
        "scatter-gather": {"folder": texts},
        "hello-pipeman": {"name": file("name.txt")},
        "solar-flares": {"record": file(RECORD)},
    }
    begun = {slug: launch(client, slug, job=job) for slug, job in jobs.items()}
    return {slug: ended(client, run, 240) for slug, run in begun.items()}


@pytest.mark.parametrize(
    ("slug", "name", "answer"),
    [
        ("simple", "said.txt", "to the stars\n"),
        ("cdr-demo", "counts.txt", "2 galaxy\n1 cluster\n"),
        ("scatter-gather", "counts.txt", "1\n2\n3\n"),
    ],
)
def test_what_is_shipped_gives_its_known_answer(
    client: Client, runs: dict[str, dict[str, Any]], slug: str, name: str, answer: str
) -> None:
    run = runs[slug]
    assert (run["state"], run["reason"]) == ("succeeded", "")
    assert output(client, run, name) == answer


def test_timestamp_keeps_the_text_between_two_times(client: Client, runs: dict[str, dict[str, Any]]) -> None:
    began, middle, ended_at = output(client, runs["timestamp"], "stamped.txt").splitlines()
    assert middle == "Ada"
    assert began.removeprefix("began ") < ended_at.removeprefix("ended ")


def test_hello_pipeman_draws_with_the_catalogues_step(client: Client, runs: dict[str, dict[str, Any]]) -> None:
    assert runs["hello-pipeman"]["state"] == "succeeded", runs["hello-pipeman"]
    assert len(output(client, runs["hello-pipeman"], "figlet.txt").splitlines()) > 3


def test_solar_flares_finds_the_flare_that_noaa_lists(client: Client, runs: dict[str, dict[str, Any]]) -> None:
    assert runs["solar-flares"]["state"] == "succeeded", runs["solar-flares"]
    flares = json.loads(output(client, runs["solar-flares"], "flares.json"))["flares"]
    assert [(one["class"], one["begin"], one["peak"], one["end"]) for one in flares] == [
        ("M2.5", "06:16", "06:41", "06:59")
    ]


@pytest.mark.parametrize("slug", NEEDS_REFERENCES)
def test_what_needs_reference_files_is_valid_and_says_so(client: Client, slug: str) -> None:
    found = client.api("GET", f"/pipelines/{slug}").raise_for_status().json()
    assert "reference files" in found["abstract"]
    document = client.api("GET", f"/pipelines/{slug}/{found['latest_version']}").raise_for_status().json()
    assert not [one for one in document["problems"] if one["severity"] == "error"]
    assert "exposure" in {one["name"].rstrip("s") for one in document["inputs"]}
