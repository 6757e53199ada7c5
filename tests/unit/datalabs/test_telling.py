"""Transitions tell people: each row of the lifecycle's table reaches those whom it names, and never who acted."""

from __future__ import annotations

import pytest

from spacelab.accounts.models import Person
from spacelab.datalabs import actions
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.rules import EvidenceKind
from spacelab.kit.refusals import Conflict
from spacelab.notifications.models import Notification
from spacelab.publishing.actions.telling import HEARERS, NEWS, SAID_BY_BUILDS
from spacelab.publishing.rules import TRANSITIONS, State, Transition, Who
from spacelab.publishing.rules.terms import terms_of
from support.people import make_person

pytestmark = pytest.mark.django_db
REASON = "Because\nof this."
TERMS = {term.key: "x" for term in terms_of("datalab") if term.block == "mandatory"}


@pytest.fixture
def people() -> dict[str, Person]:
    """Name everybody in the play, and a moderator whose account has ended."""
    found = {
        "author": make_person("dora", "developer"),
        "moderator": make_person("mona", "moderator"),
        "second": make_person("mike", "moderator"),
        "operator": make_person("olga", "operator"),
    }
    gone = make_person("gone", "moderator")
    gone.is_active = False
    gone.save()
    make_person("ada")
    return found


def version_in(state: State, author: Person) -> DatalabVersion:
    """Create a version in a state that lacks nothing."""
    datalab = Datalab.objects.create(slug="spectra", title="Spectra", abstract="A.", author="D", maintainer=author)
    version = DatalabVersion.objects.create(
        datalab=datalab, version="1.0", state=state, package="/kept", environment="e", content_hash="h", metadata=TERMS
    )
    actions.record_evidence(
        by=actions.SYSTEM, version=version, kind=EvidenceKind.LAUNCH_TEST, passed=True, summary="Good.", data={}
    )
    return version


def heard() -> dict[str, Notification]:
    """Return what each person was told, who hears one thing at most."""
    rows = list(Notification.objects.select_related("person"))
    assert len({row.person_id for row in rows}) == len(rows)
    return {row.person.username: row for row in rows}


def test_every_name_of_the_table_is_known_and_every_row_has_words() -> None:
    assert {name for row in TRANSITIONS.values() for name in row.tells} <= set(HEARERS)
    assert {row.name for row in TRANSITIONS.values() if row.tells} == set(NEWS) | SAID_BY_BUILDS


@pytest.mark.parametrize("row", TRANSITIONS.values(), ids=TRANSITIONS)
def test_a_row_tells_whom_it_names(row: Transition, people: dict[str, Person]) -> None:
    version = version_in(min(row.sources), people["author"])
    acting = {Who.AUTHOR: "author", Who.MODERATOR: "moderator", Who.OPERATOR: "operator"}
    by = next((people[acting[who]] for who in Who if who in row.who and who in acting), None)
    if by:
        actions.advance(by=by, version=version, transition=row.name, reason=REASON)
    else:
        actions.advance_by_platform(version=version, transition=row.name, reason=REASON)
    named = {"author": {"dora"}, "moderators": {"mona", "mike"}}
    expected: set[str] = set().union(*(named.get(name, set()) for name in row.tells))
    if row.name in SAID_BY_BUILDS:
        expected = set()
    news = heard()
    assert set(news) == expected - ({by.username} if by else set())
    for one in news.values():
        assert (one.kind, one.text) == (NEWS[row.name][0], "Because of this.")
        assert one.title.startswith("Spectra 1.0")
        page = "/review/spectra/1.0" if row.name == "submit" else "/author/spectra/1.0/history"
        assert one.url == ("/review/" if row.name == "withdraw" else page)


def test_an_archived_version_of_somebody_elses_tells_its_author(people: dict[str, Person]) -> None:
    version = version_in(State.PUBLISHED, people["author"])
    actions.advance(by=people["operator"], version=version, transition="archive", reason="It leaks.")
    assert {name: one.text for name, one in heard().items()} == {"dora": "It leaks."}


def test_who_acts_hears_nothing_and_the_others_do(people: dict[str, Person]) -> None:
    both = make_person("mara", "developer", "moderator")
    actions.advance(by=both, version=version_in(State.BUILT, both), transition="submit")
    assert set(heard()) == {"mona", "mike"}


def test_nobody_is_told_of_what_did_not_happen(people: dict[str, Person]) -> None:
    version = version_in(State.IN_REVIEW, people["author"])
    with pytest.raises(Conflict, match="reason is needed"):
        actions.advance(by=people["moderator"], version=version, transition="reject")
    assert heard() == {}
