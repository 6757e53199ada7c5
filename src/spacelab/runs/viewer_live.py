"""Streams of server-sent events for what a run looks like: the pieces of its page, and those of one job's page."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from hashlib import sha1
from typing import Any

from django.template.loader import render_to_string

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may_act
from spacelab.kit import sse
from spacelab.kit.refusals import NotFound
from spacelab.runs import progress, queries
from spacelab.runs.models import Run
from spacelab.runs.rules import JobState
from spacelab.runs.viewing import page
from spacelab.runs.viewing.canvas import canvas_of
from spacelab.runs.viewing.jobs import job_context

PAUSE = 0.5
"""Seconds between two looks at least: a page changes twice a second, however much happens."""
SHARE = 4
"""A look that took long is followed by a pause so many times as long, so that no page takes a core for itself."""
SELDOM = 2.0
"""Seconds between two drawings of the timeline, which is the largest piece."""
CLOCK = 5.0
"""Seconds after which a running timeline is drawn anew though nothing happened."""
NEVER_KNOWN = frozenset({"run-log", "run-timeline"})
"""Pieces that change without any event of the run."""
END = sse.News((sse.Event("end", {}),), final=True)


def _seen(person_id: int, run_id: str) -> tuple[Person, Run] | None:
    """Return who looks and the run, if both are still there and she may still see it."""
    person = Person.objects.filter(pk=person_id).first()
    if person is None or not may_act(person):
        return None
    try:
        return person, queries.find_seen(person, run_id)
    except NotFound:
        return None


def _pause(began: float) -> float:
    return max(PAUSE, SHARE * (time.monotonic() - began))


class PageStream:
    """Follows one run for one viewer's page; every look asks again whether the viewer may see it."""

    def __init__(self, person_id: int, run_id: str, csrf_token: str, seen: str = "") -> None:
        self._seen = seen
        self._person_id = person_id
        self._run_id = run_id
        self._csrf_token = csrf_token
        self._sent = sse.Differences()
        self._boxes = sse.Differences()
        self._stamp: Any = None
        self._timeline_at = 0.0

    def look(self) -> sse.News:
        """Return the pieces that changed since the last look."""
        began = time.monotonic()
        seen = _seen(self._person_id, self._run_id)
        if seen is None:
            return END
        person, run = seen
        events: list[sse.Event] = []
        stamp = (*progress.stamp_of(run), None if run.is_final else int(time.time() / CLOCK))
        if stamp != self._stamp:
            self._stamp = stamp
            events = self._changed(run, person)
            if self._seen:
                known, self._seen = self._seen == seen_of(run), ""
                events = [one for one in events if not known or one.data["id"] in NEVER_KNOWN]
        elif not run.is_final:
            events = self._printed(run)
        if run.is_final and not run.followed:
            return sse.News((*events, *END.events), final=True)
        return sse.News(tuple(events), pause=_pause(began))

    def _printed(self, run: Run) -> list[sse.Event]:
        """Return the log's piece if more was printed, which no event of the run tells."""
        context = {"run": run, "tail": page.tail_of(run, None), "log_shown": True}
        changed = self._sent.of({"run-log": render_to_string("runs/_log.html", context)})
        return [sse.Event("fragment", {"id": key, "html": html}) for key, html in changed.items()]

    def _changed(self, run: Run, person: Person) -> list[sse.Event]:
        context = {**progress.context_of(run, person), "csrf_token": self._csrf_token}
        now, parts = time.monotonic(), list(progress.FRAGMENTS)
        if run.is_final or now - self._timeline_at >= SELDOM:
            self._timeline_at = now
        else:
            parts.remove("timeline")
        changed = self._sent.of(progress.fragments_of(context, parts))
        boxes = self._boxes.of(page.boxes_of(context["drawing"]))
        for key, box in boxes.items():
            changed[key] = f"<svg>{render_to_string('pipelines/_graph_box.html', {'box': box})}</svg>"
        return [sse.Event("fragment", {"id": key, "html": html}) for key, html in changed.items()]


def seen_of(run: Run) -> str:
    """Return what a page names to its stream, so that nothing is sent again that the page has already."""
    return sha1(repr(progress.stamp_of(run)).encode(), usedforsecurity=False).hexdigest()[:16]


def page_stream(person_id: int, run_id: str, csrf_token: str, seen: str = "") -> AsyncIterator[bytes]:
    """Stream the pieces of a run's page as they change; `seen` is `seen_of` the run as the page was made."""
    return sse.follow(sse.in_pool(PageStream(person_id, run_id, csrf_token, seen).look))


class JobStream:
    """Follows one job: its state, its figures, and the end of what it prints."""

    def __init__(self, person_id: int, run_id: str, job: str, csrf_token: str) -> None:
        self._person_id = person_id
        self._run_id = run_id
        self._job = job
        self._csrf_token = csrf_token
        self._sent = sse.Differences()

    def look(self) -> sse.News:
        """Return the pieces that changed since the last look; after the job's end, an end."""
        began = time.monotonic()
        seen = _seen(self._person_id, self._run_id)
        if seen is None:
            return END
        person, run = seen
        try:
            job = queries.find_job(run, self._job)
        except NotFound:
            return END
        context = {**job_context(run, job, person), "csrf_token": self._csrf_token}
        changed = self._sent.of(
            {f"job-{name}": render_to_string(f"runs/_job_{name}.html", context) for name in ("head", "logs", "facts")}
        )
        events = tuple(sse.Event("fragment", {"id": key, "html": html}) for key, html in changed.items())
        if job.state != JobState.RUNNING:
            return sse.News((*events, *END.events), final=True)
        return sse.News(events, pause=_pause(began))


def job_stream(person_id: int, run_id: str, job: str, csrf_token: str) -> AsyncIterator[bytes]:
    """Stream the pieces of a job's page as they change."""
    return sse.follow(sse.in_pool(JobStream(person_id, run_id, job, csrf_token).look))


class CanvasStream:
    """Follows one run for the editor's canvas: the state of each step, and what failed."""

    def __init__(self, person_id: int, run_id: str) -> None:
        self._person_id = person_id
        self._run_id = run_id
        self._stamp: Any = None

    def look(self) -> sse.News:
        """Return how far the run is if that changed; after its end, an end."""
        began = time.monotonic()
        seen = _seen(self._person_id, self._run_id)
        if seen is None:
            return END
        _, run = seen
        stamp, events = progress.stamp_of(run), []
        if stamp != self._stamp:
            self._stamp = stamp
            events.append(sse.Event("canvas", canvas_of(run)))
        if run.is_final and not run.followed:
            return sse.News((*events, *END.events), final=True)
        return sse.News(tuple(events), pause=_pause(began))


def canvas_stream(person_id: int, run_id: str) -> AsyncIterator[bytes]:
    """Stream a run's states as the editor draws them."""
    return sse.follow(sse.in_pool(CanvasStream(person_id, run_id).look))
