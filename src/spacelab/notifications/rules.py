"""Decisions about news: their kinds, what a person hears unless she chooses, what a line may hold, when mail goes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What news are about."""

    REVIEW_WANTED = "review-wanted"
    REVIEW_DECISION = "review-decision"
    BUILD_ENDED = "build-ended"
    VERSION_PUBLISHED = "version-published"
    VERSION_ARCHIVED = "version-archived"
    COMMENT = "comment"
    ANSWER = "answer"
    REPORT = "report"
    DATALAB_BROKEN = "datalab-broken"
    RUN_ENDED = "run-ended"
    SESSION_WARNING = "session-warning"
    SESSION_ENDED = "session-ended"
    TEAM_INVITATION = "team-invitation"
    ACCESS_REQUEST = "access-request"


class Mail(StrEnum):
    """When news of a kind come by mail."""

    NEVER = "never"
    SOON = "soon"
    DAILY = "daily"


MAIL_MEANINGS = {Mail.NEVER: "No mail", Mail.SOON: "At once", Mail.DAILY: "Once a day"}


@dataclass(frozen=True)
class Choice:
    """Where a person wants to hear news of one kind."""

    bell: bool = True
    mail: Mail = Mail.NEVER
    feed: bool = True


@dataclass(frozen=True)
class Facts:
    """What is said of a kind, what holds until a person chooses, and who hears such news at all.

    `permission` is one that a role has to allow; empty where everybody may hear them.
    """

    title: str
    hint: str
    default: Choice = Choice()
    permission: str = ""


_SOON = Choice(mail=Mail.SOON)

KINDS: dict[Kind, Facts] = {
    Kind.REVIEW_WANTED: Facts(
        "Review wanted", "A version waits for a moderator.", Choice(mail=Mail.DAILY), "datalabs.moderate"
    ),
    Kind.REVIEW_DECISION: Facts("Decision on your version", "What a moderator decided, and why.", _SOON),
    Kind.BUILD_ENDED: Facts("Build ended", "A build of yours came out or failed."),
    Kind.VERSION_PUBLISHED: Facts("New version", "A datalab that you bookmarked has a new version."),
    Kind.VERSION_ARCHIVED: Facts("Version archived", "A version that you used or bookmarked is archived."),
    Kind.COMMENT: Facts("Comment", "Somebody wrote about a datalab of yours.", Choice(mail=Mail.DAILY)),
    Kind.ANSWER: Facts("Answer", "Somebody answered what you wrote.", _SOON),
    Kind.REPORT: Facts("Report", "Somebody reported a problem, or your report was settled.", _SOON),
    Kind.DATALAB_BROKEN: Facts("Datalab broken", "A datalab of yours no longer starts.", _SOON),
    Kind.RUN_ENDED: Facts("Run ended", "A run of a pipeline of yours succeeded, failed or was interrupted."),
    Kind.SESSION_WARNING: Facts("Session about to end", "The rule for idle sessions will soon end one of yours."),
    Kind.SESSION_ENDED: Facts("Session ended", "A session of yours was ended by a rule."),
    Kind.TEAM_INVITATION: Facts("Team invitation", "Somebody invites you into a team.", _SOON),
    Kind.ACCESS_REQUEST: Facts(
        "Request for access", "A visitor asks for an account.", _SOON, "accounts.decide-access-requests"
    ),
}
"""Every kind, in the order of the page on which people choose."""

LONGEST_TITLE = 200
LONGEST_TEXT = 1000
LONGEST_URL = 500
LONGEST_SUBJECT = 120
"""Characters that are kept of each."""

FOLD_WITHIN = timedelta(minutes=10)
"""The same news for the same person within this time are one line, with a count."""

GATHER = timedelta(minutes=1)
"""Mail waits so long for more news, which then come together."""
DAILY_AT = time(7, 0)
"""When the mail of the day goes, in UTC."""
MOST_IN_A_MAIL = 30
"""News that one mail lists; of the others it says how many there are."""

BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440))
"""How long the sender waits after each failure; after the last one it gives up: two days in all."""

PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)


def one_line(text: str, longest: int) -> str:
    """Make one line of a text that somebody wrote: without what is invisible or turns its direction, cut to length."""
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    tidy = " ".join("".join(one for one in spaced if not _hides(one)).split())
    return tidy if len(tidy) <= longest else tidy[: longest - 1].rstrip() + "…"


def _hides(character: str) -> bool:
    """Say whether a character is invisible or turns the direction of what follows."""
    kind = unicodedata.category(character)
    joiner = character in "\u200c\u200d"  # Persian and several Indic scripts need these two
    return kind in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} or (kind == "Cf" and not joiner)


def path_inside(url: str) -> str:
    """Return a path of the portal as it is, or nothing where it might lead elsewhere."""
    return url if len(url) <= LONGEST_URL and PATH.fullmatch(url) else ""


def mail_due_at(mail: Mail, now: datetime) -> datetime | None:
    """Say when news that are told now go by mail; None for never."""
    if mail is Mail.NEVER:
        return None
    if mail is Mail.SOON:
        return now + GATHER
    today = datetime.combine(now.date(), DAILY_AT, tzinfo=now.tzinfo)
    return today if today > now else today + timedelta(days=1)


def next_attempt(failures: int, now: datetime) -> datetime | None:
    """Say when mail that failed so many times is tried again; None for no more."""
    return now + BACK_OFF[failures - 1] if failures <= len(BACK_OFF) else None
