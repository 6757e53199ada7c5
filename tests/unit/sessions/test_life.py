"""A session's life after its launch: activity, warning, end, restart, extension, and its token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from spacelab.accounts.models import ApiToken, Person
from spacelab.datalabs.models import Datalab
from spacelab.kit.refusals import Conflict, Invalid, NotFound, OverQuota
from spacelab.notifications.models import Notification
from spacelab.sessions import actions, queries, upkeep
from spacelab.sessions.models import Session
from spacelab.sessions.secrets import workload_secrets
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Desired, Phase
from support.people import make_person
from support.sessions import idle_since, launch, move

RUNNING = (Phase.STARTING, Phase.RUNNING)
pytestmark = pytest.mark.django_db


@pytest.fixture
def running(scientist: Person, jupyterlab: Datalab) -> Session:
    """Launch a session and bring it up."""
    return move(launch(scientist), *RUNNING)


def wanted(session: Session) -> str:
    """Return what is wanted of the session's workload now."""
    return Workload.objects.get(pk=session.id).desired


def test_an_idle_session_is_warned_of_and_then_stopped_with_the_reason(running: Session) -> None:
    idle_since(running, timedelta(hours=9))
    upkeep.apply_idle_policy()
    assert wanted(running) == Desired.RUN
    assert queries.warned(running.owner) == [running]
    Session.objects.update(warned_at=timezone.now() - timedelta(minutes=31))
    upkeep.apply_idle_policy()
    assert wanted(running) == Desired.STOP
    assert "rule for idle sessions" in Workload.objects.get().stop_reason
    told = Notification.objects.filter(person=running.owner).order_by("pk").values_list("kind", flat=True)
    assert list(told) == ["session-warning", "session-ended"]


def test_what_computes_is_never_stopped(running: Session) -> None:
    idle_since(running, timedelta(hours=90))
    Session.objects.update(warned_at=timezone.now() - timedelta(hours=80))
    Workload.objects.update(active_at=timezone.now() - timedelta(seconds=5))
    upkeep.apply_idle_policy()
    assert wanted(running) == Desired.RUN
    assert queries.warned(running.owner) == []


def test_work_that_shows_between_decision_and_stop_saves_the_session(running: Session) -> None:
    idle_since(running, timedelta(hours=90))
    Session.objects.update(warned_at=timezone.now() - timedelta(hours=1))
    Workload.objects.update(active_at=timezone.now())
    assert not actions.stop_idle(by=upkeep.SYSTEM, session_id=running.id)
    assert wanted(running) == Desired.RUN


def test_a_visit_ends_the_warning(running: Session) -> None:
    idle_since(running, timedelta(hours=9))
    upkeep.apply_idle_policy()
    actions.note_activity(session_id=running.id, because="browser")
    assert queries.warned(running.owner) == []
    idleness = queries.idleness_of(Session.objects.get())
    assert idleness is not None
    assert idleness.words == "a browser tab was open on it"


def test_frequent_notes_write_once(running: Session, django_assert_num_queries: Any) -> None:
    idle_since(running, timedelta(minutes=5))
    actions.note_activity(session_id=running.id, because="browser")
    with django_assert_num_queries(1):
        actions.note_activity(session_id=running.id, because="browser")


def test_extending_keeps_an_idle_session_and_never_shortens(running: Session) -> None:
    idle_since(running, timedelta(hours=9))
    upkeep.apply_idle_policy()
    actions.extend(by=running.owner, session_id=running.id, hours=24)
    actions.extend(by=running.owner, session_id=running.id, hours=4)
    Session.objects.update(warned_at=timezone.now() - timedelta(hours=5))
    upkeep.apply_idle_policy()
    kept = Session.objects.get()
    assert kept.keep_until is not None
    assert kept.keep_until > timezone.now() + timedelta(hours=23)
    assert wanted(running) == Desired.RUN


@pytest.mark.parametrize("hours", [0, -4, 73, 10**9])
def test_an_odd_extension_is_refused(running: Session, hours: int) -> None:
    with pytest.raises(Invalid):
        actions.extend(by=running.owner, session_id=running.id, hours=hours)


def test_what_has_ended_can_t_be_extended(running: Session) -> None:
    move(running, Phase.STOPPED)
    with pytest.raises(Conflict):
        actions.extend(by=running.owner, session_id=running.id, hours=4)


def test_a_restart_waits_for_the_end_and_then_launches_the_same(running: Session) -> None:
    actions.rename(by=running.owner, session_id=running.id, title="Parallaxes")
    actions.restart(by=running.owner, session_id=running.id)
    assert wanted(running) == Desired.STOP
    upkeep.finish_restarts()
    assert Session.objects.count() == 1
    move(running, Phase.STOPPING, Phase.STOPPED)
    upkeep.finish_restarts()
    upkeep.finish_restarts()
    assert Session.objects.count() == 2
    old = Session.objects.get(pk=running.id)
    assert old.restarted_as is not None
    assert (old.restarted_as.title, old.restarted_as.profile) == ("Parallaxes", "small")
    assert not old.restart_wanted


def test_a_restart_holds_its_place_in_the_quota(running: Session, settings: Any) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"quota_sessions": 1})
    actions.restart(by=running.owner, session_id=running.id)
    move(running, Phase.STOPPED)
    with pytest.raises(OverQuota):
        launch(running.owner)
    upkeep.finish_restarts()
    assert queries.running(running.owner).count() == 1


def test_a_restart_that_is_refused_ends_the_wait(running: Session, settings: Any) -> None:
    actions.restart(by=running.owner, session_id=running.id)
    move(running, Phase.STOPPED)
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"disk_reserve_mb": 10**9})
    upkeep.finish_restarts()
    assert not Session.objects.get().restart_wanted


def test_choices_that_don_t_hold_any_more_leave_the_session_running(running: Session) -> None:
    Session.objects.update(volumes=["embargoed"])
    with pytest.raises(Invalid, match="embargoed"):
        actions.restart(by=running.owner, session_id=running.id)
    assert wanted(running) == Desired.RUN
    assert not Session.objects.get().restart_wanted


def test_stopping_ends_a_wish_to_restart(running: Session) -> None:
    actions.restart(by=running.owner, session_id=running.id)
    actions.stop(by=running.owner, session_id=running.id)
    move(running, Phase.STOPPED)
    upkeep.finish_restarts()
    assert Session.objects.count() == 1


def test_others_can_do_nothing_with_it_and_an_operator_only_stop(running: Session, operator: Person) -> None:
    eve = make_person("eve")
    for somebody in (eve, operator):
        with pytest.raises(NotFound):
            actions.extend(by=somebody, session_id=running.id, hours=4)
        with pytest.raises(NotFound):
            actions.rename(by=somebody, session_id=running.id, title="mine")
        with pytest.raises(NotFound):
            actions.restart(by=somebody, session_id=running.id)
    with pytest.raises(NotFound):
        actions.stop(by=eve, session_id=running.id)
    assert wanted(running) == Desired.RUN
    actions.stop(by=operator, session_id=running.id)
    assert wanted(running) == Desired.STOP


def test_a_session_s_token_ends_with_it(running: Session) -> None:
    secrets = workload_secrets(queries.spec_of(running))
    assert secrets["SPACELAB_TOKEN"].startswith("slt_")
    token = ApiToken.objects.get(workload=running.id)
    upkeep.end_tokens()
    token.refresh_from_db()
    assert token.revoked_at is None
    move(running, Phase.STOPPED)
    upkeep.end_tokens()
    token.refresh_from_db()
    assert token.revoked_at is not None
