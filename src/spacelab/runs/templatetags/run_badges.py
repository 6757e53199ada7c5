"""How pages of runs put states, values and commands into words."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from django import template

from spacelab.runs.models import Run, RunJob
from spacelab.runs.progress import Badge, badge_of
from spacelab.runs.progress import job_badge as badge_of_job
from spacelab.runs.viewing import states

register = template.Library()

LONGEST_VALUE = 400
MOST_ITEMS = 5


@register.filter
def job_badge(job: RunJob) -> Badge:
    """Say how a job is."""
    return badge_of_job(job.state)


@register.filter
def run_tone(run: Run) -> str:
    """Say in which tone a run's state is shown."""
    return badge_of(run).tone


@register.filter
def in_time(seconds: float | None) -> str:
    """Write a time in at most two units."""
    return "" if seconds is None else states.duration(seconds)


@register.filter
def in_bytes(number: float | None) -> str:
    """Write a number of bytes with three figures."""
    return "" if number is None else states.size(number)


@register.filter
def in_percent(share: float | None) -> str:
    """Write a share between 0 and 1."""
    return "" if share is None else states.percent(share)


@register.filter
def figure(value: float | None) -> str:
    """Write a measured value with five figures."""
    return "" if value is None else f"{value:.5g}"


@register.filter
def job_value(value: Any) -> str:
    """Write an input or output: files by their paths, long lists by their beginning."""
    words = _words(value)
    return words if len(words) <= LONGEST_VALUE else f"{words[: LONGEST_VALUE - 1]}…"


def _words(value: Any) -> str:
    if isinstance(value, Mapping) and value.get("class") in {"File", "Directory"}:
        place = str(value.get("location") or value.get("path") or value.get("basename") or value["class"])
        return unquote(place.removeprefix("file://"))
    if isinstance(value, list):
        shown = ", ".join(_words(one) for one in value[:MOST_ITEMS])
        return f"{shown}, … ({len(value)} in all)" if len(value) > MOST_ITEMS else shown
    if isinstance(value, str):
        return value
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


@register.filter
def shell_line(job: RunJob) -> str:
    """Write a job's command as a shell would take it."""
    return shlex.join(str(word) for word in job.command)
