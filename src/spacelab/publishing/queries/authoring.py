"""What the authoring pages of any published thing show of a version, and to whom they open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, names_of
from spacelab.audit import queries as audit
from spacelab.kit.refusals import NotFound, NotSignedIn
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.queries.seeing import inside_for, kept_by
from spacelab.publishing.rules import (
    DELETABLE,
    REVIEWABLE,
    TRANSITIONS,
    Facts,
    Need,
    State,
    Transition,
    obstacles,
    open_to,
    terms,
)
from spacelab.publishing.rules.authoring import STEPS_OF_THE_HEAD, tone_of

Version = TypeVar("Version", bound=PublishedVersion)
TRAIL = {"share": "Change for whom it is", "edit-metadata": "Change the metadata"}
"""What a version's history tells beside changes of its state: the action in the trail → its name there."""
DELETED = "delete-draft"
"""How the trail calls the deletion of a version: what stands before it concerns another one, maybe somebody else's."""


@dataclass(frozen=True)
class Step:
    """A transition that somebody may make now, what still hinders her, and whether she has to give a reason."""

    transition: Transition
    lacking: list[str]

    @property
    def asks_reason(self) -> bool:
        """Whether its author will want to read why."""
        return Need.REASON in self.transition.needs


@dataclass(frozen=True)
class Told:
    """One line of a version's history: a change of its state, or evidence that was found."""

    at: datetime
    title: str
    who: str
    before: str = ""
    after: str = ""
    tone: str = "quiet"
    text: str = ""


def authored_by(kind: type[Version], person: Person) -> QuerySet[Version]:
    """List every version of what the person maintains, by entry, the newest first."""
    entry = kind.family.entry
    mine = kind._default_manager.filter(kept_by(kind, person)).select_related(entry)  # noqa: SLF001  Django's name
    return mine.order_by(f"{entry}__search_text", f"{entry}__slug", "-id")


def find_authored(kind: type[Version], person: Person | AnonymousUser, slug: str, version: str) -> Version:
    """Find a version whose authoring pages the person may open; raise `NotSignedIn`, or `NotFound` for all others.

    Those are its author, moderators of what is or was handed to them, and operators of what was published.
    """
    if not isinstance(person, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in to see what you wrote.")
    entry = kind.family.entry
    found = inside_for(kind, person).filter(**{f"{entry}__slug": slug, "version": version})
    one = found.select_related(f"{entry}__maintainer", "reviewer").first()
    if one is None:
        raise NotFound(f"There is no such version of “{slug[:60]}”.", advice=f"Look at the {kind.family.word}'s page.")
    return one


def authoring_context(person: Person, version: PublishedVersion, tab: str, facts: Facts) -> dict[str, Any]:
    """Return what the frame shows around a tab of a version's authoring pages."""
    state, family = State(version.state), version.family
    author = version.entry.maintainer_id == person.pk
    writes = author and may(person, family.author)
    return {
        "family": family,
        "entry": version.entry,
        family.entry: version.entry,
        "version": version,
        "tab": tab,
        "tabs": family.tabs,
        "state": state,
        "state_words": family.words_of(state),
        "tone": tone_of(state),
        "steps": steps_of(version, facts),
        "is_author": author,
        "can_write": writes and version.is_editable,
        "can_delete": writes and state in DELETABLE,
        "changed_at": version.changes.order_by("-id").values_list("at", flat=True).first(),
    }


def steps_of(version: PublishedVersion, facts: Facts) -> list[Step]:
    """List what somebody may do with a version from its head: what has a page of its own is left out."""
    return [
        Step(one, obstacles(one, facts))
        for one in open_to(State(version.state), facts)
        if one.name in STEPS_OF_THE_HEAD
    ]


def history_of(version: PublishedVersion) -> list[Told]:
    """Tell a version's changes, its evidence, and what was said of it and its readers; the newest first."""
    family, rows = version.family, version
    told = [
        Told(
            at=one.at,
            title=TRANSITIONS[one.transition].title if one.transition in TRANSITIONS else one.transition,
            who=one.person.display_name if one.person else "the platform",
            before=family.words_of(State(one.before)),
            after=family.words_of(State(one.after)),
            tone=tone_of(State(one.after)),
            text=one.reason,
        )
        for one in rows.changes.select_related("person")
    ]
    told += [
        Told(
            at=one.at,
            title=family.evidence.get(one.kind, one.kind),
            who="the platform",
            after="passed" if one.passed else "not passed",
            tone="ok" if one.passed else "bad",
            text=one.summary,
        )
        for one in rows.evidence.all()
    ]
    told += _from_the_trail(version)
    return sorted(told, key=lambda one: one.at, reverse=True)


def _from_the_trail(version: PublishedVersion) -> list[Told]:
    titles = {f"{version.family.namespace}.{name}": title for name, title in TRAIL.items()}
    lines = audit.entries(subject=version.subject).filter(details__version=version.version)
    deleted = lines.filter(action=f"{version.family.namespace}.{DELETED}")
    gone = deleted.order_by("-pk").values_list("pk", flat=True).first() or 0
    lines = lines.filter(action__in=titles, pk__gt=gone)  # not those of an earlier one of the same name
    names = names_of(one.actor for one in lines)
    return [
        Told(
            at=one.at,
            title=titles[one.action],
            who=names.get(one.actor, "the platform"),
            after=str(one.details.get("visibility", "")),
            text=_what_changed(one.details),
        )
        for one in lines
    ]


def _what_changed(details: Mapping[str, Any]) -> str:
    labels = [terms.TERMS[key].label if key in terms.TERMS else key for key in details.get("terms", ())]
    return ", ".join([*labels, *details.get("people", ()), *details.get("teams", ())])


def writer_of(person: Person, version: PublishedVersion) -> terms.Writer | None:
    """Say whose terms of a version the person may write now: its author's, the moderators', or none."""
    if version.entry.maintainer_id == person.pk:
        return terms.Writer.AUTHOR if version.is_editable and may(person, version.family.author) else None
    judged = State(version.state) in REVIEWABLE | {State.APPROVED}
    return terms.Writer.MODERATOR if judged and may(person, version.family.moderate) else None


def replacing_terms(
    person: Person, version: PublishedVersion, wanted: Mapping[str, Any], stored: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the changes after which a version has exactly the wanted terms, as far as the person writes them.

    What stays as it is, is left out, so that others' terms may be sent back unchanged; `stored` are all its terms.
    """
    writer = writer_of(person, version)
    gone = {
        key: ""
        for key in version.metadata
        if key not in wanted and key not in {version.family.naming, "version"} and terms.writer_of(key) is writer
    }
    return gone | {key: value for key, value in wanted.items() if stored.get(key) != value}


def home_tab(version: PublishedVersion) -> str:
    """Name the tab that matters most in the version's state."""
    return version.family.home_tabs.get(State(version.state), "history")
