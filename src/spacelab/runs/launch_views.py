"""The launcher: a form and a job order that are two views of one thing, saved launches, and the launch itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

import cwl_graph
from cwl_graph import Problem
from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.kit.refusals import Refusal
from spacelab.runs import actions, browsing, launchables, queries, shapes
from spacelab.runs.browsing import Browser
from spacelab.runs.forms import ChoicesForm, InputsForm
from spacelab.runs.launchables import Launchable
from spacelab.runs.models import Run
from spacelab.volumes import actions as volume_actions

LARGEST_JOB = 2**20


@dataclass
class Entered:
    """What a launcher's page shows: the job order in either view, what is wrong with it, and an open list of files."""

    job: dict[str, Any] = field(default_factory=dict)
    text: str | None = None
    """The job order as text, in the view that shows it so."""
    problems: list[Problem] = field(default_factory=list)
    browser: Browser | None = None
    chosen: dict[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None

    @property
    def status(self) -> int:
        """How the page is answered."""
        if self.refusal is not None:
            return self.refusal.status
        return 422 if any(one.severity == "error" for one in self.problems) else 200


@require_http_methods(["GET", "HEAD", "POST"])
def launch(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose inputs and launch a pipeline; what is wrong stands at its field, and the form keeps what was entered."""
    person = signed_in(request.user)
    step = request.GET.get("step", "")
    wanted = launchables.of_catalogue(person, slug, request.GET.get("version", ""), only_step=step)
    return _launcher(request, person, wanted)


@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest, run_id: str) -> HttpResponse:
    """Run a run's documents again with changes, or one of its steps alone; unchanged steps are reused."""
    person = signed_in(request.user)
    run = queries.find_seen(person, run_id)
    return _launcher(request, person, launchables.of_run(person, run, only_step=request.GET.get("step", "")))


def _launcher(request: HttpRequest, person: Person, wanted: Launchable) -> HttpResponse:
    volume_actions.ensure_areas(person=person)
    if request.method == "POST":
        answer, entered = _sent(request, person, wanted)
        if answer is not None:
            return answer
    else:
        entered = _begin(request, person, wanted)
    return _page(request, person, wanted, entered)


def _begin(request: HttpRequest, person: Person, wanted: Launchable) -> Entered:
    """Fill the form at first: from a saved launch, from the run that is repeated, or with nothing."""
    if name := request.GET.get("saved", ""):
        saved = queries.find_saved(person, wanted.source.slug, name)
        entered = Entered(job=saved.job, chosen=saved.choices)
    elif wanted.previous is not None:
        entered = Entered(job=_job_of_run(wanted, request.GET.get("job", "")), chosen=_choices_of(wanted.previous))
    else:
        entered = Entered()
    if request.GET.get("view") == "text":
        entered.text = cwl_graph.job_text(entered.job or _blank(wanted))
    return entered


def _job_of_run(wanted: Launchable, job: str) -> dict[str, Any]:
    run = wanted.previous
    assert run is not None  # noqa: S101  the caller looked
    if wanted.only_step and wanted.only_step != run.only_step:
        names = {one.name for one in wanted.document.inputs}
        found = queries.find_job(run, job).inputs if job else {}
        return {name: value for name, value in found.items() if name in names and value is not None}
    return dict(run.job)


def _choices_of(run: Run) -> dict[str, Any]:
    return {"profile": run.profile, "volumes": run.volumes, "teams": run.teams, "title": run.title}


def _blank(wanted: Launchable) -> dict[str, Any]:
    """Return a job order to begin with: what has to be there, empty."""
    return {one.name: None for one in wanted.document.inputs if not one.optional}


def _sent(request: HttpRequest, person: Person, wanted: Launchable) -> tuple[HttpResponse | None, Entered]:
    """Do what the pressed button asks for: return an answer, or what the page shows next."""
    data = request.POST
    entered = _read(request, wanted)
    entered.chosen = ChoicesForm(data, person=person).chosen
    entered.browser = _browser(person, wanted, entered, data)
    button = "" if entered.browser or "pick" in data else data.get("do", "launch")
    errors = any(one.severity == "error" for one in entered.problems)
    if button == "as-text" and entered.text is None:
        entered.text = cwl_graph.job_text(entered.job or _blank(wanted))
    elif button == "as-form" and not errors:
        entered.text = None
    elif button in {"yaml", "json"} and not errors:
        return _download(wanted, entered.job, button), entered
    elif button in {"launch", "save"} and not errors:
        return _done(request, person, wanted, entered, button), entered
    return None, entered


def _read(request: HttpRequest, wanted: Launchable) -> Entered:
    """Take over what was entered, in whichever view, or brought as a file."""
    data, upload = request.POST, request.FILES.get("job_file")
    if upload is not None and data.get("do") == "upload":
        text = upload.read(LARGEST_JOB + 1).decode("utf-8", "replace")
    elif "job_text" in data:
        text = data["job_text"].replace("\r\n", "\n")
    else:
        job, _ = shapes.job_of(wanted.document.inputs, data)
        return Entered(job={**job, **_rest(data.get("rest", ""))})
    if len(text) > LARGEST_JOB:
        problem = Problem("error", "This job order is larger than 1 MiB.", "Name a folder instead of many files.")
        return Entered(text="", problems=[problem])
    job, problems = cwl_graph.read_job(text)
    return Entered(job=job, text=text, problems=list(problems))


def _rest(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _browser(person: Person, wanted: Launchable, entered: Entered, data: Mapping[str, str]) -> Browser | None:
    """Open a list of files, or take over what was chosen from one."""
    if "browse" in data:
        key, path = browsing.read_button(data["browse"])
        return browsing.browse(person, key, path)
    if "pick" in data:
        key, path = browsing.read_button(data["pick"])
        fields = shapes.shapes_of(wanted.document.inputs, entered.job)
        several = any(one.key == key and one.way == "paths" for one in fields)
        changed = {**{name: str(value) for name, value in data.items()}}
        changed[key] = browsing.picked(changed.get(key, ""), path, several=several)
        rest = shapes.rest_of(wanted.document.inputs, entered.job)
        entered.job = {**shapes.job_of(wanted.document.inputs, changed)[0], **rest}
    return None


def _download(wanted: Launchable, job: Mapping[str, Any], style: str) -> HttpResponse:
    text = cwl_graph.job_text(job, "json" if style == "json" else "yaml")
    kind = "application/json" if style == "json" else "application/yaml"
    name = f"{wanted.source.slug}-job.{'json' if style == 'json' else 'yml'}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers=headers)


def _done(
    request: HttpRequest, person: Person, wanted: Launchable, entered: Entered, button: str
) -> HttpResponse | None:
    """Launch or save; a refusal is shown on the page."""
    try:
        if button == "save":
            name = request.POST.get("name", "")
            saved = actions.save_launch(
                by=person,
                slug=wanted.source.slug,
                version=wanted.source.version,
                name=name,
                job=entered.job,
                choices=entered.chosen,
            )
            messages.success(request, f"“{saved.name}” is saved.")
            return None
        entered.problems += wanted.findings(person, entered.job, entered.text or "")
        if entered.status != 200:  # noqa: PLR2004  something is wrong
            return None
        run = actions.launch(by=person, wanted=wanted, job=entered.job, **entered.chosen)
    except Refusal as refusal:
        entered.refusal = refusal
        return None
    return redirect("runs:detail", run.pk)


def _page(request: HttpRequest, person: Person, wanted: Launchable, entered: Entered) -> HttpResponse:
    choices = ChoicesForm(request.POST if request.method == "POST" else None, person=person, chosen=entered.chosen)
    inputs = InputsForm(wanted, entered.job, browser=entered.browser) if entered.text is None else None
    problems = inputs.tell(entered.problems) if inputs is not None else entered.problems
    refusal = entered.refusal
    if refusal is not None:
        text = f"{refusal.message} {refusal.advice}".strip()
        if inputs is not None and inputs.refuse(refusal):
            refusal = None
        elif refusal.field in choices.fields:
            choices.is_valid()
            choices.add_error(refusal.field, text)
            refusal = None
    context = {
        "wanted": wanted,
        "source": wanted.source,
        "previous": wanted.previous,
        "inputs": inputs,
        "choices": choices,
        "text": entered.text,
        "rest": json.dumps(shapes.rest_of(wanted.document.inputs, entered.job)),
        "problems": problems,
        "refusal": refusal,
        "wrong": entered.status not in {200, 304},
        "saved": queries.saved_launches(person, wanted.source.slug),
        "allowed": queries.allowed_room(),
        "used": queries.used_room(person),
        "isolated": queries.are_isolated(),
        "launch_url": reverse("runs:launch", args=[wanted.source.slug]) if wanted.version else "",
    }
    return render(request, "runs/launch.html", context, status=entered.status)


@require_POST
def forget(request: HttpRequest, slug: str) -> HttpResponse:
    """Forget a saved launch."""
    actions.delete_saved(by=signed_in(request.user), slug=slug, name=request.POST.get("name", ""))
    messages.success(request, "It is forgotten.")
    return redirect("runs:launch", slug)


@require_safe
def job_order(request: HttpRequest, run_id: str) -> HttpResponse:
    """Send the job order of a run, as YAML, or as JSON where `style=json` is asked for."""
    run = queries.find_seen(signed_in(request.user), run_id)
    style = "json" if request.GET.get("style") == "json" else "yaml"
    text = cwl_graph.job_text(run.job, "json" if style == "json" else "yaml")
    name = f"{run.pipeline_slug}-{run.pk}.{'json' if style == 'json' else 'yml'}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type=f"application/{style}; charset=utf-8", headers=headers)
