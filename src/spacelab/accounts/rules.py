"""Decisions about accounts: names, token form and scopes, how long things last, when sign-in is throttled."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

USERNAME = r"^[a-z][a-z0-9_-]{1,38}[a-z0-9]$"
USERNAME_ADVICE = (
    "Use 3 to 40 lower-case letters, digits, hyphens or underscores; "
    "start with a letter and end with a letter or digit."
)
TEAM_SLUG = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,58}[A-Za-z0-9]$"
TEAM_SLUG_ADVICE = "Use 2 to 60 letters, digits, hyphens or underscores; it names the team's folder."

TOKEN_PREFIX = "slt_"  # noqa: S105  the public beginning of every token, so that leaked ones can be searched for
TOKEN_LIFETIMES_DAYS = (1, 7, 30, 90, 365)
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
    ACCOUNT = "account"


def throttled(*, failures_for_name: int, failures_from_address: int) -> bool:
    """Say whether one more sign-in attempt has to wait."""
    return failures_for_name >= THROTTLE_PER_NAME or failures_from_address >= THROTTLE_PER_ADDRESS
