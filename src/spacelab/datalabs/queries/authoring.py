"""What the authoring pages show of a version, and to whom they open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, names_of
from spacelab.audit import queries as audit
from spacelab.datalabs import rules
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.datalabs.queries.lifecycle import facts_of, terms_of
from spacelab.datalabs.queries.people import may_author
from spacelab.datalabs.queries.seeing import inside_for, lineage_of
from spacelab.kit.refusals import NotFound, NotSignedIn
from spacelab.publishing.rules import (
    DELETABLE,
    REVIEWABLE,
    TRANSITIONS,
    Need,
    State,
    Transition,
    obstacles,
    open_to,
    terms,
)


@dataclass(frozen=True)
class Step:
    """A transition that somebody may make now, what still hinders her, and whether she has to give a reason."""

    transition: Transition
    lacking: list[str]

    @property
    def asks_reason(self) -> bool:
        """Whether its author will want to read why."""
        return Need.REASON in self.transition.needs


def authored_by(person: Person) -> QuerySet[DatalabVersion]:
    """List every version of the datalabs that the person maintains, by datalab, the newest first."""
    mine = DatalabVersion.objects.filter(datalab__maintainer=person).select_related("datalab")
    return mine.order_by("datalab__search_text", "datalab__slug", "-id")


def find_authored(person: Person | AnonymousUser, slug: str, version: str) -> DatalabVersion:
    """Find a version whose authoring pages the person may open; raise `NotSignedIn`, or `NotFound` for all others.

    Those are its author, moderators of what is or was handed to them, and operators of what was published.
    """
    if not isinstance(person, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in to see what you wrote.")
    found = inside_for(person).filter(datalab__slug=slug, version=version)
    one = found.select_related("datalab__maintainer", "reviewer").first()
    if one is None:
        raise NotFound(f"There is no such version of “{slug[:60]}”.", advice="Look at the datalab's page.")
    return one


def authoring_context(person: Person, version: DatalabVersion, tab: str) -> dict[str, Any]:
    """Return what `datalabs/authoring.html` shows around a tab of a version's authoring pages."""
    state = State(version.state)
    author = version.datalab.maintainer_id == person.pk
    writes = author and may_author(person)
    return {
        "datalab": version.datalab,
        "version": version,
        "tab": tab,
        "tabs": rules.AUTHORING_TABS,
        "state": state,
        "tone": rules.tone_of(state),
        "steps": steps_of(person, version),
        "lineage": lineage_of(person, version),
        "is_author": author,
        "can_write": writes and version.is_editable,
        "can_delete": writes and state in DELETABLE,
        "changed_at": version.changes.order_by("-id").values_list("at", flat=True).first(),
    }


def steps_of(person: Person, version: DatalabVersion) -> list[Step]:
    """List what the person may do with a version from its head: what has a page of its own is left out."""
    facts = facts_of(person, version, reason="asked for with the step")
    return [
        Step(one, obstacles(one, facts))
        for one in open_to(State(version.state), facts)
        if one.name in rules.STEPS_OF_THE_HEAD
    ]


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


def history_of(version: DatalabVersion) -> list[Told]:
    """Tell a version's changes, its evidence, and what was said of it and its readers; the newest first."""
    told = [
        Told(
            at=one.at,
            title=TRANSITIONS[one.transition].title if one.transition in TRANSITIONS else one.transition,
            who=one.person.display_name if one.person else "the platform",
            before=State(one.before).words,
            after=State(one.after).words,
            tone=rules.tone_of(State(one.after)),
            text=one.reason,
        )
        for one in version.changes.select_related("person")
    ]
    told += [
        Told(
            at=one.at,
            title=rules.EVIDENCE_TITLES[rules.EvidenceKind(one.kind)],
            who="the platform",
            after="passed" if one.passed else "not passed",
            tone="ok" if one.passed else "bad",
            text=one.summary,
        )
        for one in version.evidence.all()
    ]
    told += _from_the_trail(version)
    return sorted(told, key=lambda one: one.at, reverse=True)


def _from_the_trail(version: DatalabVersion) -> list[Told]:
    lines = audit.entries(subject=version.subject).filter(details__version=version.version)
    gone = lines.filter(action=rules.DELETED).order_by("-pk").values_list("pk", flat=True).first() or 0
    lines = lines.filter(action__in=rules.TRAIL_TITLES, pk__gt=gone)  # not those of an earlier one of the same name
    names = names_of(one.actor for one in lines)
    return [
        Told(
            at=one.at,
            title=rules.TRAIL_TITLES[one.action],
            who=names.get(one.actor, "the platform"),
            after=str(one.details.get("visibility", "")),
            text=_what_changed(one.details),
        )
        for one in lines
    ]


def _what_changed(details: Mapping[str, Any]) -> str:
    labels = [terms.TERMS[key].label if key in terms.TERMS else key for key in details.get("terms", ())]
    return ", ".join([*labels, *details.get("people", ()), *details.get("teams", ())])


def writer_of(person: Person, version: DatalabVersion) -> terms.Writer | None:
    """Say whose terms of a version the person may write now: its author's, the moderators', or none."""
    if version.datalab.maintainer_id == person.pk:
        return terms.Writer.AUTHOR if version.is_editable and may_author(person) else None
    judged = State(version.state) in REVIEWABLE | {State.APPROVED}
    return terms.Writer.MODERATOR if judged and may(person, DatalabPermission.MODERATE) else None


def replacing_terms(
    person: Person, version: DatalabVersion, wanted: Mapping[str, Any], url: str = ""
) -> dict[str, Any]:
    """Return the changes after which a version has exactly the wanted terms, as far as the person writes them.

    What stays as it is, is left out, so that others' terms may be sent back unchanged; `url` is as in `terms_of`.
    """
    writer = writer_of(person, version)
    stored = terms_of(version, url)
    gone = {
        key: ""
        for key in version.metadata
        if key not in wanted and key not in {"alternateName", "version"} and terms.writer_of(key) is writer
    }
    return gone | {key: value for key, value in wanted.items() if stored.get(key) != value}


def home_tab(version: DatalabVersion) -> str:
    """Name the tab that matters most in the version's state."""
    return rules.HOME_TABS.get(State(version.state), "history")
