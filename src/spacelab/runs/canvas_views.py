"""What the pipeline editor asks about test runs: the inputs of a draft, launching it, its states, files to choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.kit import sse
from spacelab.kit.json_views import as_json, problem, sent_object
from spacelab.kit.refusals import Invalid, Refusal, TooLarge
from spacelab.runs import actions, browsing, launchables, queries, shapes, viewer_live
from spacelab.runs.forms import InputsForm
from spacelab.runs.launchables import Launchable
from spacelab.runs.models import Run
from spacelab.runs.viewing.canvas import canvas_of
from spacelab.volumes import actions as volume_actions

LARGEST_REQUEST = 2**20
LONGEST_VALUE = 100_000


@require_http_methods(["GET", "HEAD", "POST"])
@as_json
def trial(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Tell what a test run of a version, or of one step of it, asks for; POST launches it."""
    person = signed_in(request.user)
    volume_actions.ensure_areas(person=person)
    if request.method == "POST":
        return _launch(request, person, slug, version)
    wanted = launchables.of_catalogue(person, slug, version, only_step=request.GET.get("step", ""))
    job, began_from = _last_values(person, wanted)
    form = InputsForm(wanted, job)
    profiles = queries.profiles()
    return JsonResponse(
        {
            "title": wanted.source.title,
            "step": wanted.only_step,
            "hindrances": [_problem(one) for one in wanted.hindrances],
            "fields": _fields(form, job),
            "profiles": [[one.name, f"{one.title}: {one.summary}"] for one in profiles],
            "profile": began_from.profile if began_from else profiles[0].name,
            "from": began_from.pk if began_from else "",
        }
    )


def _launch(request: HttpRequest, person: Person, slug: str, version: str) -> HttpResponse:
    sent = sent_object(request, LARGEST_REQUEST, TooLarge("These inputs are too large.", advice="Name files instead."))
    values, step = sent.get("values"), sent.get("step") or ""
    if not isinstance(values, dict) or not isinstance(step, str):
        raise Invalid("The inputs are missing.", advice="Send `values`.")
    wanted = launchables.of_catalogue(person, slug, version, only_step=step)
    texts = {str(key): one for key, one in values.items() if isinstance(one, str) and len(one) <= LONGEST_VALUE}
    job, _ = shapes.job_of(wanted.document.inputs, texts)
    form = InputsForm(wanted, job)
    errors = [one for one in wanted.findings(person, job) if one.severity == "error"]
    if errors:
        return _refused(form, Invalid("Some inputs are missing or wrong.", advice="Look at the fields."), errors)
    try:
        run = actions.launch(by=person, wanted=wanted, job=job, profile=str(sent.get("profile") or ""))
    except Refusal as refusal:
        if not form.refuse(refusal):
            raise
        return _refused(form, refusal)
    return JsonResponse({"run": canvas_of(run), "events": reverse("runs:canvas", args=[run.pk])}, status=201)


def _refused(form: InputsForm, refusal: Refusal, errors: Any = ()) -> HttpResponse:
    """Answer with what is wrong at each field, and what is wrong beside them."""
    left = form.tell(errors)
    told = {key: " ".join(str(one) for one in found) for key, found in form.errors.items()}
    return problem(refusal, fields=told, problems=[_problem(one) for one in left])


def _problem(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("severity", "message", "advice", "file", "line", "column", "node")}


def _fields(form: InputsForm, job: Mapping[str, Any]) -> list[dict[str, Any]]:
    texts = shapes.texts_of(form.shapes, job)
    return [
        {
            "key": one.key,
            "label": one.label,
            "help": one.help,
            "way": one.way,
            "kind": one.kind if one.way in {"path", "paths"} else "",
            "needed": one.needed,
            "choices": one.choices if one.way == "choice" else [],
            "value": texts.get(one.key, ""),
        }
        for one in form.shapes
    ]


def _last_values(person: Person, wanted: Launchable) -> tuple[dict[str, Any], Run | None]:
    """Return the inputs of the last run of the same, as far as they still fit; else those that the step had in one."""
    slug, step = wanted.source.slug, wanted.only_step
    run = queries.last_of(person, slug, step)
    values: Mapping[str, Any] = run.job if run else {}
    if run is None and step and (whole := queries.last_of(person, slug)) is not None:
        first = queries.jobs_of(whole, step).first()
        values = first.inputs if first else {}
    names = {one.name for one in wanted.document.inputs}
    job = {name: value for name, value in values.items() if name in names and value is not None}
    wrong = {one.node for one in wanted.findings(person, job) if one.severity == "error"}
    return {name: value for name, value in job.items() if name not in wrong}, run


@require_safe
@as_json
def browse(request: HttpRequest) -> HttpResponse:
    """List a folder of the person's files, or the places where one may begin."""
    found = browsing.browse(signed_in(request.user), "", request.GET.get("path", ""))
    entries = [
        {"name": one.name, "path": one.inside, "folder": one.is_folder, "size": one.size} for one in found.entries
    ]
    places = [{"path": path, "title": title} for path, title in found.places]
    told = {"path": found.path, "above": found.above, "trouble": found.trouble}
    return JsonResponse({**told, "places": places, "entries": entries})


async def events(request: HttpRequest, run_id: str) -> StreamingHttpResponse:
    """Stream how far a run is, as the editor draws it."""
    person = signed_in(await request.auser())
    await sse.in_pool(queries.find_seen)(person, run_id)
    return sse.response(viewer_live.canvas_stream(person.pk, run_id))
