"""Decisions about feedback: what a rating is, what a comment may hold, why one reports, and how a report ends."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from spacelab.kit.refusals import Invalid

STARS = (1, 2, 3, 4, 5)
LONGEST_COMMENT = 4000
LONGEST_NOTE = 2000
"""Characters of a reason, of what is reported, and of what was done about it."""
LONGEST_SUBJECT = 120
"""Characters of what is talked about, `<kind>:<name>`, as the audit trail names it."""
MOST_COMMENTS_AN_HOUR = 30
MOST_REPORTS_AN_HOUR = 10
"""What one person may write; more of it in an hour is a program, or anger."""
ONCE_WITHIN = timedelta(minutes=10)
"""The same words in the same place within this time are one comment that was sent twice."""


class Reason(StrEnum):
    """Why somebody reports an entry or a comment."""

    BROKEN = "broken"
    MISLEADING = "misleading"
    HARMFUL = "harmful"
    RIGHTS = "rights"
    UNWANTED = "unwanted"
    OTHER = "other"


REASON_WORDS = {
    Reason.BROKEN: "It does not start, or does not work",
    Reason.MISLEADING: "What it says is wrong",
    Reason.HARMFUL: "It harms: it is insecure, or takes data",
    Reason.RIGHTS: "It uses what belongs to others",
    Reason.UNWANTED: "It is abuse or advertising",
    Reason.OTHER: "Something else",
}
COMMENT_REASONS = (Reason.UNWANTED, Reason.MISLEADING, Reason.RIGHTS, Reason.OTHER)
"""The reasons that fit a comment; all fit an entry."""


class ReportState(StrEnum):
    """Where a report stands."""

    OPEN = "open"
    SETTLED = "settled"


class Outcome(StrEnum):
    """What was done about a report."""

    NOTHING = "nothing"
    HIDDEN = "hidden"
    PASSED_ON = "passed-on"
    DONE = "done"


OUTCOME_WORDS = {
    Outcome.NOTHING: "Nothing needs to be done",
    Outcome.HIDDEN: "The comment is hidden",
    Outcome.PASSED_ON: "It is passed on to the author",
    Outcome.DONE: "It is dealt with",
}


def reasons_for(*, comment: bool) -> Mapping[Reason, str]:
    """Return the reasons that fit a comment, or an entry, with their words."""
    return {one: words for one, words in REASON_WORDS.items() if not comment or one in COMMENT_REASONS}


def outcomes_for(*, comment: bool) -> Mapping[Outcome, str]:
    """Return what can be done about a comment, or an entry, with the words for it."""
    return {one: words for one, words in OUTCOME_WORDS.items() if comment or one is not Outcome.HIDDEN}


def clean_stars(stars: int) -> int:
    """Return a rating; raise `Invalid` unless it is a whole number of one to five stars."""
    if stars not in STARS:
        raise Invalid("That is no rating.", advice="Give one to five stars.", field="stars")
    return stars


def clean_reason(reason: str, *, comment: bool) -> Reason:
    """Return why something is reported; raise `Invalid` for what is not offered."""
    offered = reasons_for(comment=comment)
    if reason not in set(offered):
        raise Invalid("Choose a reason.", advice=f"It is one of: {', '.join(offered)}.", field="reason")
    return Reason(reason)


def clean_outcome(outcome: str, *, comment: bool) -> Outcome:
    """Return what was done; raise `Invalid` for what is not offered."""
    offered = outcomes_for(comment=comment)
    if outcome not in set(offered):
        raise Invalid("Say what was done.", advice=f"It is one of: {', '.join(offered)}.", field="outcome")
    return Outcome(outcome)


def clean_text(
    text: str, *, what: str = "The comment", field: str = "text", longest: int = LONGEST_COMMENT, needed: bool = True
) -> str:
    """Return a text of several lines without space around it; raise `Invalid` if nothing can be seen, or too much."""
    tidy = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    tidy = "".join(one for one in tidy if one in "\n\t" or unicodedata.category(one) not in {"Cc", "Cs"}).strip()
    if not any(one.isprintable() and not one.isspace() for one in tidy):
        tidy = ""
    if needed and not tidy:
        raise Invalid(f"{what} is empty.", advice="Write what you think.", field=field)
    if len(tidy) > longest:
        raise Invalid(f"{what} is too long.", advice=f"Use at most {longest} characters.", field=field)
    return tidy
