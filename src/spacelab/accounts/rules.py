"""Decisions about accounts: names, token form and scopes, how long things last, when sign-in is throttled."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from enum import StrEnum

from spacelab.kit.refusals import Invalid

USERNAME = r"^[a-z][a-z0-9_-]{1,38}[a-z0-9]$"
USERNAME_ADVICE = (
    "Use 3 to 40 lower-case letters, digits, hyphens or underscores; "
    "start with a letter and end with a letter or digit."
)
TEAM_SLUG = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,58}[A-Za-z0-9]$"
TEAM_SLUG_ADVICE = "Use 2 to 60 letters, digits, hyphens or underscores; it names the team's folder."

TOKEN_PREFIX = "slt_"  # noqa: S105  the public beginning of every token, so that leaked ones can be searched for
TOKEN_LIFETIMES_DAYS = (1, 7, 30, 90, 365)
TOKEN_SHOWN = 12
"""Characters of a token that its list shows, so that its owner knows which one it is."""
TOKEN_USE_NOTED_EVERY = timedelta(minutes=1)
"""How exact "last used" is: a busy token is not a write for each request."""
WORKLOAD_TOKEN_LIFETIME = timedelta(days=90)
"""A workload's token ends with the workload; this is for the case that nobody tells us of the end."""
PASSWORD_LINK_LIFETIME = timedelta(hours=24)

THROTTLE_WINDOW = timedelta(minutes=15)
THROTTLE_PER_NAME = 8
"""Failed sign-ins for one name within the window before that name has to wait."""
THROTTLE_PER_ADDRESS = 40
"""Failed sign-ins from one address within the window before that address has to wait."""


class Scope(StrEnum):
    """What a token may be used for; a token never allows more than its person's roles do."""

    READ = "read"
    SESSIONS = "sessions"
    RUNS = "runs"
    AUTHOR = "author"
    PUBLISH = "publish"
    REVIEW = "review"
    FEEDBACK = "feedback"
    ACCOUNT = "account"


SCOPE_MEANINGS = {
    Scope.READ: "Read what you can see: your account, datalabs, volumes, sessions, runs",
    Scope.SESSIONS: "Launch, use and stop your sessions",
    Scope.RUNS: "Launch pipelines, and control and remove your runs",
    Scope.AUTHOR: "Bring packages, build and test them, write their metadata, delete your drafts",
    Scope.PUBLISH: "Submit, withdraw, publish, archive and share your versions",
    Scope.REVIEW: "Comment on versions under review; for moderators, decide about them",
    Scope.FEEDBACK: "Bookmark, rate, comment and report what you can see",
    Scope.ACCOUNT: "Manage your teams, invitations and notifications, and revoke your tokens",
}


ACCESS_REQUESTS_PER_ADDRESS = 5
"""Requests for access from one address within an hour."""
ACCESS_REQUEST_WINDOW = timedelta(hours=1)

LONGEST_NAME = 120
"""Characters of a person's or team's name."""
LONGEST_AFFILIATION = 200
LONGEST_TEXT = 2000
"""Characters of a purpose or a reason."""


def throttled(*, failures_for_name: int, failures_from_address: int) -> bool:
    """Say whether one more sign-in attempt has to wait."""
    return failures_for_name >= THROTTLE_PER_NAME or failures_from_address >= THROTTLE_PER_ADDRESS


def one_line(text: str, *, field: str, longest: int, what: str = "A name", needed: bool = True) -> str:
    """Tidy a line that a person entered, in any script; raise `Invalid` when it is empty, too long or unprintable."""
    tidy = " ".join(unicodedata.normalize("NFC", text).split())
    if needed and not tidy:
        raise Invalid(f"{what} can't be empty.", field=field)
    if len(tidy) > longest:
        raise Invalid(f"{what} may have up to {longest} characters; this has {len(tidy)}.", field=field)
    if any(_hides(one) for one in tidy):
        raise Invalid(f"{what} can't hold control characters.", advice="Type it again without them.", field=field)
    return tidy


def several_lines(text: str, *, field: str, what: str) -> str:
    """Tidy a text that a person entered; raise `Invalid` when it is empty or too long."""
    tidy = unicodedata.normalize("NFC", text).replace("\x00", "").strip()
    if not tidy:
        raise Invalid(f"{what} can't be empty.", field=field)
    if len(tidy) > LONGEST_TEXT:
        raise Invalid(f"{what} may have up to {LONGEST_TEXT} characters; this has {len(tidy)}.", field=field)
    return tidy


def _hides(character: str) -> bool:
    """Say whether a character is invisible or turns the direction of what follows."""
    kind = unicodedata.category(character)
    joiner = character in "\u200c\u200d"  # Persian and several Indic scripts need these two
    return kind in {"Cc", "Cs", "Co", "Cn"} or (kind == "Cf" and not joiner)


def username(text: str, *, field: str = "username") -> str:
    """Return a username of the right form, or raise `Invalid`."""
    tidy = text.strip().lower()
    if not re.fullmatch(USERNAME, tidy):
        raise Invalid("This can't be a username.", advice=USERNAME_ADVICE, field=field)
    return tidy


def team_slug(text: str) -> str:
    """Return a team's slug of the right form, or raise `Invalid`."""
    tidy = text.strip()
    if not re.fullmatch(TEAM_SLUG, tidy):
        raise Invalid("This can't name a team's folder.", advice=TEAM_SLUG_ADVICE, field="slug")
    return tidy


def proposed_slug(name: str) -> str:
    """Propose a folder name for a team: its name in ASCII with hyphens; `team` when nothing of it is ASCII."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-_")[:50].strip("-_")
    return slug if re.fullmatch(TEAM_SLUG, slug) else "team"
