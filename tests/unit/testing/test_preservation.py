"""What is published or archived is started again from time to time, and its author hears if it is broken."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.datalabs.actions import SYSTEM, record_evidence
from spacelab.datalabs.models import DatalabVersion, Evidence
from spacelab.datalabs.rules import EvidenceKind
from spacelab.notifications.models import Notification
from spacelab.testing.models import LaunchTest
from spacelab.testing.rules import State
from spacelab.workloads.rules import Phase
from support.launch_tests import built, look, look_around, set_phase, through_the_interface
from support.people import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monthly(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look every month."""
    monkeypatch.setattr(settings.SPACELAB, "preservation_days", 30)


def started(version: DatalabVersion, days: int, *, passed: bool = True) -> None:
    """Note that it was started so long ago."""
    evidence = record_evidence(
        by=SYSTEM, version=version, kind=EvidenceKind.LAUNCH_TEST, passed=passed, summary="…", data={}
    )
    Evidence.objects.filter(pk=evidence.pk).update(at=timezone.now() - timedelta(days=days))


@pytest.mark.parametrize("state", ["published", "superseded", "archived"])
def test_what_was_not_started_for_long_is_looked_at(author: Person, place: Path, state: str, client: Client) -> None:
    version = built(author, place, state=state)
    started(version, 40)
    assert look().kind == EvidenceKind.PRESERVATION
    assert through_the_interface(place).state == State.PASSED
    version.refresh_from_db()
    assert version.state == state, "its state is nothing to a test"
    look_around(3)
    assert LaunchTest.objects.count() == 1
    assert not Notification.objects.exists()
    if state == "published":
        shown = client.get("/catalogue/spectra/").content.decode()
        assert "Last started successfully" in shown
        assert f"{timezone.now():%Y-%m-%d}" in shown.split("Last started successfully")[1].split("</dd>")[0]


def test_a_broken_one_tells_its_author_once_and_is_looked_at_again_after_as_many_days(
    author: Person, place: Path
) -> None:
    version = built(author, place, state="published")
    started(version, 40)
    look(2)
    set_phase(Phase.FAILED, exit_code=1, trouble="crashed", reason="It ended.")
    assert look().state == State.FAILED
    told = Notification.objects.get()
    assert told.kind == "datalab-broken"
    assert "does not start any more" in told.title
    assert told.url == "/author/spectra/1.0/testing"
    look_around(3)
    assert LaunchTest.objects.count() == 1
    LaunchTest.objects.update(ended_at=timezone.now() - timedelta(days=31))
    look_around(1)
    assert LaunchTest.objects.count() == 2


@pytest.mark.parametrize("why", ["recent", "draft", "off"])
def test_what_needs_no_look_gets_none(
    author: Person, place: Path, why: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = built(author, place, state="approved" if why == "draft" else "published")
    if why == "recent":
        started(version, 3)
    if why == "off":
        monkeypatch.setattr(settings.SPACELAB, "preservation_days", 0)
    look_around(2)
    assert not LaunchTest.objects.exists()


def test_what_the_platform_ships_is_started_in_an_operators_name(author: Person, place: Path) -> None:
    version = built(author, place, state="published")
    version.datalab.maintainer = None
    version.datalab.save()
    operator = make_person("otto", "operator")
    test = look(2)
    assert test.workload is not None
    assert test.workload.owner == operator


def test_few_wait_at_once(author: Person, place: Path) -> None:
    version = built(author, place, state="published")
    for number in range(12):
        DatalabVersion.objects.create(datalab=version.datalab, version=f"1.{number + 1}", state="archived")
    look_around(1)
    assert LaunchTest.objects.count() == 5
