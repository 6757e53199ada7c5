"""The life of a version from an author's draft to the archive: one table, from which code, tests and pages are made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from spacelab.kit.refusals import Conflict, Forbidden, Invalid


class State(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    BUILDING = "building"
    BUILT = "built"
    BUILD_FAILED = "build-failed"
    TESTING = "testing"
    SUBMITTED = "submitted"
    IN_REVIEW = "in-review"
    CHANGES_REQUESTED = "changes-requested"
    REJECTED = "rejected"
    APPROVED = "approved"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    ARCHIVED = "archived"
    WITHDRAWN = "withdrawn"

    @property
    def words(self) -> str:
        """The state as people read it."""
        return self.value.replace("-", " ")


EDITABLE = frozenset(
    {State.DRAFT, State.BUILT, State.BUILD_FAILED, State.TESTING, State.CHANGES_REQUESTED, State.WITHDRAWN}
)
"""The author may change files and metadata."""
DELETABLE = EDITABLE | {State.REJECTED}
"""Never published, and nobody is looking at it: the author may delete it."""
RUNNABLE = frozenset({State.BUILT, State.TESTING, State.SUBMITTED, State.IN_REVIEW, State.CHANGES_REQUESTED})
RUNNABLE |= {State.APPROVED, State.WITHDRAWN, State.REJECTED}
"""Not published, and something was built: those may launch it who may try it."""
OFFERED = frozenset({State.PUBLISHED, State.SUPERSEDED})
"""In the catalogue for those whom its visibility admits."""
KEPT = OFFERED | {State.ARCHIVED}
"""Frozen for good: content, image and metadata never change again."""
REVIEWABLE = frozenset({State.SUBMITTED, State.IN_REVIEW})
"""With the moderators."""


class Who(StrEnum):
    """Who may make a transition."""

    AUTHOR = "author"
    MODERATOR = "moderator"
    OPERATOR = "operator"
    PLATFORM = "platform"


class Need(StrEnum):
    """What has to hold before a transition; the value says so to the person whom it hinders."""

    PACKAGE = "It needs files to build from."
    BUILD = "It has to be built first."
    METADATA = "Mandatory metadata are missing."
    LAUNCH_TEST = "This build has not passed its launch test."
    GATE = "Its contents don't pass the platform's rule on vulnerabilities."
    REASON = "A reason is needed, which its author will read."
    CHECKLIST = "The checklist is not finished."
    NEWER = "A published version has the same number, or a higher one."
    STEPS = "It uses steps that nobody else finds: publish them first, or with it."
    ROLE = "Publishing takes the role of a developer: ask an operator for it."
    OTHER_EYES = "Nobody decides about her own work."


@dataclass(frozen=True)
class Transition:
    """One row of the table: from any state of `sources` to `target`, made by one of `who`, if all `needs` hold.

    `tells` names who hears of it: `author`, `moderators`, `followers` (who bookmarked it), `reviewer`.
    """

    name: str
    title: str
    sources: frozenset[State]
    target: State
    who: frozenset[Who]
    needs: tuple[Need, ...] = ()
    tells: tuple[str, ...] = ()


def _row(
    name: str, title: str, sources: Iterable[State], target: State, who: Iterable[Who], *needs: Need, tells: str = ""
) -> Transition:
    return Transition(name, title, frozenset(sources), target, frozenset(who), needs, tuple(tells.split()))


S, W, N = State, Who, Need
TRANSITIONS: dict[str, Transition] = {
    row.name: row
    for row in (
        _row("build", "Build", EDITABLE, S.BUILDING, {W.AUTHOR}, N.PACKAGE),
        _row("build-done", "Build has ended well", {S.BUILDING}, S.BUILT, {W.PLATFORM}, tells="author"),
        _row("build-failed", "Build has failed", {S.BUILDING}, S.BUILD_FAILED, {W.PLATFORM}, tells="author"),
        _row("build-cancelled", "Build was cancelled", {S.BUILDING}, S.DRAFT, {W.PLATFORM}),
        _row("test", "Test", {S.BUILT, S.TESTING}, S.TESTING, {W.AUTHOR, W.PLATFORM}, N.BUILD),
        _row("edit", "Change what was built", EDITABLE - {S.DRAFT}, S.DRAFT, {W.AUTHOR}),
        _row(
            "submit",
            "Submit for review",
            {S.BUILT, S.TESTING, S.CHANGES_REQUESTED, S.WITHDRAWN},
            S.SUBMITTED,
            {W.AUTHOR},
            N.BUILD,
            N.METADATA,
            N.NEWER,
            N.LAUNCH_TEST,
            N.GATE,
            N.STEPS,
            N.ROLE,
            tells="moderators",
        ),
        _row("withdraw", "Withdraw", {S.SUBMITTED, S.CHANGES_REQUESTED}, S.WITHDRAWN, {W.AUTHOR}, tells="moderators"),
        _row("take", "Take for review", {S.SUBMITTED}, S.IN_REVIEW, {W.MODERATOR}, N.OTHER_EYES, tells="author"),
        _row("give-back", "Give back to the queue", {S.IN_REVIEW}, S.SUBMITTED, {W.MODERATOR}),
        _row(
            "request-changes",
            "Ask for changes",
            {S.IN_REVIEW},
            S.CHANGES_REQUESTED,
            {W.MODERATOR},
            N.OTHER_EYES,
            N.REASON,
            tells="author",
        ),
        _row("reject", "Reject", {S.IN_REVIEW}, S.REJECTED, {W.MODERATOR}, N.OTHER_EYES, N.REASON, tells="author"),
        _row(
            "approve",
            "Approve",
            {S.IN_REVIEW},
            S.APPROVED,
            {W.MODERATOR},
            N.OTHER_EYES,
            N.CHECKLIST,
            N.GATE,
            tells="author",
        ),
        _row(
            "publish",
            "Publish",
            {S.APPROVED},
            S.PUBLISHED,
            {W.AUTHOR},
            N.BUILD,
            N.NEWER,
            N.GATE,
            N.STEPS,
            N.ROLE,
            tells="followers",
        ),
        _row("supersede", "A newer version was published", {S.PUBLISHED}, S.SUPERSEDED, {W.PLATFORM}),
        _row(
            "archive",
            "Archive",
            OFFERED,
            S.ARCHIVED,
            {W.AUTHOR, W.MODERATOR, W.OPERATOR},
            N.REASON,
            tells="author followers",
        ),
        _row("reinstate", "Bring back from the archive", {S.ARCHIVED}, S.SUPERSEDED, {W.AUTHOR, W.MODERATOR}),
    )
}
"""Every way that a version may go, by name. A reinstated version comes back beside what is published, not before it."""


@dataclass(frozen=True)
class Facts:
    """What is known when somebody wants a transition: as whom she may act, and which needs do not hold.

    `details` says more about a need, e.g. which terms are missing.
    """

    acting: frozenset[Who]
    lacking: frozenset[Need] = frozenset()
    details: tuple[tuple[Need, str], ...] = ()

    def said(self, need: Need) -> str:
        """Return the need as a sentence, with what is known beyond it."""
        return " ".join([need.value, *(text for about, text in self.details if about is need)])


def obstacles(transition: Transition, facts: Facts) -> list[str]:
    """Say what still hinders somebody who may make it; empty if nothing does."""
    return [facts.said(need) for need in transition.needs if need in facts.lacking]


def open_to(state: State, facts: Facts) -> list[Transition]:
    """List the transitions that these people may make from a state, in the table's order, hindered or not."""
    return [row for row in TRANSITIONS.values() if state in row.sources and row.who & facts.acting]


def check(name: str, state: State, facts: Facts) -> Transition:
    """Return the transition, or raise `Conflict`, `Forbidden` or `Invalid` with what to do.

    The state is looked at last, so that nobody learns it who may not make the transition at all.
    """
    transition = TRANSITIONS.get(name)
    if transition is None:
        raise Invalid(f"There is no step “{name[:40]}”.", advice=f"Use one of: {', '.join(TRANSITIONS)}.")
    if not transition.who & facts.acting:
        raise Forbidden(
            f"“{transition.title}” is for the {_words(transition.who)}.", advice="Ask them, or look at your own."
        )
    if state not in transition.sources:
        raise Conflict(
            f"“{transition.title}” is not possible: the version is {state.words}.",
            advice="Somebody may have moved it meanwhile; look at its history.",
        )
    if hindered := obstacles(transition, facts):
        raise Conflict(" ".join(hindered), advice="Mend that and try again.")
    return transition


def _words(who: frozenset[Who]) -> str:
    return " or ".join(one.value for one in Who if one in who)
