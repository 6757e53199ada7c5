"""The life of a datalab's version in the database: who sees it, who moves it, and what stays for good."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.datalabs import actions, queries
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.rules import EvidenceKind
from spacelab.kit.refusals import Conflict, Forbidden, Invalid
from spacelab.publishing.rules import Need, State, Viewer, Visibility, may_launch, may_see
from support.authoring import make_version
from support.people import make_person
from support.sessions import make_team

pytestmark = pytest.mark.django_db
TERMS = {
    "title": "Spectra",
    "alternateName": "spectra",
    "abstract": "Shows them.",
    "contactPoint.email": "dora@example.org",
    "creator.name": "Dora",
    "distribution.license": "MIT",
}


@pytest.fixture
def spectra(developer: Person) -> Datalab:
    """Create an entry without a version."""
    return Datalab.objects.create(slug="spectra", title="Old", abstract="Old.", author="Old", maintainer=developer)


@pytest.fixture
def make(spectra: Datalab) -> Callable[..., DatalabVersion]:
    """Make versions that lack nothing to be submitted."""

    def version(number: str, state: State = State.BUILT, **values: object) -> DatalabVersion:
        made = DatalabVersion.objects.create(
            datalab=spectra,
            version=number,
            state=state,
            package="/kept",
            environment="spectra-1",
            content_hash=f"hash-{number}",
            metadata={**TERMS, "version": number},
            **values,
        )
        actions.record_evidence(
            by=actions.SYSTEM,
            version=made,
            kind=EvidenceKind.LAUNCH_TEST,
            passed=True,
            summary="It starts.",
            data={},
        )
        return made

    return version


def test_the_database_agrees_with_the_rules_on_who_sees_and_launches(
    spectra: Datalab, developer: Person, moderator: Person, scientist: Person
) -> None:
    named, member, stranger = make_person("nina"), make_person("tom"), make_person("sten")
    team = make_team("stars", member)
    for state in State:
        for visibility in Visibility:
            one = DatalabVersion.objects.create(
                datalab=spectra, version=f"{state}-{visibility}", state=state, visibility=visibility
            )
            one.people.set([named] if visibility == Visibility.PEOPLE else [])
            one.teams.set([team] if visibility == Visibility.TEAMS else [])
    for person in (developer, moderator, named, member, stranger, AnonymousUser()):
        seen = set(queries.seen_by(person).values_list("version", flat=True))
        launched = set(queries.launchable_by(person).values_list("version", flat=True))
        for one in DatalabVersion.objects.all():
            admits = {Visibility.PEOPLE: person == named, Visibility.TEAMS: person == member}
            visibility, state = Visibility(one.visibility), State(one.state)
            viewer = Viewer(person == developer, admits.get(visibility, False), person == moderator)
            assert (one.version in seen) == may_see(state, visibility, viewer), (person, one.version)
            allowed = may_launch(state, visibility, viewer, archived=not isinstance(person, AnonymousUser))
            assert (one.version in launched) == allowed, (person, one.version)
    everybody = Person.objects.all()
    for one in DatalabVersion.objects.all():
        seers = set(queries.seers_of(one, everybody))
        assert seers == {person for person in everybody if queries.seen_by(person).filter(pk=one.pk)}, one.version


def test_a_whole_life(make: Callable[..., DatalabVersion], developer: Person, moderator: Person) -> None:
    version = make("1.0")
    for person, step, reason in (
        (developer, "submit", ""),
        (moderator, "take", ""),
        (moderator, "request-changes", "The abstract is short."),
        (developer, "submit", ""),
        (moderator, "take", ""),
        (moderator, "approve", ""),
        (developer, "publish", ""),
    ):
        version = actions.advance(by=person, version=version, transition=step, reason=reason)
    datalab = Datalab.objects.get()
    assert (datalab.title, datalab.abstract, datalab.author) == ("Spectra", "Shows them.", "Dora")
    assert version.reviewer == moderator
    assert version.published_at
    told = [(one.transition, one.person.username, one.reason) for one in version.changes.all() if one.person]
    assert told[2] == ("request-changes", "mona", "The abstract is short.")
    assert [one for one, _, _ in told] == ["submit", "take", "request-changes", "submit", "take", "approve", "publish"]
    assert Entry.objects.filter(action="datalabs.publish", subject="datalab:spectra").count() == 1


def test_a_newer_version_supersedes_and_both_are_launched(
    make: Callable[..., DatalabVersion], developer: Person, scientist: Person
) -> None:
    first = make("1.9", State.APPROVED, visibility="everybody")
    actions.advance(by=developer, version=first, transition="publish")
    second = make("1.10", State.APPROVED, visibility="everybody")
    actions.advance(by=developer, version=second, transition="publish")
    first.refresh_from_db()
    assert first.state == State.SUPERSEDED
    assert {one.version for one in queries.launchable_by(scientist)} == {"1.9", "1.10"}
    assert [one.version for one in queries.versions_of(queries.published(scientist).get())] == ["1.10", "1.9"]
    with pytest.raises(Conflict, match=r"same number, or a higher one\. The newest is 1\.10"):
        actions.advance(by=developer, version=make("1.2"), transition="submit")


def test_of_two_who_decide_at_once_one_wins(make: Callable[..., DatalabVersion], moderator: Person) -> None:
    version = make("1.0", State.IN_REVIEW)
    seen = version.revision
    actions.advance(by=moderator, version=version, transition="approve", revision=seen)
    other = make_person("mike", "moderator")
    with pytest.raises(Conflict):
        actions.advance(by=other, version=version, transition="reject", reason="No.", revision=seen)
    version.refresh_from_db()
    assert version.state == State.APPROVED
    assert version.changes.count() == 1


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ({"metadata": {"title": "Spectra"}}, "Fill in: Short name, Abstract"),
        ({"environment": ""}, "has to be built first"),
        ({"content_hash": "changed-since"}, "has not passed its launch test"),
    ],
)
def test_what_is_lacking_is_said_at_submission(
    make: Callable[..., DatalabVersion], developer: Person, lacking: dict[str, object], said: str
) -> None:
    version = make("1.0")
    DatalabVersion.objects.filter(pk=version.pk).update(**lacking)
    with pytest.raises(Conflict, match=said):
        actions.advance(by=developer, version=version, transition="submit")


def test_nobody_decides_about_her_own_or_without_the_right(
    make: Callable[..., DatalabVersion], developer: Person, scientist: Person, spectra: Datalab
) -> None:
    version = make("1.0", State.IN_REVIEW)
    for person in (developer, scientist):
        with pytest.raises(Forbidden):
            actions.advance(by=person, version=version, transition="approve")
    both = make_person("mara", "developer", "moderator")
    Datalab.objects.filter(pk=spectra.pk).update(maintainer=both)
    with pytest.raises(Conflict, match="Nobody decides about her own work"):
        actions.advance(by=both, version=version, transition="approve")
    with pytest.raises(Conflict, match="checklist"):
        actions.advance(
            by=make_person("mona", "moderator"), version=version, transition="approve", lacking={Need.CHECKLIST}
        )
    assert not version.changes.exists()


def test_sharing_names_somebody_and_belongs_to_the_author(
    make: Callable[..., DatalabVersion], developer: Person, scientist: Person
) -> None:
    version = make("1.0")
    with pytest.raises(Invalid, match="Name somebody"):
        actions.share(by=developer, version=version, visibility="people")
    with pytest.raises(Forbidden):
        actions.share(by=scientist, version=version, visibility="everybody")
    assert not queries.launchable_by(scientist).exists()
    actions.share(by=developer, version=version, visibility="people", people=[scientist])
    assert queries.launchable_by(scientist).get() == version
    assert not queries.published(scientist).exists(), "it is shared, not published"
    actions.share(by=developer, version=version, visibility="private")
    assert not queries.launchable_by(scientist).exists()


def test_drafts_are_deleted_and_nothing_else(make: Callable[..., DatalabVersion], developer: Person) -> None:
    published, draft = make("1.0", State.PUBLISHED), make("2.0")
    with pytest.raises(Conflict, match="is published can't be deleted"):
        actions.delete_draft(by=developer, version=published)
    actions.delete_draft(by=developer, version=draft)
    assert [one.version for one in DatalabVersion.objects.all()] == ["1.0"]
    DatalabVersion.objects.update(state=State.BUILT)
    actions.delete_draft(by=developer, version=published)
    assert not Datalab.objects.exists()


def test_the_archive_keeps_and_gives_back(make: Callable[..., DatalabVersion], developer: Person) -> None:
    version = make("1.0", State.PUBLISHED, visibility="everybody")
    with pytest.raises(Conflict, match="reason is needed"):
        actions.advance(by=developer, version=version, transition="archive")
    version = actions.advance(by=developer, version=version, transition="archive", reason="Replaced by another tool.")
    assert version.archived_at
    assert not queries.published().exists()
    version = actions.advance(by=developer, version=version, transition="reinstate")
    assert version.state == State.SUPERSEDED
    assert [one.version for one in queries.versions_of(queries.published().get())] == ["1.0"]


def test_a_gate_lets_nothing_unseen_be_submitted(
    make: Callable[..., DatalabVersion], developer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_gate", "high")
    with pytest.raises(Conflict, match="rule on vulnerabilities"):
        actions.advance(by=developer, version=make("1.0"), transition="submit")


def test_the_history_of_a_deleted_version_is_not_that_of_another_one_of_its_name(developer: Person) -> None:
    named = make_person("nina")
    first = make_version(developer)
    actions.share(by=developer, version=first, visibility="people", people=[named])
    actions.delete_draft(by=developer, version=first)
    other = make_version(make_person("olga", "developer"))
    assert other.subject == first.subject
    assert "nina" not in str(queries.history_of(other))
    actions.share(by=Person.objects.get(username="olga"), version=other, visibility="everybody")
    assert [one.title for one in queries.history_of(other)] == ["Change for whom it is", "Launch test"]
