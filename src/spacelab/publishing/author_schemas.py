"""What authors' operations of the API send and get, whatever is written: steps, visibility, history, terms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field

from spacelab.accounts.models import Person
from spacelab.accounts.queries import acting_people, teams_of
from spacelab.kit.parts import LARGEST_NUMBER
from spacelab.kit.refusals import Invalid
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.queries import Step
from spacelab.publishing.rules import SHARED, Visibility


class AuthorStepOut(Schema):
    """A step that you may make from here, and what it still lacks."""

    step: str
    title: str
    state: str
    """Where it leads."""
    asks_reason: bool
    lacking: list[str]


class AuthorStepIn(Schema):
    """submit, withdraw, publish, archive or reinstate; with `revision`, only as long as nobody has moved it since."""

    step: str = Field(max_length=40)
    revision: int | None = Field(default=None, ge=0, le=LARGEST_NUMBER)
    reason: str = ""


class VisibilityIn(Schema):
    """For whom it is: private, people (usernames), teams (short names) or everybody."""

    visibility: Visibility
    people: list[str] = Field(default=[], max_length=1000)
    teams: list[str] = Field(default=[], max_length=1000)


class ToldOut(Schema):
    """One line of the history: a change of the state, or evidence that was found."""

    at: datetime
    title: str
    who: str
    before: str
    after: str
    text: str


class TermsIn(Schema):
    """Terms by their names; dotted names are not nested."""

    terms: dict[str, Any]


class TermsOut(Schema):
    """All terms of a version; `missing` names the mandatory ones without a value, `writer` whose of them you write."""

    terms: dict[str, Any]
    missing: list[str]
    writer: str


class NotUnderstood(Schema):
    """Something in a file that is not kept, and why."""

    key: str
    message: str
    advice: str


class TermsTaken(TermsOut):
    """The terms after a file was taken in, and what of the file was left."""

    not_understood: list[NotUnderstood]


def steps_out(steps: list[Step]) -> list[dict[str, Any]]:
    """Return the steps that are open to somebody, as they are sent."""
    return [
        {
            "step": one.transition.name,
            "title": one.transition.title,
            "state": one.transition.target,
            "asks_reason": one.asks_reason,
            "lacking": one.lacking,
        }
        for one in steps
    ]


def readers_of(person: Person, version: PublishedVersion, wanted: VisibilityIn) -> dict[str, Any]:
    """Return what `share` takes for what was asked; raise `Invalid` for names that nobody has."""
    people = named(acting_people(), "username", {one.casefold() for one in wanted.people}, "people")
    mine = teams_of(person) | version.teams.all()
    teams = named(mine.distinct(), "slug", set(wanted.teams), "teams")
    if wanted.visibility not in SHARED and (people or teams):
        raise Invalid("Whoever is named sees it only with the visibility people or teams.", field="visibility")
    return {"visibility": wanted.visibility, "people": people, "teams": teams}


def named(rows: Any, key: str, names: set[str], field: str) -> list[Any]:
    """Find those who are named; raise `Invalid` for a name that nobody has."""
    found = list(rows.filter(**{f"{key}__in": names}))
    if unknown := sorted(names - {getattr(one, key) for one in found}):
        raise Invalid(
            f"Nobody here is called {', '.join(unknown)[:300]}.", advice="Check how it is spelled.", field=field
        )
    return found
