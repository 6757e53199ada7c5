"""What somebody may not see answers everywhere as what is not there: no address tells the two apart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.feedback import actions as feedback
from spacelab.publishing.rules import State, Visibility
from spacelab.site.api import api
from support.people import make_person
from support.reviews import make_submitted
from support.sessions import make_team

pytestmark = pytest.mark.django_db
THERE, NOWHERE = ("zeta-there", "7.1.7"), ("zeta-gone", "7.9.9")
"""Short name and version of what is hidden, and of what is not there; neither occurs in a page by itself."""
WORDS = {"number": "{version}", "format_name": "cff", "name": "interface.png"}
NUMBERS = {"comment_id": "1", "evidence": "1", "notification_id": "1"}
BY_BODY = ("api/v1/sessions", "api/v1/builds/derive", "api/v1/builds/again")
"""Operations that name a datalab in what is sent."""
BODIES: tuple[dict[str, Any], ...] = (
    {"stars": 4, "text": "Words", "reason": "broken", "transition": "archive", "step": "archive", "points": []},
    {"datalab": "{slug}", "version": "{version}", "title": "Mine", "short_name": "mine", "profile": "small"},
    {"terms": {"title": "Mine"}, "visibility": "private", "people": [], "teams": [], "step": "take", "revision": 0},
)
WHO = ("visitor", "developer")


def _routes(patterns: Any, before: str = "") -> Iterator[str]:
    for one in patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _routes(one.url_patterns, path)
        elif isinstance(one, URLPattern):
            yield path


def _addresses(*needed: str) -> list[str]:
    """List every address of the portal that names a datalab, or what else is needed, with the names left open."""
    pages = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one) for one in _routes(get_resolver().url_patterns)}
    calls = {one.lstrip("/") for one in api.get_openapi_schema()["paths"]}
    known = {**WORDS, **NUMBERS, "slug": "{slug}", "version": "{version}"}
    filled = {re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "x"), one) for one in (*pages, *calls)}
    return sorted(f"/{one}" for one in filled if one in BY_BODY or all(name in one for name in needed))


def _told(client: Client, method: str, address: str, names: tuple[str, str], body: dict[str, Any]) -> tuple[str, ...]:
    """Return what an address answers, without the names that were asked for and what is new in each answer."""
    slug, version = names
    there = address.replace("{slug}", slug).replace("{version}", version)
    data = json.dumps(body).replace("{slug}", slug).replace("{version}", version)
    if address.startswith("/api/"):
        answer = client.generic(method, there, data=data if method != "GET" else "", content_type="application/json")
    else:
        answer = client.get(there, {"version": version}) if method == "GET" else client.post(there, json.loads(data))
    text = "" if answer.streaming else answer.content.decode("utf-8", "replace")
    text = re.sub(r'value="[A-Za-z0-9]{64}"|"X-CSRFToken": "\w+"', "", text)
    told = (str(answer.status_code), answer.headers.get("Location", ""), text)
    return tuple(one.replace(slug, "…").replace(version, "…") for one in told)


def _differing(client: Client, addresses: list[str], *names: tuple[str, str]) -> list[tuple[str, ...]]:
    differing = []
    for address in addresses:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE") if address.startswith("/api/") else ("GET", "POST"):
            for body in BODIES if method != "GET" else BODIES[:1]:
                one, other = (_told(client, method, address, asked, body) for asked in names)
                if one != other:
                    differing.append((method, address, *one[:2], *other[:2]))
    return differing


def _signed_in(who: str) -> Client:
    client = Client()
    if who != "visitor":
        client.force_login(Person.objects.get(username="bob"))
    return client


@pytest.fixture
def author(db: None) -> Person:
    """Somebody who has something to hide."""
    return make_person("dora", "advanced-developer")


@pytest.fixture
def hidden(author: Person) -> DatalabVersion:
    """Publish a version for a team, with all that hangs on one; a developer has bookmarked it while she saw it."""
    slug, number = THERE
    version = make_submitted(author, number, State.PUBLISHED, slug=slug, visibility=Visibility.TEAMS)
    version.teams.set([make_team("stars", make_person("tom"))])
    feedback.comment(by=author, subject=version.subject, text="Ours alone.", owner=author)
    feedback.bookmark(by=make_person("bob", "advanced-developer"), subject=version.subject)
    return version


@pytest.mark.parametrize("who", WHO)
def test_no_address_tells_what_is_hidden_from_what_is_not_there(hidden: DatalabVersion, who: str) -> None:
    assert _differing(_signed_in(who), _addresses("{slug}"), THERE, NOWHERE) == []
    hidden.refresh_from_db()
    assert (hidden.state, hidden.visibility) == (State.PUBLISHED, Visibility.TEAMS)


@pytest.mark.parametrize("who", WHO)
def test_a_hidden_version_of_an_open_datalab_is_not_there_either(
    hidden: DatalabVersion, author: Person, who: str
) -> None:
    slug = hidden.datalab.slug
    make_submitted(author, "1.0", State.SUPERSEDED, slug=slug, visibility=Visibility.EVERYBODY)
    addresses = [*_addresses("{slug}", "{version}"), "/launch/{slug}", "/datalabs/{slug}/derive"]
    assert _differing(_signed_in(who), addresses, THERE, (slug, NOWHERE[1])) == []


@pytest.mark.usefixtures("hidden")
def test_who_sees_it_finds_it_at_many_addresses(author: Person) -> None:
    addresses = _addresses("{slug}")
    client = Client()
    client.force_login(author)
    found = {address for method, address, *_ in _differing(client, addresses, THERE, NOWHERE) if method == "GET"}
    assert len(found) > 20, (found, addresses)
    assert Datalab.objects.filter(slug=THERE[0]).exists()
