"""What people and the platform do with a version of any kind: submit, review, publish, archive, share, describe."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import QuerySet

from spacelab.accounts.models import Person, Team
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.kit.refusals import Conflict, Forbidden, Invalid
from spacelab.publishing import queries
from spacelab.publishing.actions import telling
from spacelab.publishing.actions.moving import move
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.rules import (
    DELETABLE,
    KEPT,
    OFFERED,
    SHARED,
    Facts,
    Need,
    State,
    Visibility,
    Who,
    terms,
)

Version = TypeVar("Version", bound=PublishedVersion)
MOST_NAMED = 200
"""People and teams whom one version may name."""


def _nothing_left(_entry: Any, _before: Any) -> None:
    """Leave an entry as it is when another version begins to speak for it."""


@dataclass(frozen=True)
class Life(Generic[Version]):
    """The life of one kind of version: what is the same for all, with what their domain knows."""

    kind: type[Version]
    system: audit.System
    """As whom the platform acts."""
    facts_of: Callable[..., Facts]
    """(person, version, reason=, lacking=) → as whom she acts, and what does not hold."""
    entry_of: Callable[[Version], dict[str, Any]]
    """What the entry in the catalogue says once a version speaks for it."""
    followers: Callable[[str], QuerySet[Person]]
    """Who bookmarked something, by how feedback names it."""
    forget: Callable[..., None]
    """(by=, subject=): remove what was said about something that is gone."""
    in_use: Callable[[Version], str]
    """Says what needs a version now, as a sentence without its subject and its point; empty where nothing does."""
    leave: Callable[[Any, Any], None] = _nothing_left
    """(entry, version): take from an entry what only that version brought, which spoke for it until now."""

    @property
    def _namespace(self) -> str:
        return self.kind.family.namespace

    def hold(self, version: Version) -> Version:
        """Read a version anew, and hold it until the transaction ends."""
        rows = self.kind._default_manager.select_for_update(of=("self",))  # noqa: SLF001  Django's name for it
        return rows.select_related(self.kind.family.entry).get(pk=version.pk)

    @transaction.atomic
    def advance(
        self,
        *,
        by: Person,
        version: Version,
        transition: str,
        reason: str = "",
        revision: int | None = None,
        lacking: Collection[Need] = (),
    ) -> Version:
        """Make a transition as a person: author, moderator or operator, as she may.

        `lacking` adds needs that only the caller can judge, such as a review's checklist. Raises `Conflict`,
        `Forbidden`, `Invalid`; then nothing has changed.
        """
        version = self.hold(version)
        facts = self.facts_of(by, version, reason=reason, lacking=frozenset(lacking))
        values: dict[str, Any] = {}
        if transition in {"take", "request-changes", "reject", "approve"}:
            values["reviewer"] = by
        move(by=by, version=version, transition=transition, facts=facts, reason=reason, revision=revision, **values)
        if transition == "publish":
            self._publish(version)
        version.entry.relist()
        telling.tell_of(by=by, version=version, transition=transition, reason=reason, followers=self.followers)
        return version

    @transaction.atomic
    def advance_by_platform(self, *, version: Version, transition: str, reason: str = "", **values: Any) -> Version:
        """Make a transition that the platform makes by itself: a build began or ended, a test began."""
        facts = Facts(frozenset({Who.PLATFORM}))
        move(by=self.system, version=version, transition=transition, facts=facts, reason=reason, **values)
        version.entry.relist()
        telling.tell_of(by=self.system, version=version, transition=transition, reason=reason, followers=self.followers)
        return version

    def _publish(self, version: Version) -> None:
        """Put what is older aside, and have the entry say what the new version says, if its readers see it."""
        for one in version.entry.versions.filter(state=State.PUBLISHED).exclude(pk=version.pk):
            reason = f"Version {version.version} was published."
            self.advance_by_platform(version=one, transition="supersede", reason=reason)
        if version.entry.speaker() == version:
            self.follow(version)

    @transaction.atomic
    def share(
        self,
        *,
        by: Person,
        version: Version,
        visibility: str,
        people: Collection[Person] = (),
        teams: Collection[Team] = (),
    ) -> Version:
        """Say for whom a version is. Everybody sees it only once it is published; those named may try it before.

        Raises `Forbidden` for anybody but its author, `Invalid` for a visibility that names nobody.
        """
        self.own(by, version)
        wanted = self._wanted(by, visibility, people, teams)
        before = self._followers_of(version) if version.state in OFFERED else set()
        spoke = version.entry.speaker()
        self.kind._default_manager.filter(pk=version.pk).update(visibility=wanted)  # noqa: SLF001  Django's name for it
        version.visibility = wanted
        if (speaks := version.entry.speaker()) not in (spoke, None):
            if spoke:
                self.leave(version.entry, spoke)
            self.follow(speaks)
        version.entry.relist()
        version.people.set(people if wanted is Visibility.PEOPLE else [])
        version.teams.set(teams if wanted is Visibility.TEAMS else [])
        audit.record(
            by=by,
            action=f"{self._namespace}.share",
            subject=version.subject,
            version=version.version,
            visibility=wanted.value,
            people=[one.username for one in version.people.all()],
            teams=[one.slug for one in version.teams.all()],
        )
        if version.state in OFFERED:
            telling.tell_of_opening(by=by, version=version, before=before, followers=self.followers)
        return version

    def _wanted(self, by: Person, visibility: str, people: Collection[Person], teams: Collection[Team]) -> Visibility:
        if visibility not in set(Visibility):
            raise Invalid(f"There is no visibility “{visibility[:20]}”.", field="visibility")
        wanted = Visibility(visibility)
        if wanted in SHARED:
            require(by, self.kind.family.share)
        named: Collection[Any] = {Visibility.PEOPLE: people, Visibility.TEAMS: teams}.get(wanted, ())
        if wanted in SHARED and not named:
            raise Invalid("Name somebody.", advice="Or keep it private.", field=wanted.value)
        if len(named) > MOST_NAMED:
            raise Invalid(f"At most {MOST_NAMED} can be named.", advice="Make a team of them.", field=wanted.value)
        return wanted

    @transaction.atomic
    def delete_draft(self, *, by: Person, version: Version) -> None:
        """Delete a version that was never published and is with nobody; with its last version the entry goes.

        Raises `Conflict` for any other state (what was published is archived instead, and never deleted), and while
        something needs it.
        """
        self.own(by, version)
        version = self.hold(version)
        if State(version.state) not in DELETABLE:
            raise Conflict(
                f"A version that is {self.kind.family.words_of(State(version.state))} can't be deleted.",
                advice="Withdraw it first, or archive it.",
            )
        entry, subject, number = version.entry, version.subject, version.version
        if used := self.in_use(version):
            raise Conflict(
                f"{version} {used}.",
                advice="Delete it once nothing needs it: end what is yours, and ask those whom you let in.",
            )
        version.delete()
        audit.record(by=by, action=f"{self._namespace}.{queries.DELETED}", subject=subject, version=number)
        entry.relist()
        if not entry.versions.exists():
            self.forget(by=by, subject=subject)
            entry.delete()

    @transaction.atomic
    def edit_metadata(self, *, by: Person, version: Version, values: Mapping[str, Any]) -> Version:
        """Write terms of a version: its author those of hers while it is editable, a moderator those of moderators.

        An empty value takes its term away; terms that are not among `values` stay. The entry follows until a version
        is published. Raises `Forbidden`, `Conflict` where the state does not allow it, `Invalid` with the term as its
        field.
        """
        version, family = self.hold(version), self.kind.family
        writer = queries.writer_of(by, version)
        if writer is None:
            raise self._not_hers(by, version)
        same = {family.naming: version.entry.slug, "version": version.version}
        for key, value in same.items():
            if values.get(key, value) != value:
                raise Invalid("It names this version, and stays.", advice="Bring a new version instead.", field=key)
        before = version.metadata
        changes = {key: value for key, value in values.items() if key not in same}
        after = {**terms.merged(before, changes, writer=writer, kind=family.kind), **same}
        changed = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        if not changed:
            return version
        version.metadata = after
        version.save(update_fields=["metadata"])
        if not version.entry.versions.filter(state__in=KEPT).exists():
            self.follow(version)
        action = f"{self._namespace}.edit-metadata"
        audit.record(by=by, action=action, subject=version.subject, version=version.version, terms=changed)
        return version

    def _not_hers(self, by: Person, version: Version) -> Forbidden | Conflict:
        word = self.kind.family.word
        if not queries.inside_for(self.kind, by).filter(pk=version.pk).exists():
            return Forbidden(f"This is somebody else's {word}.", advice="Ask its author.")
        return Conflict(
            f"You can't change the metadata of a version that is {self.kind.family.words_of(State(version.state))}.",
            advice="Its author changes them before she submits it, moderators while they review it.",
        )

    def follow(self, version: Version) -> None:
        """Have the catalogue's entry say what the version says."""
        entry = version.entry
        for name, value in self.entry_of(version).items():
            setattr(entry, name, value)
        entry.save()

    def own(self, by: Person, version: Version) -> None:
        """Raise `Forbidden` unless the person may write such things, and this one is hers."""
        family = self.kind.family
        require(by, family.author)
        if version.entry.maintainer_id != by.pk:
            raise Forbidden(f"This is somebody else's {family.word}.", advice="Ask its author.")

    def _followers_of(self, version: Version) -> set[int]:
        return telling.followers_of(version, self.followers)
