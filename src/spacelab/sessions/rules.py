"""Decisions about sessions: the quota, and the one rule for idle sessions."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from spacelab.kit.refusals import Invalid, OverQuota
from spacelab.workloads.rules import Profile

TITLE_LENGTH = 120
"""Characters that a session's title may have, in any script."""

EXTEND_HOURS = (4, 12, 24, 72)
"""How long a session can be kept without activity by one click, in hours from now."""

LONGEST_EXTENSION = timedelta(hours=72)
"""Nobody keeps an idle session longer than this without coming back to it."""

BUSY_CORE_SHARE = 0.05
"""Use of more than this share of one core counts as work."""


@dataclass(frozen=True)
class Amount:
    """A number of sessions, CPU cores and MiB of memory: a quota, or what is used of it."""

    sessions: int = 0
    cpu: float = 0
    memory_mb: int = 0

    def plus(self, other: Amount) -> Amount:
        """Add up."""
        return Amount(self.sessions + other.sessions, self.cpu + other.cpu, self.memory_mb + other.memory_mb)


def amount_of(profile: Profile) -> Amount:
    """Say what one session of this profile takes of a quota."""
    return Amount(1, profile.cpu, profile.memory_mb)


def fits(quota: Amount, used: Amount, profile: Profile) -> bool:
    """Say whether one more session of this profile stays within the quota."""
    wanted = used.plus(amount_of(profile))
    return wanted.sessions <= quota.sessions and wanted.cpu <= quota.cpu and wanted.memory_mb <= quota.memory_mb


def check_quota(quota: Amount, used: Amount, profile: Profile) -> None:
    """Raise `OverQuota`, saying which part is short and by how much, unless one more session fits."""
    if fits(quota, used, profile):
        return
    stop_one = "Stop a session that you no longer need"
    if used.sessions >= quota.sessions:
        raise OverQuota(
            f"You already have {used.sessions} of {quota.sessions} sessions.", advice=f"{stop_one}.", field="profile"
        )
    if used.cpu + profile.cpu > quota.cpu:
        missing, free = f"{profile.cpu:g} CPU cores", f"{max(quota.cpu - used.cpu, 0):g} of {quota.cpu:g} are free"
    else:
        left = max(quota.memory_mb - used.memory_mb, 0) / 1024
        missing, free = (
            f"{profile.memory_gib:g} GiB of memory",
            f"{left:g} of {quota.memory_mb / 1024:g} GiB are free",
        )
    raise OverQuota(
        f"“{profile.title}” needs {missing}, and {free} in your quota.",
        advice=f"Choose a smaller profile, or {stop_one[0].lower()}{stop_one[1:]}.",
        field="profile",
    )


def clean_title(title: str) -> str:
    """Return the title without surrounding blanks; any script is fine; raise `Invalid` if too long or unprintable."""
    cleaned = unicodedata.normalize("NFC", title).strip()
    if len(cleaned) > TITLE_LENGTH:
        raise Invalid(f"The title has {len(cleaned)} characters.", advice=f"Use at most {TITLE_LENGTH}.", field="title")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in cleaned):
        raise Invalid(
            "The title holds characters that can't be shown.", advice="Use letters, digits and signs.", field="title"
        )
    return cleaned


class Verdict(StrEnum):
    """What becomes of a running session now."""

    KEEP = "keep"
    WARN = "warn"
    STOP = "stop"


@dataclass(frozen=True)
class IdlePolicy:
    """After `limit` without activity a session is stopped; its owner is warned `warning` before."""

    limit: timedelta
    warning: timedelta

    @property
    def in_words(self) -> str:
        """The whole rule, as the pages and the documentation show it."""
        return (
            f"A session is stopped after {in_words(self.limit)} without activity, never while it computes. "
            f"Activity is a browser tab open on it, a busy kernel, or more than {BUSY_CORE_SHARE:.0%} of a core used. "
            f"You are warned {in_words(self.warning)} before, and one click keeps it longer. "
            "Everything in your workspace and your home stays."
        )


def in_words(length: timedelta) -> str:
    """Write a length of time with its two largest units, e.g. “7 h 30 min”."""
    seconds = max(int(length.total_seconds()), 0)
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    first = next((index for index, (_, size) in enumerate(units) if seconds >= size), len(units) - 1)
    parts: list[str] = []
    for unit, size in units[first : first + 2]:
        count, seconds = divmod(seconds, size)
        if count or not parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts)


def idle_deadline(active_at: datetime, keep_until: datetime | None, idle_limit: timedelta) -> datetime:
    """Say when a session has been idle for long enough: the limit after its last activity, or what its owner chose."""
    deadline = active_at + idle_limit
    return deadline if keep_until is None else max(deadline, keep_until)


def end_of_idleness(
    active_at: datetime, keep_until: datetime | None, warned_at: datetime | None, policy: IdlePolicy
) -> datetime:
    """Say when the session is stopped if nothing happens: a warning always leaves its whole time.

    A platform that was down past the deadline therefore warns first, and meanwhile sees what is computing.
    """
    deadline = idle_deadline(active_at, keep_until, policy.limit)
    return deadline if warned_at is None else max(deadline, warned_at + policy.warning)


def verdict(
    now: datetime,
    *,
    active_at: datetime,
    keep_until: datetime | None,
    warned_at: datetime | None,
    policy: IdlePolicy,
) -> Verdict:
    """Decide about a running session: keep it, warn its owner, or stop it; never a stop without a warning before."""
    if now < idle_deadline(active_at, keep_until, policy.limit) - policy.warning:
        return Verdict.KEEP
    if warned_at is None or warned_at < active_at:
        return Verdict.WARN
    if now >= end_of_idleness(active_at, keep_until, warned_at, policy):
        return Verdict.STOP
    return Verdict.WARN
