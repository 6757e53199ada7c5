"""From what somebody asks of a schedule to what is kept: each part checked as if it were launched now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from django.utils import timezone

from cwl_graph import Type
from spacelab.accounts.models import Person
from spacelab.kit.refusals import Invalid, NotFound
from spacelab.runs import launchables
from spacelab.runs.choosing import TITLE_LENGTH, Wanted, choose
from spacelab.runs.launchables import Launchable
from spacelab.runs.schedules import rules
from spacelab.runs.schedules.rules import Missed, Trigger, UnfitError
from spacelab.runs.schedules.watching import RESULTS, find_folder
from spacelab.runs.untrusted import data
from spacelab.volumes.rules import WORKSPACE

CHOICES = ("profile", "volumes", "teams", "results", "title", "shown_to")


@dataclass(frozen=True)
class Asked:
    """What somebody wants of a schedule, unchecked. `patterns` holds one a line; `choices` are the launcher's."""

    pipeline: str
    trigger: str
    title: str = ""
    version: str = ""
    job: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Any] = field(default_factory=dict)
    cron: str = ""
    time_zone: str = "UTC"
    missed: str = Missed.SKIP
    folder: str = ""
    patterns: str = ""
    with_subfolders: bool = False
    settle_seconds: int = rules.SETTLE_SECONDS
    input: str = ""
    one_run_each: bool = False
    may_overlap: bool = False
    with_present: bool = False
    """Whether files count that are there already."""


def settle(by: Person, asked: Asked) -> dict[str, Any]:
    """Check what is asked for; return the fields of the schedule. Raises `Invalid`, `NotFound` or `Conflict`."""
    wanted = launchables.of_catalogue(by, asked.pipeline, asked.version)
    wanted.check()
    try:
        trigger, missed = _one(Trigger, asked.trigger, "trigger"), _one(Missed, asked.missed, "missed")
        fields = _times(asked) if trigger is Trigger.TIME else _files(by, asked, wanted)
    except UnfitError as unfit:
        raise Invalid(unfit.message, advice=unfit.advice, field=unfit.field) from unfit
    choices = {name: asked.choices[name] for name in CHOICES if asked.choices.get(name)}
    _check_launch(by, asked, wanted, choices, trigger)
    return {
        "title": _title(asked.title) or wanted.source.title,
        "pipeline_slug": wanted.source.slug,
        "version_number": wanted.source.version if asked.version else "",
        "job": dict(asked.job),
        "choices": choices,
        "trigger": trigger,
        "missed": missed,
        "may_overlap": asked.may_overlap,
        **fields,
    }


def _one(kind: type[Any], value: str, where: str) -> Any:
    if value not in {one.value for one in kind}:
        words = ", ".join(one.value for one in kind)
        raise UnfitError(f"“{value[:40]}” is none of the choices.", f"Choose one of {words}.", where)
    return kind(value)


def _title(title: str) -> str:
    cleaned = " ".join("".join(one for one in title if one.isprintable()).split())
    if len(cleaned) > TITLE_LENGTH:
        raise Invalid(f"The title has {len(cleaned)} characters.", advice=f"Use at most {TITLE_LENGTH}.", field="title")
    return cleaned


def _times(asked: Asked) -> dict[str, Any]:
    cron = rules.cleaned_cron(asked.cron)
    rules.zone_of(asked.time_zone)
    nothing = {"folder": "", "patterns": [], "input": "", "with_subfolders": False, "one_run_each": False}
    return {"cron": cron, "time_zone": asked.time_zone, **nothing}


def _files(by: Person, asked: Asked, wanted: Launchable) -> dict[str, Any]:
    patterns = rules.cleaned_patterns(asked.patterns)
    folder = str(PurePosixPath(asked.folder.strip() or "."))
    try:
        watched = find_folder(by, folder)
    except (Invalid, NotFound) as refusal:
        raise Invalid(refusal.message, advice=refusal.advice, field="folder") from refusal
    results = str(asked.choices.get("results") or "").removeprefix(f"{WORKSPACE}/").strip("/")
    written = f"{WORKSPACE}/{results}" if results else RESULTS
    if watched.shown == RESULTS or watched.shown.startswith(f"{RESULTS}/") or _below(written, watched.shown, results):
        raise UnfitError(
            "The outputs of the runs would lie in the watched folder, so each run would start the next one.",
            "Watch another folder, or let the outputs go elsewhere.",
            "folder",
        )
    if not rules.SHORTEST_SETTLE <= asked.settle_seconds <= rules.LONGEST_SETTLE:
        words = f"From {rules.SHORTEST_SETTLE} to {rules.LONGEST_SETTLE} seconds."
        raise UnfitError("So long can't be waited for a file.", words, "settle_seconds")
    _check_input(asked, wanted)
    return {
        "cron": "",
        "folder": watched.shown,
        "patterns": patterns,
        "with_subfolders": asked.with_subfolders,
        "settle_seconds": asked.settle_seconds,
        "input": asked.input,
        "one_run_each": asked.one_run_each,
    }


def _below(written: str, watched: str, results: str) -> bool:
    return bool(results) and (written == watched or written.startswith(f"{watched}/"))


def _check_input(asked: Asked, wanted: Launchable) -> None:
    found = next((one for one in wanted.document.inputs if one.name == asked.input), None)
    if found is None:
        names = ", ".join(one.name for one in wanted.document.inputs) or "none"
        raise UnfitError(f"The pipeline has no input “{asked.input[:60]}”.", f"It has: {names}.", "input")
    if not any(_takes(kind, array=not asked.one_run_each) for kind in (found.type.members or (found.type,))):
        if asked.one_run_each:
            told, advice = (
                f"“{asked.input}” takes no single file.",
                "Give all files to one run, or choose another input.",
            )
        else:
            told, advice = f"“{asked.input}” takes no list of files.", "Let each file have its run, or choose another."
        raise UnfitError(told, advice, "input")


def _takes(kind: Type, *, array: bool) -> bool:
    if not array:
        return kind.kind in {"File", "Any"}
    return kind.kind == "Any" or (kind.array and kind.items is not None and _takes(kind.items.required, array=False))


def _check_launch(by: Person, asked: Asked, wanted: Launchable, choices: Mapping[str, Any], trigger: Trigger) -> None:
    """Check job order and choices as a launch does, without the files that will come."""
    if asked.job and not data(asked.job):
        raise Invalid("This job order can't be kept.", advice="Make it smaller.", field="job")
    job = dict(asked.job)
    if trigger is Trigger.FILES:
        job.pop(asked.input, None)
        findings = [one for one in wanted.findings(by, job) if one.severity == "error" and one.node != asked.input]
        if findings:
            raise launchables.refusal_of(findings[0], len(findings) - 1)
    else:
        job = launchables.check_job(by, wanted, job)
    choose(by, wanted.source, Wanted(**{"job": job, "profile": "", **choices}))


def first_look(fields: Mapping[str, Any]) -> datetime | None:
    """Return when a schedule with these fields is looked at first."""
    now = timezone.now()
    if fields["trigger"] == Trigger.TIME:
        return next(iter(rules.times_after(fields["cron"], fields["time_zone"], now, 1)), None)
    return now
