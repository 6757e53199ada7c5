"""The operators' pages: people, requests for access, roles."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from spacelab.accounts import actions, queries
from spacelab.accounts.forms import DeclineForm, GrantForm, PersonForm, RolesForm
from spacelab.accounts.models import AccessRequest
from spacelab.accounts.permissions import AccountPermission
from spacelab.accounts.views.shared import needs, person_named, person_of, said
from spacelab.audit import queries as audit
from spacelab.kit.refusals import NotFound

PER_PAGE = 50
"""Rows of one page of people or of the trail."""


def _link_page(request: HttpRequest, username: str, secret: str) -> HttpResponse:
    """Show a password link this one time."""
    address = request.build_absolute_uri(reverse("accounts:password-link", args=[secret]))
    return render(request, "accounts/link.html", {"username": username, "address": address})


@needs(AccountPermission.MANAGE_PEOPLE)
@require_http_methods(["GET"])
def people(request: HttpRequest) -> HttpResponse:
    """List and search people."""
    search = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    page = Paginator(queries.find_people(search), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/people.html", {"page": page, "search": search})


@never_cache
@needs(AccountPermission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Add a person."""
    by = person_of(request)
    form = PersonForm(request.POST or None, initial={"roles": ["scientist"]})
    made = form.attempt(lambda data: actions.add_person(by=by, **data)) if request.method == "POST" else None
    if made:
        messages.success(request, f"{made.display_name} has an account; make a password link to hand over.")
        return redirect("accounts:person", made.username)
    return render(request, "accounts/person_add.html", {"form": form})


@needs(AccountPermission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, username: str) -> HttpResponse:
    """Show a person; change her roles."""
    by, shown = person_of(request), person_named(username)
    initial = {"roles": list(shown.roles.values_list("name", flat=True))}
    form = RolesForm(request.POST or None, initial=initial)

    def change(data: dict[str, list[str]]) -> bool:
        actions.set_roles(by=by, person=shown, roles=data["roles"])
        return True

    if request.method == "POST" and form.attempt(change):
        messages.success(request, "The roles are changed.")
        return redirect("accounts:person", shown.username)
    entries = audit.entries(subject=shown.audit_name)[:10]
    return render(request, "accounts/person.html", {"form": form, "person": shown, "entries": entries})


@require_POST
def deactivate(request: HttpRequest, username: str) -> HttpResponse:
    """Close an account."""
    by = person_of(request)
    queries.require(by, AccountPermission.MANAGE_PEOPLE)
    shown = person_named(username)
    said(request, lambda: actions.deactivate_person(by=by, person=shown), "The account is deactivated.")
    return redirect("accounts:person", username)


@require_POST
def reactivate(request: HttpRequest, username: str) -> HttpResponse:
    """Open an account again."""
    by = person_of(request)
    queries.require(by, AccountPermission.MANAGE_PEOPLE)
    shown = person_named(username)
    said(request, lambda: actions.reactivate_person(by=by, person=shown), "The account is active again.")
    return redirect("accounts:person", username)


@never_cache
@needs(AccountPermission.MANAGE_PEOPLE)
@require_POST
def make_link(request: HttpRequest, username: str) -> HttpResponse:
    """Make a password link and show it this one time."""
    secret = actions.make_password_link(by=person_of(request), person=person_named(username))
    return _link_page(request, username, secret)


@needs(AccountPermission.DECIDE_ACCESS_REQUESTS)
@require_http_methods(["GET"])
def access_requests(request: HttpRequest) -> HttpResponse:
    """List the requests in one state."""
    state = request.GET.get("state", "open")
    state = state if state in AccessRequest.State.values else "open"
    page = Paginator(queries.access_requests(state), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "state": state, "states": AccessRequest.State.choices}
    return render(request, "accounts/access_requests.html", context)


@never_cache
@needs(AccountPermission.DECIDE_ACCESS_REQUESTS)
@require_http_methods(["GET", "POST"])
def access_request(request: HttpRequest, request_id: int) -> HttpResponse:
    """Show a request; grant it, or decline it with a reason."""
    by = person_of(request)
    shown = queries.access_requests().filter(pk=request_id).first()
    if shown is None:
        raise NotFound("There is no such request.")
    decision = request.POST.get("decision", "")
    grant = GrantForm(
        request.POST if decision == "grant" else None, initial={"username": shown.username, "roles": ["scientist"]}
    )
    decline = DeclineForm(request.POST if decision == "decline" else None)
    made = grant.attempt(lambda data: actions.grant_access(by=by, request_id=request_id, **data))
    if made:
        return _link_page(request, made[0].username, made[1])

    def say_no(data: dict[str, str]) -> bool:
        actions.decline_access(by=by, request_id=request_id, **data)
        return True

    if decline.attempt(say_no):
        messages.success(request, "The request is declined; the visitor gets a mail with the reason.")
        return redirect("accounts:access-requests")
    return render(request, "accounts/access_request.html", {"wish": shown, "grant": grant, "decline": decline})


@require_http_methods(["GET"])
def roles(request: HttpRequest) -> HttpResponse:
    """Show which role allows what, to anybody signed in."""
    shown = person_of(request)
    context = {
        "roles": queries.roles(),
        "rows": queries.role_matrix(),
        "shipped": list(settings.ROLES),
        "editable": queries.may(shown, AccountPermission.MANAGE_PEOPLE),
    }
    return render(request, "accounts/roles.html", context)


@require_POST
def change_role(request: HttpRequest, role: str) -> HttpResponse:
    """Give a role exactly the permissions that were ticked, or those of a fresh install."""
    by, wanted = person_of(request), request.POST.getlist("permissions")
    if "reset" in request.POST:
        said(request, lambda: actions.reset_role(by=by, role=role), f"The role “{role}” is as it was shipped.")
    else:
        said(
            request,
            lambda: actions.set_role_permissions(by=by, role=role, permissions=wanted),
            f"The role “{role}” is saved.",
        )
    return redirect("accounts:roles")
