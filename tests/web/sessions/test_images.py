"""What this platform's runtime can't carry is shown as that and refused, and what went wrong is told apart."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab
from spacelab.sessions import queries
from spacelab.sessions.models import Session
from spacelab.workloads.models import Workload
from spacelab.workloads.queries import fault_file
from spacelab.workloads.rules import Phase, Trouble
from support.sessions import QuietRuntime, launch, make_datalab, move


@pytest.fixture
def ada(client: Client, scientist: Person) -> Client:
    """Sign the scientist in."""
    client.force_login(scientist)
    return client


IMAGE: dict[str, Any] = {"environment": "", "image": "localhost/ada_topcat:v1-1", "command": []}


@pytest.mark.parametrize(("images", "fields", "said"), [(False, IMAGE, "engine"), (True, {}, "container image")])
def test_what_can_t_run_here_is_shown_and_refused(
    ada: Client, quiet_runtime: type[QuietRuntime], *, images: bool, fields: dict[str, Any], said: str
) -> None:
    quiet_runtime.images = images
    make_datalab("topcat", **fields)
    assert "run here" in ada.get("/catalogue/").content.decode()
    page = ada.get("/catalogue/topcat/").content.decode()
    assert "This platform" in page
    assert said in page
    assert "/datalabs/topcat/launch" not in page
    assert said in ada.get("/api/v1/datalabs/topcat").json()["versions"][0]["trouble"]
    assert "disabled" in ada.get("/datalabs/topcat/launch").content.decode()
    answer = ada.post("/datalabs/topcat/launch", {"profile": "small"})
    assert answer.status_code == 409
    assert said in answer.content.decode()
    refused = ada.post("/api/v1/sessions", {"datalab": "topcat"}, "application/json")
    assert refused.status_code == 409
    assert "can't be launched here" in refused.json()["detail"]
    assert not Session.objects.exists()


def test_a_version_with_both_gives_each_runtime_its_own(
    scientist: Person, quiet_runtime: type[QuietRuntime], tmp_path: object
) -> None:
    make_datalab("jupyterlab", image="localhost/jupyterlab:1", package=str(tmp_path))
    spec = queries.spec_of(launch(scientist))
    assert (spec.environment, spec.image) == ("base", "")
    assert "/opt/datalab" in {mount.target for mount in spec.mounts}
    quiet_runtime.images = True
    spec = queries.spec_of(launch(scientist))
    assert (spec.environment, spec.image) == ("", "localhost/jupyterlab:1")
    assert "/opt/datalab" not in {mount.target for mount in spec.mounts}


def test_a_newer_version_that_can_t_run_here_leaves_the_older_one(ada: Client, jupyterlab: Datalab) -> None:
    make_datalab("jupyterlab", version="2.0", **IMAGE)
    assert "This platform" not in ada.get("/catalogue/jupyterlab/").content.decode()
    ada.post("/datalabs/jupyterlab/relaunch")
    assert Session.objects.get().version_number == "1.0"
    assert "2.0 (it cannot run here)" in ada.get("/datalabs/jupyterlab/launch").content.decode()


@pytest.mark.parametrize(
    ("trouble", "phases", "said"),
    [
        (Trouble.IMAGE_MISSING, (Phase.STARTING, Phase.FAILED), "Its image is not on this platform."),
        (Trouble.OUT_OF_MEMORY, (Phase.STARTING, Phase.RUNNING, Phase.FAILED), "larger profile"),
        (Trouble.CRASHED, (Phase.STARTING, Phase.FAILED), "It ended while it was starting."),
        (Trouble.UNANSWERED, (Phase.STARTING, Phase.FAILED), "its interface never answered"),
        (Trouble.RUNTIME_AWAY, (Phase.STARTING,), "spacelab doctor"),
    ],
)
def test_each_trouble_says_what_to_do_next(
    ada: Client, scientist: Person, jupyterlab: Datalab, *, trouble: Trouble, phases: tuple[Phase, ...], said: str
) -> None:
    session = move(launch(scientist), *phases, reason="The runtime's own words.")
    Workload.objects.update(trouble=trouble)
    text = ada.get(f"/sessions/{session.id}").content.decode()
    assert said in text
    assert "The runtime&#x27;s own words." in text
    assert ("Choose a larger profile" in text) is (trouble is Trouble.OUT_OF_MEMORY)
    assert ada.get(f"/api/v1/sessions/{session.id}").json()["trouble"] == trouble


def test_a_session_that_lost_a_process_to_memory_goes_on_and_says_so(
    ada: Client, scientist: Person, jupyterlab: Datalab
) -> None:
    session = move(launch(scientist), Phase.STARTING, Phase.RUNNING, reason="One of its processes was ended.")
    Workload.objects.update(trouble=Trouble.OUT_OF_MEMORY)
    text = ada.get(f"/sessions/{session.id}").content.decode()
    for part in ("ran out of memory, and goes on", "One of its processes was ended.", "Choose a larger profile"):
        assert part in text
    assert f"/sessions/{session.id}/open" in text


def test_an_engine_that_is_away_is_said_while_sessions_go_on(
    ada: Client, scientist: Person, jupyterlab: Datalab
) -> None:
    session = move(launch(scientist), Phase.STARTING, Phase.RUNNING)
    fault_file().write_text("Nothing listens at the engine's socket.")
    try:
        text = ada.get(f"/sessions/{session.id}").content.decode()
    finally:
        fault_file().unlink()
    assert "Nothing listens at the engine&#x27;s socket." in text
    assert "Nothing is lost" in text
    assert "Nothing listens" not in ada.get(f"/sessions/{session.id}").content.decode()
