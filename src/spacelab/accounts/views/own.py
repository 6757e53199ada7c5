"""A person's own pages: profile, password, tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from spacelab.accounts import actions, queries
from spacelab.accounts.forms import ChangePasswordForm, ProfileForm, TokenForm
from spacelab.accounts.permissions import AccountPermission
from spacelab.accounts.views.shared import needs, person_of
from spacelab.kit.loopback import client_address


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change what a person says of herself."""
    person = person_of(request)
    initial = {"display_name": person.display_name, "email": person.email, "affiliation": person.affiliation}
    form = ProfileForm(request.POST or None, initial=initial)

    def change(data: dict[str, Any]) -> bool:
        actions.change_profile(by=person, **data)
        return True

    if request.method == "POST":
        if form.attempt(change):
            messages.success(request, "Your profile is saved.")
            return redirect("accounts:profile")
        person.refresh_from_db()
    roles = person.roles.order_by("name")
    return render(request, "accounts/profile.html", {"form": form, "person": person, "roles": roles})


@never_cache
@sensitive_post_parameters("current", "password")
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; this browser stays signed in, others don't."""
    person = person_of(request)
    form = ChangePasswordForm(request.POST or None)
    address = client_address(request)

    def change(data: dict[str, Any]) -> bool:
        actions.change_password(by=person, address=address, **data)
        return True

    if request.method == "POST" and form.attempt(change):
        update_session_auth_hash(request, person)
        messages.success(request, "Your password is changed. Sign-ins elsewhere have ended.")
        return redirect("accounts:profile")
    return render(request, "accounts/password.html", {"form": form, "person": person})


@never_cache
@needs(AccountPermission.MANAGE_OWN_TOKENS)
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """List one's tokens, make one and show it this one time."""
    person = person_of(request)
    form = TokenForm(request.POST or None)
    made = form.attempt(lambda data: actions.create_token(by=person, **data)) if request.method == "POST" else None
    context = {
        "form": TokenForm() if made else form,
        "secret": made[1] if made else "",
        "tokens": queries.personal_tokens(person),
        "now": timezone.now(),
    }
    return render(request, "accounts/tokens.html", context)


@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of one's tokens."""
    actions.revoke_token(by=person_of(request), token_id=token_id)
    messages.success(request, "The token is revoked; it works nowhere any more.")
    return redirect("accounts:tokens")
