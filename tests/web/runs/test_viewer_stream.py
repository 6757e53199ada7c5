"""Streams of a run's page and of a job's: only what changed, for those alone who may still look."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.kit.sse import News
from spacelab.runs import viewer_live
from spacelab.runs.models import Run
from spacelab.runs.viewer_live import PAUSE, JobStream, PageStream, seen_of
from spacelab.workloads.rules import Phase
from support import run_pages
from support.people import make_person
from support.sessions import make_team

pytestmark = pytest.mark.usefixtures("quiet_runtime")


def pieces(news: News) -> dict[str, str]:
    """Return the pieces that a look brought: element id → HTML."""
    return {event.data["id"]: event.data["html"] for event in news.events if event.name == "fragment"}


@pytest.fixture
def story(scientist: Person, monkeypatch: pytest.MonkeyPatch) -> run_pages.Story:
    """Be in the middle of a run, where time stands still: what only shows how long something takes never changes."""
    story, now = run_pages.running(scientist), timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    monkeypatch.setattr(viewer_live, "time", SimpleNamespace(time=now.timestamp, monotonic=lambda: 1000.0))
    return story


def test_only_what_changed_is_sent(story: run_pages.Story, scientist: Person) -> None:
    stream = PageStream(scientist.pk, story.run_id, "token")
    first = pieces(stream.look())
    assert {"run-state", "run-notices", "run-steps", "run-timeline", "run-log", "box-detect", "box-report"} <= set(
        first
    )
    assert "run-graph" not in first
    assert pieces(stream.look()) == {}
    story.job("stack", 17, 26)
    story.step_ended("stack", "succeeded", 26)
    story.followed()
    news = stream.look()
    changed = pieces(news)
    assert "box-stack" in changed
    assert changed["box-stack"].startswith("<svg><a ")
    assert 'data-state="succeeded"' in changed["box-stack"]
    assert not {"box-merge", "box-report", "run-state", "run-notices"} & set(changed)
    assert news.pause >= PAUSE
    assert not news.final


def test_what_the_page_has_already_is_not_sent_again(story: run_pages.Story, scientist: Person) -> None:
    seen = seen_of(Run.objects.select_related("workload").get(pk=story.run_id))
    assert set(pieces(PageStream(scientist.pk, story.run_id, "token", seen).look())) <= {"run-log", "run-timeline"}
    story.job("stack", 17, 26)
    story.followed()
    assert "box-stack" in pieces(PageStream(scientist.pk, story.run_id, "token", seen).look())


def test_the_stream_ends_with_the_run(story: run_pages.Story, scientist: Person) -> None:
    stream = PageStream(scientist.pk, story.run_id, "token")
    stream.look()
    story.finish("failed", reason="Enough.")
    story.carried(Phase.FAILED, exit_code=1)
    story.followed()
    news = stream.look()
    assert "Enough." in pieces(news)["run-notices"]
    assert "token" in pieces(news)["run-state"]
    assert news.final


def test_who_may_not_look_any_more_is_sent_nothing(story: run_pages.Story, scientist: Person) -> None:
    ben = make_person("ben")
    Run.objects.filter(pk=story.run_id).update(team=make_team("plasma", scientist, ben))
    page, job = PageStream(ben.pk, story.run_id, ""), JobStream(ben.pk, story.run_id, "detect.2", "")
    assert pieces(page.look())
    assert pieces(job.look())
    Run.objects.filter(pk=story.run_id).update(team=None)
    for stream in (page, job):
        news = stream.look()
        assert news.final
        assert not pieces(news)


def test_a_job_s_log_follows_what_it_prints(story: run_pages.Story, scientist: Person) -> None:
    stream = JobStream(scientist.pk, story.run_id, "detect.2", "token")
    assert "found 214 sources" in pieces(stream.look())["job-logs"]
    assert pieces(stream.look()) == {}
    story.print("detect.2", "found 999 sources\n")
    assert set(changed := pieces(stream.look())) == {"job-logs"}
    assert "found 999 sources" in changed["job-logs"]
    story.job("detect.2", 20, 24)
    story.followed()
    news = stream.look()
    assert {"job-head", "job-facts"} <= set(pieces(news))
    assert news.final


def test_a_run_that_is_deleted_ends_its_streams(story: run_pages.Story, scientist: Person) -> None:
    stream = PageStream(scientist.pk, story.run_id, "")
    Run.objects.get(pk=story.run_id).delete()
    assert stream.look().final


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", ["events", "jobs/detect.2/events"])
def test_streams_are_for_those_who_see_the_run(quiet_runtime: Any, page: str) -> None:
    del quiet_runtime
    ada, eve = make_person("ada"), make_person("eve")
    story = run_pages.running(ada)
    for person, status in ((ada, 200), (eve, 404)):
        client = AsyncClient()
        client.force_login(person)
        answer = async_to_sync(client.get)(f"/runs/{story.run_id}/{page}")
        assert answer.status_code == status
        answer.close()
