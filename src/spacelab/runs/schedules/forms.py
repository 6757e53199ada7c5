"""The form of a schedule: what starts it, what it starts, and what happens to times that it missed."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings

import cwl_graph
from spacelab.kit.refusals import Refusal
from spacelab.runs.choosing import TITLE_LENGTH
from spacelab.runs.forms import AnyChoice
from spacelab.runs.schedules import rules
from spacelab.runs.schedules.rules import Missed, Trigger
from spacelab.runs.schedules.settling import Asked

TRIGGERS = [(Trigger.TIME.value, "At times of a calendar"), (Trigger.FILES.value, "When files arrive in a folder")]
MISSED = [
    (Missed.SKIP.value, "Leave it out"),
    (Missed.ONCE.value, "Make up for all of it with one run"),
    (Missed.EACH.value, f"Make up for each time with a run of its own (the last {rules.MOST_CAUGHT_UP})"),
]
SHARES = [("", "All new files to one run, as a list"), ("on", "Each file to a run of its own")]
LARGEST_JOB = 2**20


class ScheduleForm(forms.Form):
    """All fields of a schedule, whatever starts it; the action refuses what doesn't go together."""

    use_required_attribute = False
    title = forms.CharField(
        label="Title", required=False, max_length=TITLE_LENGTH, help_text="Empty: that of the pipeline."
    )
    version = forms.CharField(
        label="Version", required=False, max_length=40, help_text="Empty: the newest one at each start."
    )
    trigger = AnyChoice(label="What starts it", choices=TRIGGERS, widget=forms.RadioSelect, initial=Trigger.TIME.value)
    cron = forms.CharField(
        label="Times",
        required=False,
        max_length=rules.LONGEST_CRON,
        help_text="Five fields: minute, hour, day of month, month, day of week. 0 6 * * MON-FRI is 6:00 on weekdays.",
    )
    time_zone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=60,
        help_text="UTC, Europe/Madrid …: the times are those of a clock there.",
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
    )
    folder = forms.CharField(
        label="Folder",
        required=False,
        max_length=1000,
        help_text="As runs see it: /data/<volume>/…, /media/user/…, /media/team_workspaces/<team>/…",
    )
    patterns = forms.CharField(
        label="Files",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Patterns, one a line, such as *.fits; empty: all files that are not still being written.",
    )
    with_subfolders = forms.BooleanField(label="Also in folders below it", required=False)
    with_present = forms.BooleanField(
        label="Begin with the files that are there already",
        required=False,
        help_text="Else only what comes from now on.",
    )
    settle_seconds = forms.IntegerField(
        label="Seconds without a change until a file counts as whole",
        required=False,
        min_value=rules.SHORTEST_SETTLE,
        max_value=rules.LONGEST_SETTLE,
        initial=rules.SETTLE_SECONDS,
    )
    input = AnyChoice(label="Input that gets the files", required=False)
    one_run_each = AnyChoice(label="How files are given", choices=SHARES, widget=forms.RadioSelect, required=False)
    missed = AnyChoice(
        label="What it missed",
        choices=MISSED,
        initial=Missed.SKIP.value,
        help_text="While the platform is down, or its last run is still at work.",
    )
    may_overlap = forms.BooleanField(label="Its runs may overlap", required=False)
    job_text = forms.CharField(
        label="Inputs",
        required=False,
        max_length=LARGEST_JOB,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text="The job order in YAML or JSON, as the launcher shows it as text.",
    )

    def __init__(self, *args: Any, inputs: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["input"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  for the types
        field.choices = [("", "none"), *((name, name) for name in inputs)]
        self.fields["time_zone"].initial = settings.TIME_ZONE

    def asked(self, pipeline: str, chosen: dict[str, Any]) -> Asked | None:
        """Return what was entered; None where something can't be read, which then stands at its field."""
        if not self.is_valid():
            return None
        data = self.cleaned_data
        job, problems = (
            cwl_graph.read_job(data["job_text"].replace("\r\n", "\n")) if data["job_text"].strip() else ({}, [])
        )
        for one in problems:
            self.add_error("job_text", f"Line {one.line}: {one.message} {one.advice}")
        if problems:
            return None
        return Asked(
            pipeline=pipeline,
            job=job,
            choices=chosen,
            one_run_each=data["one_run_each"] == "on",
            settle_seconds=data["settle_seconds"] or rules.SETTLE_SECONDS,
            time_zone=data["time_zone"].strip() or settings.TIME_ZONE,
            **{name: data[name] for name in ("trigger", "title", "version", "cron", "missed", "folder", "patterns")},
            **{name: data[name] for name in ("with_subfolders", "with_present", "may_overlap", "input")},
        )

    def refuse(self, refusal: Refusal) -> bool:
        """Put a refusal at the field that it names; say whether there is one."""
        field = "job_text" if refusal.field.startswith("inputs.") or refusal.field == "job" else refusal.field
        if field not in self.fields:
            return False
        self.add_error(field, f"{refusal.message} {refusal.advice}".strip())
        return True


def initial_of(asked: Asked) -> dict[str, Any]:
    """Return what the form shows for a schedule that there is."""
    names = ("trigger", "title", "version", "cron", "time_zone", "missed", "folder", "patterns", "input")
    found = {name: getattr(asked, name) for name in (*names, "with_subfolders", "settle_seconds", "may_overlap")}
    job = {name: value for name, value in asked.job.items() if name != asked.input}
    return {
        **found,
        "one_run_each": "on" if asked.one_run_each else "",
        "job_text": cwl_graph.job_text(job) if job else "",
    }


def zones() -> list[str]:
    """List the time zones that the form offers."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")
