"""Runs beside the platform in a test and changes its database on request: one JSON line in, one JSON line out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spacelab.site.settings")
django.setup()

from datetime import timedelta  # noqa: E402  Django has to be set up first
from importlib import import_module  # noqa: E402  as above

from django.conf import settings  # noqa: E402  as above
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402  as above
from django.contrib.sessions.models import Session as SignIn  # noqa: E402  as above
from django.utils import timezone  # noqa: E402  as above

from spacelab.accounts.models import ApiToken, Person  # noqa: E402  as above
from spacelab.audit.actions import System  # noqa: E402  as above
from spacelab.edge import actions  # noqa: E402  as above
from spacelab.edge.models import EntryCode  # noqa: E402  as above
from spacelab.edge.rules import digest_of  # noqa: E402  as above
from spacelab.sessions.models import Session  # noqa: E402  as above
from spacelab.workloads.models import Workload  # noqa: E402  as above
from support.edge_session import make_session  # noqa: E402  as above
from support.people import make_person  # noqa: E402  as above


def person(username: str) -> int:
    """Create somebody."""
    return int(make_person(username).pk)


def session(username: str, address: str, phase: str = "running") -> str:
    """Create a session of hers that lives at `address`."""
    return make_session(Person.objects.get(username=username), address=address, phase=phase).id


def sign_in(username: str) -> str:
    """Sign her in at the portal and return the cookie's value."""
    who = Person.objects.get(username=username)
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(who.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = who.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def sign_out(key: str) -> None:
    """End a sign-in."""
    SignIn.objects.filter(session_key=key).delete()


def code(username: str, session_id: str, key: str) -> str:
    """Hand out an entry code."""
    return actions.issue_code(
        by=Person.objects.get(username=username), session=Session.objects.get(pk=session_id), portal_key=key
    )


def age_codes() -> None:
    """Let all entry codes become too old."""
    EntryCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def token(username: str, value: str, *scopes: str) -> int:
    """Give her an API token."""
    return ApiToken.objects.create(
        person=Person.objects.get(username=username),
        name="test",
        prefix=value[:10],
        digest=digest_of(value),
        scopes=list(scopes),
        expires_at=timezone.now() + timedelta(hours=1),
    ).pk


def revoke_token(row: int) -> None:
    """Revoke a token."""
    ApiToken.objects.filter(pk=row).update(revoked_at=timezone.now())


def last_use(row: int) -> str:
    """Say when a token was last used; empty if never."""
    used = ApiToken.objects.get(pk=row).last_used_at
    return used.isoformat() if used else ""


def revoke_visits(username: str) -> int:
    """Revoke her visits."""
    return actions.revoke_visits(by=System("test"), person=Person.objects.get(username=username))


def deactivate(username: str, active: bool = False) -> None:  # noqa: FBT001, FBT002  comes as JSON
    """Deactivate her account, or activate it again."""
    Person.objects.filter(username=username).update(is_active=active)


def new_password(username: str) -> None:
    """Give her another password."""
    who = Person.objects.get(username=username)
    who.set_password("another battery staple, correct horse")
    who.save()


def phase(session_id: str, value: str, reason: str = "") -> None:
    """Move a session's workload into a phase."""
    Workload.objects.filter(pk=session_id).update(phase=value, reason=reason)


def activity(session_id: str) -> str:
    """Say why the session last counted as active."""
    return Session.objects.get(pk=session_id).active_because


CALLS: dict[str, Callable[..., Any]] = {
    one.__name__: one
    for one in (
        person,
        session,
        sign_in,
        sign_out,
        code,
        age_codes,
        token,
        revoke_token,
        last_use,
        revoke_visits,
        deactivate,
        new_password,
        phase,
        activity,
    )
}


def main() -> None:
    """Answer calls until the input ends."""
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = {"value": CALLS[name](*arguments)}
        except Exception as error:  # noqa: BLE001  the caller raises it again
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)  # noqa: T201  the answer's channel


if __name__ == "__main__":
    main()
