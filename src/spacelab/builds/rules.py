"""Decisions about builds: names of environments, the states of a build, whose turn it is."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice

from spacelab.kit.refusals import Invalid

HASH_LENGTH = 10
"""Hexadecimal digits in an environment's name: enough that two of one datalab never meet."""


def environment_name(slug: str, requirements_text: str, python_version: str) -> str:
    """Name the environment of a datalab: `<slug>-<hash>` over its requirements and the interpreter's version.

    Comments, blank lines and the order of lines don't count.
    """
    lines = (line.split(" #")[0].strip() for line in requirements_text.splitlines())
    needs = sorted(line for line in lines if line and not line.startswith("#"))
    digest = hashlib.sha256("\n".join((python_version, *needs)).encode()).hexdigest()
    return f"{slug}-{digest[:HASH_LENGTH]}"


OWNER_PART = re.compile(r"[a-z0-9]+(?:(?:[._]|-+)[a-z0-9]+)*", re.ASCII)
SLUG_PART = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*", re.ASCII)
"""What stands in an image's name as it is. Neither holds `__`, with which the parts begin that had to be changed."""
LONGEST_PART, LONGEST_VERSION = 60, 100
"""Characters: a repository's name may have 255, a tag 128 (OCI distribution specification)."""
PART_HASH = 32
"""Hexadecimal digits, 128 bits: nobody finds a name that leads to another's image."""


def image_name(owner: str, slug: str, version: str, number: int) -> str:
    """Name an image `<owner>_<slug>:v<version>-<number>`, as ESA Datalabs does: a legal name whatever the words are.

    Different owners and slugs never get the same path; in a path the number tells the images apart.
    """
    kept = re.sub(r"[^A-Za-z0-9_.-]+", "-", version)[:LONGEST_VERSION]
    return f"{_name_part(owner, OWNER_PART)}_{_name_part(slug, SLUG_PART)}:v{kept}-{number}"


def _name_part(word: str, form: re.Pattern[str]) -> str:
    if len(word) <= LONGEST_PART and form.fullmatch(word):
        return word
    readable = re.sub(r"[^a-z0-9]+", "-", word.lower())[:LONGEST_PART].strip("-") or "x"
    return f"{readable}__{hashlib.sha256(word.encode(errors='surrogatepass')).hexdigest()[:PART_HASH]}"


PENDING = "Being looked into."
"""What a check says while nothing depends on it: without a gate, nobody waits for the scan of a big image."""


def words_of(paths: Sequence[str]) -> str:
    """Say what was uploaded: a file by its name, a folder by its name and its number of files, else the number."""
    if len(paths) == 1:
        return paths[0]
    folders = {path.split("/", 1)[0] if "/" in path else "" for path in paths}
    folder = folders.pop() if len(folders) == 1 else ""
    return f"{folder[:60]}, {len(paths)} files" if folder else f"{len(paths)} files"


QUIET = ("STEP ", "Using ", "Resolved ", "warning", "If the cache and target directories", "If this is intentional")
"""How the installer's lines begin that say nothing about a failure; its hint about links takes two lines more."""
NO_ROOM = ("No space left on device", "Disk quota exceeded")
"""What the installer's output holds when the disk, and not a package, is the trouble."""


def advice_after_failure(output: str) -> str:
    """Say what to do about a failed build, given the installer's output."""
    if any(mark in output for mark in NO_ROOM):
        return "Free some space, or set SPACELAB_STATE to a roomier disk; then start again: what was fetched is kept."
    return (
        "Check the package's name and version in requirements.txt, and that this machine reaches its package index; "
        "then start again: what was fetched is kept."
    )


def explain_failure(output: str) -> str:
    """Pick out of the installer's output the lines that say which package can't be had, as one line of text."""
    lines = [" ".join(line.strip(" \u00d7╰─▶│├").split()) for line in output.splitlines()]
    told = [line for line in lines if line and not line.startswith(QUIET)]
    return " ".join(told)[:1500]


class State(StrEnum):
    """Where a build stands. The last three are final."""

    RECEIVED = "received"
    FETCHING = "fetching"
    PLANNED = "planned"
    QUEUED = "queued"
    BUILDING = "building"
    CHECKING = "checking"
    BUILT = "built"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({State.BUILT, State.FAILED, State.CANCELLED})
AT_WORK = frozenset({State.FETCHING, State.BUILDING, State.CHECKING})
"""States in which a build takes one of the places that there are."""

