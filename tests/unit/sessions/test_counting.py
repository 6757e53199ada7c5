"""Popularity counts people, and nobody for her own work; statistics count launches that turned out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.sessions import counting, upkeep
from spacelab.sessions.models import LaunchCount, Session
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Phase
from support.people import make_person
from support.sessions import launch, move

READY = (Phase.STARTING, Phase.RUNNING)
pytestmark = pytest.mark.django_db


def use(person: Person, *phases: Phase, seconds: float = 2.0) -> Session:
    """Launch, and come so far; becoming ready takes so many seconds."""
    session = move(launch(person), *phases)
    row = Workload.objects.filter(pk=session.id)
    row.update(created_at=timezone.now() - timedelta(seconds=seconds))
    row.exclude(ready_at=None).update(ready_at=timezone.now())
    upkeep.count_launches()
    move(session, Phase.STOPPED)
    return session


def popularity() -> int:
    upkeep.count_launches()
    return Datalab.objects.get().popularity


def test_people_count_once_and_only_when_it_was_ready(jupyterlab: Datalab, scientist: Person) -> None:
    use(scientist)
    assert popularity() == 0
    for _ in range(3):
        use(scientist, *READY)
    assert popularity() == 1
    use(make_person("bob"), *READY)
    assert popularity() == 2
    assert jupyterlab.versions.get().started_at is not None


def test_an_author_cannot_inflate_her_own(jupyterlab: Datalab, scientist: Person) -> None:
    author = make_person("dora", "developer")
    use(author, *READY)
    assert popularity() == 1
    Datalab.objects.update(maintainer=author)
    for _ in range(3):
        use(author, *READY)
    use(scientist, *READY)
    assert popularity() == 1


def test_sessions_of_drafts_count_nowhere(jupyterlab: Datalab, scientist: Person) -> None:
    Datalab.objects.update(maintainer=scientist)
    DatalabVersion.objects.update(state="built")
    session = use(scientist, *READY)
    assert session.is_test
    DatalabVersion.objects.update(state="published")
    assert popularity() == 0
    assert not LaunchCount.objects.exists()


def test_a_thread_counts_when_it_came_to_its_end(jupyterlab: Datalab, scientist: Person) -> None:
    for phase, people in ((Phase.FAILED, 0), (Phase.SUCCEEDED, 1)):
        session = launch(scientist)
        Session.objects.filter(pk=session.id).update(thread="sum")
        move(session, *READY)
        assert popularity() == 0
        move(session, phase)
        assert popularity() == people
    assert not LaunchCount.objects.exists()


def test_statistics_are_the_median_and_the_rate(jupyterlab: Datalab, scientist: Person) -> None:
    for seconds in (1.0, 2.0, 30.0):
        use(scientist, *READY, seconds=seconds)
    use(scientist, Phase.STARTING, Phase.FAILED)
    use(scientist, Phase.STARTING)  # stopped by its owner before it was ready
    version = jupyterlab.versions.get()
    (one,) = counting.statistics_of([version]).values()
    assert (one.launches, one.percent) == (4, 75)
    assert one.median_seconds == pytest.approx(2.0, abs=0.5)


def test_statistics_forget_what_is_long_ago(
    jupyterlab: Datalab, scientist: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LAST", 2)
    use(scientist, Phase.STARTING, Phase.FAILED)
    (one,) = counting.statistics_of([jupyterlab.versions.get()]).values()
    assert (one.launches, one.median_seconds, one.percent) == (1, None, 0)
    for _ in range(2):
        use(scientist, *READY)
    (one,) = counting.statistics_of([jupyterlab.versions.get()]).values()
    assert (one.launches, one.percent) == (3, 100)


def test_the_datalab_s_page_shows_them(jupyterlab: Datalab, scientist: Person, client: Client) -> None:
    assert 'id="statistics"' not in client.get("/catalogue/jupyterlab/").content.decode()
    use(scientist, *READY, seconds=3)
    page = client.get("/catalogue/jupyterlab/").content.decode()
    assert 'id="statistics"' in page
    assert '<span class="figure">100 %</span>' in page
    assert '<span class="figure">1</span> person, its author apart' in page


def test_the_api_says_the_same_to_whoever_sees_the_datalab(
    jupyterlab: Datalab, scientist: Person, client: Client
) -> None:
    use(scientist, *READY)
    (one,) = client.get("/api/v1/datalabs/jupyterlab/launches").json()
    assert (one["version"], one["launches"], one["percent"]) == ("1.0", 1, 100)
    DatalabVersion.objects.update(visibility="private")
    assert client.get("/api/v1/datalabs/jupyterlab/launches").status_code == 404


def test_a_launch_counts_once_however_often_it_is_looked_at(jupyterlab: Datalab, scientist: Person) -> None:
    session = move(launch(scientist), *READY)
    for _ in range(2):
        counting.count_launch(session_id=session.id)
    assert LaunchCount.objects.get().ready == 1
