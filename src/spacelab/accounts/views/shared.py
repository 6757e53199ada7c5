"""What the pages of accounts share: who asks, which permission a page needs, where a form leads back to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from spacelab.accounts import queries
from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.kit.refusals import NotFound, Refusal

View = Callable[..., HttpResponse]


def person_of(request: HttpRequest) -> Person:
    """Return who is signed in; raise `NotSignedIn` for a visitor."""
    return signed_in(request.user)


def needs(permission: str) -> Callable[[View], View]:
    """Refuse a page to whoever's roles don't allow `permission`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            queries.require(request.user, permission)
            return view(request, *args, **kwargs)

        return checked

    return decorate


def person_named(username: str) -> Person:
    """Return a person by username, or raise `NotFound`."""
    person = queries.find_person(username)
    if person is None:
        raise NotFound(f"Nobody has the username “{username}”.")
    return person


def said(request: HttpRequest, action: Callable[[], object], done: str) -> None:
    """Do something and say so on the next page; a refusal is said there instead."""
    try:
        action()
    except Refusal as refusal:
        if refusal.status in {401, 403, 404}:
            raise
        messages.error(request, f"{refusal.message} {refusal.advice}".strip())
    else:
        messages.success(request, done)
