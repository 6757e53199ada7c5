"""Authoring pages of versions: the list, for whom they are, their history, and the steps from draft to archive."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_http_methods, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.datalabs import actions, queries, rules
from spacelab.datalabs.forms import ShareForm, StepForm
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import Conflict, Invalid, Refusal
from spacelab.publishing.rules import TRANSITIONS, Need

PER_PAGE = 30


def person_of(request: HttpRequest) -> Person:
    """Return who is signed in; raise `NotSignedIn`."""
    return signed_in(request.user)


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """List every version of the datalabs that one maintains, with what to do next."""
    person = person_of(request)
    page = Paginator(queries.authored_by(person), PER_PAGE).get_page(request.GET.get("page"))
    standing = [(one, queries.state_of(one)) for one in page]
    rows = [(one, rules.tone_of(state), rules.NEXT[state]) for one, state in standing]
    context = {"page": page, "rows": rows, "authors": queries.may_author(person)}
    return render(request, "datalabs/author_list.html", context)


@require_safe
def home(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Lead to the authoring page that matters most in the version's state."""
    found = queries.find_authored(request.user, slug, version)
    routes = {name: route for name, _, route in rules.AUTHORING_TABS}
    try:
        return redirect(reverse(routes[queries.home_tab(found)], args=[slug, version]))
    except NoReverseMatch:
        return redirect("datalabs:author-history", slug, version)


@require_safe
def history(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Tell what happened to a version: who moved it, when, and why."""
    person = person_of(request)
    found = queries.find_authored(person, slug, version)
    context = {**queries.authoring_context(person, found, "history"), "told": queries.history_of(found)}
    return render(request, "datalabs/author_history.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def visibility(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Say for whom a version is: its author alone, named people, her teams, or everybody."""
    person = person_of(request)
    found = queries.find_authored(person, slug, version)
    form = ShareForm(request.POST if request.method == "POST" else None, person=person, version=found)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                actions.share(by=person, version=found, **form.wanted())
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                messages.success(request, "That is for whom it is now.")
                return redirect("datalabs:author-visibility", slug, version)
    context = {
        **queries.authoring_context(person, found, "visibility"),
        "form": form,
        "people": found.people.order_by("display_name"),
        "teams": found.teams.order_by("name"),
    }
    return render(request, "datalabs/author_visibility.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def advance(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Make a step of a version's life; opened as a page, it says what is lacking, and asks for the reason."""
    person = person_of(request)
    found = queries.find_authored(person, slug, version)
    form = StepForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        raise Invalid("This is no step of a version.", advice="Use the buttons of its pages.")
    name, given = form.cleaned_data["transition"], form.cleaned_data
    if name in rules.NOT_BY_THEMSELVES:
        raise Conflict("This step is not made by itself.", advice=rules.NOT_BY_THEMSELVES[name])
    unsaid = Need.REASON in TRANSITIONS[name].needs and not given["reason"]
    if request.method != "POST" or unsaid:
        return _ask(request, person, found, name)
    moved = actions.advance(
        by=person, version=found, transition=name, reason=given["reason"], revision=given["revision"]
    )
    messages.success(request, f"{found.datalab.title} {version} is {queries.state_of(moved).words} now.")
    return redirect("datalabs:author", slug, version)


def _ask(request: HttpRequest, person: Person, found: DatalabVersion, name: str) -> HttpResponse:
    """Ask for a step's reason on a page of its own, as somebody without scripts needs it."""
    step = next((one for one in queries.steps_of(person, found) if one.transition.name == name), None)
    if step is None:
        stands = queries.state_of(found).words
        raise Conflict(
            f"“{TRANSITIONS[name].title}” is not for you, or not possible: the version is {stands}.",
            advice="Look at its history.",
        )
    context = {"version": found, "datalab": found.datalab, "step": step, "empty": request.method == "POST"}
    return render(request, "datalabs/author_step.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_draft(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Ask whether a version that was never published shall go, and delete it."""
    person = person_of(request)
    found = queries.find_authored(person, slug, version)
    if request.method != "POST":
        context = {"version": found, "datalab": found.datalab, "uses": queries.uses_of(found)}
        return render(request, "datalabs/author_delete.html", context)
    actions.delete_draft(by=person, version=found)
    messages.success(request, f"{found.datalab.title} {version} is deleted.")
    return redirect("datalabs:author-list")
