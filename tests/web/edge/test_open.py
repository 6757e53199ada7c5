"""The portal's door to a session, and the actions behind it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from spacelab.accounts.actions import create_token, issue_workload_token
from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.edge import actions, queries, views
from spacelab.edge.models import EntryCode, Visit
from spacelab.kit.refusals import Forbidden, Invalid, NotFound, NotSignedIn
from support.edge_session import make_session
from support.people import make_person


def test_the_owner_is_sent_to_the_start_of_her_application(client: Client, scientist: Person) -> None:
    session = make_session(scientist, path="/datalabs/{id}/lab")
    client.force_login(scientist)
    answer = client.get(f"/sessions/{session.id}/open")
    url = urlsplit(answer["Location"])
    assert answer.status_code == 303
    assert url.hostname == f"{session.id}.localhost"
    assert url.path == "/_spacelab/enter"
    assert parse_qs(url.query)["next"] == [f"/datalabs/{session.id}/lab"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]


def test_only_a_digest_of_the_code_is_kept(client: Client, scientist: Person) -> None:
    session = make_session(scientist)
    client.force_login(scientist)
    code = parse_qs(urlsplit(client.get(f"/sessions/{session.id}/open")["Location"]).query)["code"][0]
    kept = EntryCode.objects.get()
    assert code not in {kept.digest, kept.portal_key, kept.auth_hash}
    assert code not in str(list(Entry.objects.values()))


def test_the_door_keeps_to_the_origin(client: Client, scientist: Person) -> None:
    session = make_session(scientist)
    client.force_login(scientist)
    answer = client.get(f"/sessions/{session.id}/open", {"next": "//evil.example/"})
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == ["/"]


def test_somebody_else_finds_nothing(client: Client, scientist: Person) -> None:
    session = make_session(scientist)
    client.force_login(make_person("ben"))
    assert client.get(f"/sessions/{session.id}/open").status_code == 404
    assert client.get("/sessions/nosuchsessio/open").status_code == 404
    assert not EntryCode.objects.exists()


def test_an_operator_has_no_way_in_either(client: Client, scientist: Person, operator: Person) -> None:
    session = make_session(scientist)
    client.force_login(operator)
    assert client.get(f"/sessions/{session.id}/open").status_code == 404


def test_a_visitor_has_to_sign_in(scientist: Person, rf: RequestFactory) -> None:
    session = make_session(scientist)
    request = rf.get(f"/sessions/{session.id}/open")
    request.user = AnonymousUser()
    with pytest.raises(NotSignedIn):
        views.open_session(request, session.id)


def test_the_door_opens_by_get_alone(client: Client, scientist: Person) -> None:
    session = make_session(scientist)
    client.force_login(scientist)
    assert client.post(f"/sessions/{session.id}/open").status_code == 405


def test_a_visit_is_written_to_the_trail(scientist: Person) -> None:
    session = make_session(scientist)
    code = actions.issue_code(by=scientist, session=session, portal_key="k")
    actions.redeem_code(code=code, session_id=session.id)
    actions.revoke_visits(by=scientist, session=session)
    assert list(Entry.objects.order_by("id").values_list("action", flat=True)) == [
        "edge.issue-code",
        "edge.enter",
        "edge.revoke-visits",
    ]
    assert Visit.objects.get().revoked_at is not None


def test_a_code_of_somebody_deactivated_since_is_refused(scientist: Person) -> None:
    session = make_session(scientist)
    code = actions.issue_code(by=scientist, session=session, portal_key="k")
    scientist.is_active = False
    scientist.save()
    with pytest.raises(Forbidden):
        actions.redeem_code(code=code, session_id=session.id)
    with pytest.raises(NotFound):
        actions.issue_code(by=scientist, session=session, portal_key="k")


def test_revoking_takes_unused_codes_too_and_only_those_named(scientist: Person) -> None:
    mine, other = make_session(scientist), make_session(scientist)
    first, second = (actions.issue_code(by=scientist, session=one, portal_key="k") for one in (mine, other))
    actions.revoke_visits(by=scientist, session=mine)
    with pytest.raises(Invalid):
        actions.redeem_code(code=first, session_id=mine.id)
    assert actions.redeem_code(code=second, session_id=other.id)


def test_revoking_nothing_in_particular_is_a_mistake(scientist: Person) -> None:
    with pytest.raises(ValueError, match="name a person"):
        actions.revoke_visits(by=scientist)


def test_the_token_inside_a_session_opens_no_other_one(scientist: Person) -> None:
    mine, other = make_session(scientist), make_session(scientist)
    inside = issue_workload_token(person=scientist, workload=mine.id, scopes=["read", "sessions"])
    _, own = create_token(by=scientist, name="mine", lifetime_days=1, scopes=["sessions"])
    opened = [bool(queries.find_token(one.id, token)) for token in (inside, own) for one in (mine, other)]
    assert opened == [True, False, True, True]
