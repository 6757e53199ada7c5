"""Reads for WES: a person's runs page by page, with what each was asked for with."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q

from spacelab.accounts.models import Person
from spacelab.kit.refusals import Invalid
from spacelab.runs import queries
from spacelab.runs.models import Run, RunJob
from spacelab.runs.rules import JobState
from spacelab.runs.wes.models import WesRequest
from spacelab.runs.wes.rules import UnfitRequestError, WesState, page_token, read_page_token, state_of


def wes_state(run: Run) -> WesState:
    """Return how WES calls a run's state."""
    return state_of(
        run.state,
        begun=run.begun >= run.attempt,
        stopping=bool(run.stop_wanted),
        jobs=run.totals,
        trouble=run.trouble,
    )


def request_of(run: Run) -> WesRequest | None:
    """Return what a run was asked for with; None for one that was not launched through WES."""
    return WesRequest.objects.filter(run=run).first()


def runs_page(person: Person, size: int, token: str) -> tuple[list[Run], str]:
    """Return a page of the runs that the person sees, newest first, and the next page's token (empty: no more)."""
    found = queries.visible_to(person).select_related("wes").order_by("-created_at", "-pk")
    if token:
        at, last = _read(token, 2)
        try:
            before = datetime.fromisoformat(at)
        except ValueError:
            raise Invalid("This page_token was not given out.", advice="Begin without one.") from None
        found = found.filter(Q(created_at__lt=before) | Q(created_at=before, pk__lt=last))
    page = list(found[: size + 1])
    more = len(page) > size
    page = page[:size]
    return page, page_token(page[-1].created_at.isoformat(), page[-1].pk) if more else ""


def tasks_page(run: Run, size: int, token: str) -> tuple[list[RunJob], str]:
    """Return a page of a run's jobs in the order in which they began, and the next page's token."""
    found = run.jobs.order_by("number", "pk")
    if token:
        number, last = _read(token, 2)
        if not (number.isascii() and number.isdecimal() and last.isascii() and last.isdecimal() and len(last) < 19):  # noqa: PLR2004  digits of what databases count to
            raise Invalid("This page_token was not given out.", advice="Begin without one.")
        found = found.filter(Q(number__gt=int(number[:9])) | Q(number=int(number[:9]), pk__gt=int(last)))
    page = list(found[: size + 1])
    more = len(page) > size
    page = page[:size]
    return page, page_token(str(page[-1].number), str(page[-1].pk)) if more else ""


def _read(token: str, count: int) -> list[str]:
    try:
        return read_page_token(token, count)
    except UnfitRequestError as unfit:
        raise Invalid(unfit.message, advice=unfit.advice) from unfit


def state_counts(person: Person) -> dict[str, int]:
    """Count the person's own runs by the state that they have now."""
    counts: dict[str, int] = dict.fromkeys(WesState, 0)
    same = ("state", "attempt", "begun", "trouble")
    failed = Exists(RunJob.objects.filter(run=OuterRef("pk"), state=JobState.FAILED))
    found = Run.objects.filter(owner=person).annotate(failed=failed)
    for row in found.values(*same, "stop_wanted", "failed").annotate(count=Count("pk")).order_by():
        state = state_of(
            row["state"],
            begun=row["begun"] >= row["attempt"],
            stopping=bool(row["stop_wanted"]),
            jobs={JobState.FAILED: int(row["failed"])},
            trouble=row["trouble"],
        )
        counts[state] += row["count"]
    return {str(state): count for state, count in counts.items()}
