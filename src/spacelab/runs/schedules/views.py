"""Pages of schedules: the list, one schedule with its history, its form, and the buttons on them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, signed_in
from spacelab.kit.refusals import Refusal
from spacelab.runs import launchables
from spacelab.runs import queries as runs
from spacelab.runs.forms import ChoicesForm
from spacelab.runs.permissions import RunPermission
from spacelab.runs.schedules import actions, queries
from spacelab.runs.schedules.forms import ScheduleForm, initial_of, zones
from spacelab.runs.schedules.rules import State, Trigger
from spacelab.runs.schedules.settling import Asked


@require_safe
def schedules(request: HttpRequest) -> HttpResponse:
    """List the person's schedules; an operator may see everybody's."""
    person = signed_in(request.user)
    everybody = request.GET.get("whose") == "everybody" and may(person, RunPermission.MANAGE_ANY)
    found = queries.all_schedules() if everybody else queries.schedules_of(person)
    context = {
        "schedules": [{"schedule": one, "next": next(iter(queries.next_times(one, 1)), None)} for one in found[:200]],
        "everybody": everybody,
        "sees_all": may(person, RunPermission.MANAGE_ANY),
    }
    return render(request, "runs/schedules.html", context)


@require_safe
def schedule(request: HttpRequest, schedule_id: str) -> HttpResponse:
    """Show one schedule: when it comes next, what it did, and why it stands still if it does."""
    person = signed_in(request.user)
    found = queries.find_seen(person, schedule_id)
    context = {
        "schedule": found,
        "mine": found.owner_id == person.pk,
        "times": queries.next_times(found),
        "history": queries.history(found),
        "busy": queries.unfinished_run(found),
        "waiting": found.watched.filter(taken=False).count() if found.trigger == Trigger.FILES else 0,
        "active": found.state == State.ACTIVE,
    }
    return render(request, "runs/schedule.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a schedule for a pipeline; inputs and choices may come from a saved launch or from a run."""
    person = signed_in(request.user)
    asked = _begin(request, person, slug)
    wanted = launchables.of_catalogue(person, slug, asked.version)
    names = [one.name for one in wanted.document.inputs]
    form, choices, refusal = _forms(request, person, asked, names)
    if request.method == "POST" and (entered := form.asked(slug, choices.chosen)):
        try:
            made = actions.create(by=person, asked=entered)
        except Refusal as refused:
            refusal = _refused(form, choices, refused)
        else:
            messages.success(request, "The schedule is made.")
            return redirect("runs:schedule", made.pk)
    context = {"source": wanted.source, "form": form, "choices": choices, "refusal": refusal, "zones": zones()}
    return render(request, "runs/schedule_form.html", context, status=_status(request))


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, schedule_id: str) -> HttpResponse:
    """Change a schedule."""
    person = signed_in(request.user)
    found = queries.find_seen(person, schedule_id)
    asked = actions.asked_of(found)
    wanted = launchables.of_catalogue(person, found.pipeline_slug, found.version_number)
    names = [one.name for one in wanted.document.inputs]
    form, choices, refusal = _forms(request, person, asked, names)
    if request.method == "POST" and (entered := form.asked(found.pipeline_slug, choices.chosen)):
        try:
            actions.change(by=person, schedule_id=schedule_id, asked=entered)
        except Refusal as refused:
            refusal = _refused(form, choices, refused)
        else:
            messages.success(request, "The schedule is changed.")
            return redirect("runs:schedule", schedule_id)
    context = {"source": wanted.source, "schedule": found, "form": form, "choices": choices, "refusal": refusal}
    return render(request, "runs/schedule_form.html", {**context, "zones": zones()}, status=_status(request))


def _begin(request: HttpRequest, person: Person, slug: str) -> Asked:
    """Fill the form at first: from a saved launch, from a run, or with nothing."""
    version = request.GET.get("version", "")
    if name := request.GET.get("saved", ""):
        saved = runs.find_saved(person, slug, name)
        return Asked(slug, Trigger.TIME, saved.name, version, saved.job, saved.choices)
    if run_id := request.GET.get("run", ""):
        run = runs.find_own(person, run_id)
        kept = {"profile": run.profile, "volumes": run.volumes, "teams": run.teams}
        return Asked(slug, Trigger.TIME, run.title, version, run.job, kept)
    return Asked(slug, Trigger.TIME, version=version)


def _forms(
    request: HttpRequest, person: Person, asked: Asked, inputs: list[str]
) -> tuple[ScheduleForm, ChoicesForm, Refusal | None]:
    data = request.POST if request.method == "POST" else None
    initial = {name: value for name, value in initial_of(asked).items() if value or name == "one_run_each"}
    form = ScheduleForm(data, initial=initial, inputs=inputs)
    choices = ChoicesForm(data, person=person, chosen=dict(asked.choices))
    del choices.fields["title"]
    return form, choices, None


def _refused(form: ScheduleForm, choices: ChoicesForm, refusal: Refusal) -> Refusal | None:
    """Put a refusal at its field; return it where it has none, for the head of the page."""
    if form.refuse(refusal):
        return None
    if refusal.field in choices.fields:
        choices.is_valid()
        choices.add_error(refusal.field, f"{refusal.message} {refusal.advice}".strip())
        return None
    return refusal


def _status(request: HttpRequest) -> int:
    return 422 if request.method == "POST" else 200


@require_POST
def act(request: HttpRequest, schedule_id: str, verb: str) -> HttpResponse:
    """Pause, resume, start once or delete a schedule."""
    person = signed_in(request.user)
    if verb == "delete":
        actions.delete(by=person, schedule_id=schedule_id)
        messages.success(request, "The schedule is deleted. Its runs stay.")
        return redirect("runs:schedules")
    verbs: dict[str, Any] = {"pause": actions.pause, "resume": actions.resume, "run": actions.run_now}
    try:
        done = verbs[verb](by=person, schedule_id=schedule_id)
    except Refusal as refusal:
        if refusal.status in {401, 403, 404}:
            raise
        messages.error(request, f"{refusal.message} {refusal.advice}")
        return redirect("runs:schedule", schedule_id)
    return redirect("runs:detail", done.run_id) if verb == "run" else redirect("runs:schedule", schedule_id)
