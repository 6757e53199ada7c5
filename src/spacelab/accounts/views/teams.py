"""The pages of teams: one's own, one team, invitations."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from spacelab.accounts import actions, queries
from spacelab.accounts.forms import InviteForm, RenameForm, TeamForm
from spacelab.accounts.models import Team
from spacelab.accounts.views.shared import person_of, said
from spacelab.kit.refusals import NotFound


def _team(request: HttpRequest, slug: str) -> Team:
    team = queries.team_for(person_of(request), slug)
    if team is None:
        raise NotFound("There is no such team, or you are not in it.")
    return team


@require_http_methods(["GET", "POST"])
def teams(request: HttpRequest) -> HttpResponse:
    """List one's teams and invitations; make a team."""
    person = person_of(request)
    form = TeamForm(request.POST or None)
    team = form.attempt(lambda data: actions.create_team(by=person, **data)) if request.method == "POST" else None
    if team:
        messages.success(request, f"The team “{team.name}” is there.")
        return redirect("accounts:team", team.slug)
    memberships = person.memberships.select_related("team").order_by("team__name")
    context = {"form": form, "memberships": memberships, "invitations": queries.invitations_of(person)}
    return render(request, "accounts/teams.html", context)


@require_http_methods(["GET"])
def team(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a team to its members, and to its owners what they may do with it."""
    person, shown = person_of(request), _team(request, slug)
    context = {
        "team": shown,
        "is_owner": queries.is_owner(person, shown),
        "memberships": shown.memberships.select_related("person").order_by("person__display_name"),
        "invitations": shown.invitations.order_by("created_at"),
        "rename_form": RenameForm(initial={"name": shown.name}),
        "invite_form": InviteForm(),
    }
    return render(request, "accounts/team.html", context)


def _then_team(request: HttpRequest, slug: str, action: Callable[[], object], done: str) -> HttpResponse:
    said(request, action, done)
    return redirect("accounts:team", slug)


@require_POST
def rename(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the team another name."""
    person, shown, name = person_of(request), _team(request, slug), request.POST.get("name", "")
    return _then_team(
        request, slug, lambda: actions.rename_team(by=person, team=shown, name=name), "The team has a new name."
    )


@require_POST
def invite(request: HttpRequest, slug: str) -> HttpResponse:
    """Invite somebody by username."""
    person, shown, name = person_of(request), _team(request, slug), request.POST.get("username", "")
    return _then_team(
        request,
        slug,
        lambda: actions.invite(by=person, team=shown, username=name),
        "If somebody has this username, the invitation waits for an answer.",
    )


@require_POST
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """Take an invitation back."""
    person, shown, name = person_of(request), _team(request, slug), request.POST.get("username", "")
    return _then_team(
        request,
        slug,
        lambda: actions.withdraw_invitation(by=person, team=shown, username=name),
        "The invitation is withdrawn.",
    )


@require_POST
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a member out of the team."""
    person, shown, name = person_of(request), _team(request, slug), request.POST.get("username", "")
    said(
        request,
        lambda: actions.remove_member(by=person, team=shown, username=name),
        f"{name} is not in the team any more.",
    )
    return redirect("accounts:team", slug) if queries.is_member(person, shown) else redirect("accounts:teams")


@require_POST
def owner(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a member an owner, or an owner a plain member."""
    person, shown, name = person_of(request), _team(request, slug), request.POST.get("username", "")
    wanted = request.POST.get("is_owner") == "yes"
    return _then_team(
        request,
        slug,
        lambda: actions.set_owner(by=person, team=shown, username=name, is_owner=wanted),
        f"{name} is {'an owner' if wanted else 'a member'} now.",
    )


@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Leave the team."""
    person, shown = person_of(request), _team(request, slug)
    said(request, lambda: actions.leave_team(by=person, team=shown), f"You have left “{shown.name}”.")
    return redirect("accounts:team", slug) if queries.is_member(person, shown) else redirect("accounts:teams")


@require_POST
def accept(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Join the team that invited."""
    joined = actions.accept_invitation(by=person_of(request), invitation_id=invitation_id)
    messages.success(request, f"You are in “{joined.name}” now; its area is there in your next session.")
    return redirect("accounts:team", joined.slug)


@require_POST
def decline(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Say no to an invitation."""
    actions.decline_invitation(by=person_of(request), invitation_id=invitation_id)
    messages.success(request, "The invitation is declined.")
    return redirect("accounts:teams")