ENDS = frozenset({State.FAILED, State.CANCELLED})
NEXT: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.FETCHING, State.PLANNED}) | ENDS,
    State.FETCHING: frozenset({State.PLANNED}) | ENDS,
    State.PLANNED: frozenset({State.QUEUED}) | ENDS,
    State.QUEUED: frozenset({State.BUILDING, State.CHECKING}) | ENDS,
    State.BUILDING: frozenset({State.CHECKING}) | ENDS,
    State.CHECKING: frozenset({State.BUILT}) | ENDS,
    State.BUILT: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""From each state, the states that may follow. What has been built before goes from the queue to its checks at once."""


@dataclass(frozen=True)
class Waiting:
    """A build in the queue: whose it is, and since when."""

    id: str
    person: int
    since: datetime


def in_turn(waiting: Sequence[Waiting], at_work: Mapping[int, int], last_begun: Mapping[int, datetime]) -> list[str]:
    """Order the queue fairly: next is who has the fewest builds at work, then who had her last turn the longest ago.

    `at_work` counts builds at work by person, `last_begun` says when a person's last build began. One person's builds
    keep their order; ten of hers hold up somebody else's one by a single turn at most.
    """
    left = sorted(waiting, key=lambda one: (one.since, one.id))
    taken, turns = Counter(at_work), dict(last_begun)
    order: list[str] = []
    while left:
        chosen = min(left, key=lambda one: (taken[one.person], _turn(turns.get(one.person)), one.since, one.id))
        left.remove(chosen)
        order.append(chosen.id)
        taken[chosen.person] += 1
        turns[chosen.person] = datetime.fromtimestamp(_turn(max(turns.values(), default=None)) + 1, tz=UTC)
    return order


def _turn(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


PATH = re.compile(r"/[^\s{}?#\\]{0,150}(?:\{id\}[^\s{}?#\\]{0,150})?")


def check_path(path: str) -> str:
    """Return where an application opens, tidied, empty if nothing is said; raise `Invalid` for what is no path."""
    tidy = path.strip()
    if tidy and (not PATH.fullmatch(tidy) or tidy.startswith("//")):
        raise Invalid(
            f"“{tidy[:60]}” is no path to open.",
            advice="It begins with one /, such as / or /datalabs/{id}/, and has no blank, “?” or “#”.",
            field="path",
        )
    return tidy


STEP = re.compile(r"^STEP (\d{1,3})/(\d{1,3})(?: \+(\d+(?:\.\d+)?)s)? ?: (.{1,300})$", re.MULTILINE | re.IGNORECASE)
"""How a builder announces a step in its log: `STEP 2/5 +3.1s: Fetching packages`; engines leave out the seconds."""


MOST_STEPS = 200
"""Steps that are shown: whatever a build runs can print what looks like an announcement."""


@dataclass(frozen=True)
class Step:
    """One step inside a build: `state` is done, now, bad or next; seconds since the build began, where known."""

    title: str
    state: str = "next"
    seconds: float | None = None
    took: float | None = None


def steps_in(log: str, *, ended: bool, failed: bool, total: float | None = None) -> list[Step]:
    """List the steps that a builder's log announces, with what each took where the log tells.

    `total` is how long the build has taken, for the last step's time.
    """
    announced = islice(STEP.finditer(log), MOST_STEPS)
    found = [(one[4].strip(), float(one[3]) if one[3] else None) for one in announced]
    steps = []
    for index, (title, began) in enumerate(found):
        last = index == len(found) - 1
        until = total if last else found[index + 1][1]
        state = ("bad" if failed else "done" if ended else "now") if last else "done"
        took = until - began if until is not None and began is not None and state != "now" else None
        steps.append(Step(title, state, began, max(took, 0.0) if took is not None else None))
    return steps


YOUNGEST_REMOVED = timedelta(hours=1)
"""Nothing is removed before: it may be about to be named by a build, and a person by its page about to use it."""


@dataclass(frozen=True)
class Unneeded:
    """Something that no version, session or build at work needs.

    `size` is in bytes; what others share counts as well. `since` is when it was used or named last, `rank` how many
    later builds of the same person's datalab came out; None: only time counts. Where `timed`, time counts as well.
    """

    kind: str
    name: str
    size: int
    since: datetime
    rank: int | None = None
    timed: bool = True
    mark: str = ""
    """What tells it from another of the same name: an image's id."""


@dataclass(frozen=True)
class Retention:
    """For how long what nothing needs is kept all the same: so many outcomes of a datalab, so many days."""

    builds: int
    days: int
    floor: int
    """Free bytes of the disk below which nothing of that is kept."""


def is_due(one: Unneeded, retention: Retention, now: datetime) -> bool:
    """Say whether something was kept for as long as the settings say."""
    old = now - one.since >= timedelta(days=retention.days)
    later = one.rank is not None and one.rank >= retention.builds
    return old if one.rank is None else later and (old or not one.timed)


def to_remove(found: Iterable[Unneeded], retention: Retention, *, free: int, now: datetime) -> list[Unneeded]:
    """Choose what goes, the oldest first: all that is due, and more of it until `retention.floor` bytes are free."""
    old = sorted((one for one in found if now - one.since >= YOUNGEST_REMOVED), key=lambda one: (one.since, one.name))
    chosen = [one for one in old if is_due(one, retention, now)]
    freed = free + sum(one.size for one in chosen)
    for one in old:
        if freed >= retention.floor:
            break
        if one not in chosen and one.size:
            chosen.append(one)
            freed += one.size
    return sorted(chosen, key=lambda one: (one.since, one.name))
