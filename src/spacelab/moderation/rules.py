"""Decisions about reviews: the checklist, the filters of the queue, and which steps are a moderator's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from spacelab.kit.refusals import Invalid


class Shown(StrEnum):
    """Which part of the queue somebody looks at."""

    ALL = "all"
    FREE = "free"
    MINE = "mine"


SHOWN_WORDS = {Shown.ALL: "All", Shown.FREE: "Free", Shown.MINE: "With me"}
STEPS = ("take", "give-back", "approve", "request-changes", "reject")
"""The transitions that are made from the review page."""
DECISIONS = STEPS[2:]


@dataclass(frozen=True)
class Point:
    """One point of the checklist: its name, what it asks, and how one finds out."""

    name: str
    words: str
    hint: str


CHECKLIST: dict[str, Point] = {
    point.name: point
    for point in (
        Point("purpose", "It says what it is for", "Title, abstract and description fit what it does."),
        Point(
            "metadata",
            "Its metadata are right",
            "Authors and contact are real, and nothing private stands in a public term.",
        ),
        Point("licence", "It may be shared", "Its licence allows it, and what it contains is named."),
        Point("files", "Its files are clean", "No secrets, no downloads of unknown origin, nothing that harms."),
        Point("dependencies", "Its dependencies are justified", "They are needed, and known vulnerabilities bearable."),
        Point("launch", "It works", "You have launched it, and it does what its description says."),
    )
}
"""What a moderator ticks before she approves, in the order of the page."""

LARGEST_LINE = 1_000_000


def clean_points(points: Collection[str]) -> set[str]:
    """Return the names of ticked points; raise `Invalid` for one that is not on the list."""
    for point in points:
        if point not in CHECKLIST:
            raise Invalid(
                f"The checklist has no point “{point[:40]}”.",
                advice=f"It has {', '.join(CHECKLIST)}.",
                field="points",
            )
    return set(points)


def clean_reason(text: str) -> str:
    """Return a reason without characters that no database keeps."""
    return text.replace("\0", "").strip()
