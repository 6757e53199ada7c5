"""Decisions about schedules: when the next time is, what was missed, which files of a folder are new and settled."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

LATE = timedelta(minutes=2)
"""A time that passed longer ago than this, without the controller having been there, was missed."""
MOST_CAUGHT_UP = 24
"""Missed times of which each gets its run; older ones are left out, and said to be."""
AWAY = "The platform was not running then."
MOST_DUE = 2000
"""Times that are counted one by one from the first one that was missed."""
COUNTED = timedelta(days=7)
"""Beyond those, how far back from now times are counted."""
MOST_FILES = 5000
"""Files of a watched folder that are remembered."""
MOST_FILES_OF_A_RUN = 1000
MOST_PATTERNS = 20
LONGEST_PATTERN = 200
LONGEST_CRON = 120
SETTLE_SECONDS = 30
SHORTEST_SETTLE, LONGEST_SETTLE = 2, 86_400
UNFINISHED_NAMES = ("*.part", "*.partial", "*.tmp", "*.crdownload", "*.filepart", "*~", ".*")
"""Names that programs give to files that they still write."""
SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
CRON_FIELDS = 5


class Trigger(StrEnum):
    """What starts the runs of a schedule."""

    TIME = "time"
    FILES = "files"


class Missed(StrEnum):
    """What happens to times that pass while the platform is down, the schedule waits, or a run is still at work."""

    SKIP = "skip"
    ONCE = "once"
    EACH = "each"


class State(StrEnum):
    """Whether a schedule starts runs. `stopped`: by the platform, with a reason."""

    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"


class Outcome(StrEnum):
    """What became of a time or of files."""

    LAUNCHED = "launched"
    SKIPPED = "skipped"
    REFUSED = "refused"


class UnfitError(ValueError):
    """A part of a schedule that can't be kept; `field` names it."""

    def __init__(self, message: str, advice: str, where: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.field = where


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name in the IANA database; raises UnfitError for any other text."""
    if name not in available_timezones():
        advice = "Write it as UTC or Europe/Madrid: capital letters count."
        raise UnfitError(f"“{name[:60]}” is no time zone.", advice, "time_zone")
    return ZoneInfo(name)


def cleaned_cron(text: str) -> str:
    """Return a cron expression of five fields, or one of the shorthands; raises UnfitError for any other text."""
    wanted = " ".join(text.split())
    wanted = SHORTHANDS.get(wanted.lower(), wanted)
    advice = "Write five fields: minute, hour, day of month, month, day of week. `0 6 * * MON-FRI` is 6:00 on weekdays."
    if len(wanted) > LONGEST_CRON or len(wanted.split(" ")) != CRON_FIELDS:
        raise UnfitError(f"“{text[:60]}” has not five fields.", advice, "cron")
    try:
        next(CronSim(wanted, datetime.now(UTC)))
    except CronSimError as error:
        raise UnfitError(f"“{text[:60]}” can't be read: {error}.", advice, "cron") from error
    except StopIteration:
        raise UnfitError(f"“{text[:60]}” never comes.", "Look at its day and its month.", "cron") from None
    return wanted


def times_after(cron: str, zone: str, moment: datetime, most: int) -> list[datetime]:
    """Return the next times after a moment, in UTC.

    Where clocks change, a time that is left out by them comes right after, and one that comes twice counts once, as
    Debian's cron does it (jobs of every hour or minute go on as if nothing had happened).
    """
    found = CronSim(cron, moment.astimezone(zone_of(zone)))
    times = []
    for at in found:
        times.append(at.astimezone(UTC))
        if len(times) >= most:
            break
    return times


@dataclass(frozen=True)
class Plan:
    """What to do now: launch for a time or not, times that are left out with the reason, and when to look again.

    `waits` says that what is due stays due, since a run is still at work.
    """

    launch: datetime | None = None
    skipped: Sequence[datetime] = ()
    why_skipped: str = ""
    next_at: datetime | None = None
    waits: bool = False


def plan(*, cron: str, zone: str, next_at: datetime, now: datetime, missed: Missed, busy: bool) -> Plan:
    """Decide what a schedule does now. `busy`: a run of it is at work, and they may not overlap."""
    if next_at > now:
        return Plan(next_at=next_at)
    due = _passed(cron, zone, next_at, now)
    following = next(iter(times_after(cron, zone, max(due[-1], now), 1)), None)
    if busy and missed is not Missed.SKIP:
        return Plan(next_at=next_at, waits=True)
    if missed is Missed.EACH:
        kept = due[-MOST_CAUGHT_UP:]
        after = kept[1] if len(kept) > 1 else following
        return Plan(kept[0], due[: -len(kept)], f"Only the last {MOST_CAUGHT_UP} missed times are caught up.", after)
    if missed is Missed.ONCE:
        return Plan(due[-1], due[:-1], "One run stands for all times that were missed.", following)
    if not busy and due[-1] > now - LATE:
        return Plan(due[-1], due[:-1], AWAY, following)
    return Plan(None, due, "Its last run is still at work." if busy else AWAY, following)


def _passed(cron: str, zone: str, first: datetime, now: datetime) -> list[datetime]:
    """List the times from `first` to now; of very many, the first ones and those of the last days."""
    due = [first, *(at for at in times_after(cron, zone, first, MOST_DUE) if at <= now)]
    if len(due) > MOST_DUE:
        recent = times_after(cron, zone, max(due[-1], now - COUNTED), int(COUNTED.total_seconds() // 60))
        due += [at for at in recent if at <= now]
    return due


@dataclass(frozen=True)
class Seen:
    """A file as it was found: its path as runs see it, size in bytes, and time of change in nanoseconds."""

    path: str
    size: int
    changed: int


@dataclass(frozen=True)
class Known:
    """What is remembered of a file: how it was, since when it is so, and whether it was given to a run."""

    size: int
    changed: int
    since: datetime
    taken: bool


@dataclass
class News:
    """What a look at a folder found: files to remember as new or changed, those gone, those to give to a run."""

    fresh: list[Seen] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    ready: list[Seen] = field(default_factory=list)


def compare(seen: Iterable[Seen], known: Mapping[str, Known], now: datetime, settle: timedelta) -> News:
    """Compare what is there with what is remembered.

    A file is ready when it was the same at every look for `settle`, and was not given to a run as it is now; one that
    changes afterwards is new again.
    """
    news = News()
    there = set()
    for one in seen:
        there.add(one.path)
        before = known.get(one.path)
        if before is None or (before.size, before.changed) != (one.size, one.changed):
            news.fresh.append(one)
        elif not before.taken and now - before.since >= settle:
            news.ready.append(one)
    news.gone = [path for path in known if path not in there]
    news.ready.sort(key=lambda one: (one.changed, one.path))
    return news


def cleaned_patterns(text: str) -> list[str]:
    """Return the patterns of a text, one a line; raises UnfitError for too many, or what can't be one."""
    found = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(found) > MOST_PATTERNS or any(len(one) > LONGEST_PATTERN for one in found):
        advice = f"Write at most {MOST_PATTERNS}, one a line, such as *.fits"
        raise UnfitError("These are too many patterns, or too long ones.", advice, "patterns")
    if any(one.startswith("/") or ".." in one.split("/") or "\0" in one for one in found):
        advice = "Write them as seen from the folder: *.fits, or raw/*.fits for a folder below."
        raise UnfitError("A pattern leads out of the folder.", advice, "patterns")
    return found or ["*"]


def wants(patterns: Sequence[str], inside: str) -> bool:
    """Say whether a file is wanted, by its path below the watched folder.

    A pattern without `/` fits the name in any folder, one with it the whole path. What is still written is not wanted.
    """
    name = inside.rpartition("/")[2]
    if any(fnmatch.fnmatchcase(name, one) for one in UNFINISHED_NAMES):
        return False
    return any(_matcher(one).fullmatch(inside if "/" in one else name) is not None for one in patterns)


def _matcher(pattern: str) -> re.Pattern[str]:
    """Read a pattern; a star doesn't go over a `/` in one that has them."""
    translated = fnmatch.translate(pattern)
    return re.compile(translated.replace(".*", "[^/]*") if "/" in pattern else translated)
