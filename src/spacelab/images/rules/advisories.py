"""Whether a known vulnerability affects a version, and how bad it is: the OSV schema's rules, in plain Python.

The format and the algorithm are those of https://ossf.github.io/osv-schema/ (version 1.7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from cvss import CVSS2, CVSS3, CVSS4, CVSSError

from spacelab.images.rules.versions import UnknownVersionError, family, read_version, same_version


class Severity(StrEnum):
    """How bad a vulnerability is, the worst first; the bands are those of CVSS 3 and 4."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


BANDS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
WORDS = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "unimportant": Severity.LOW,
    "negligible": Severity.LOW,
}
"""What databases call severities where they give no vector: GitHub's words, and the urgencies of Debian and Ubuntu."""

SCORERS: dict[str, Any] = {"CVSS_V2": CVSS2, "CVSS_V3": CVSS3, "CVSS_V4": CVSS4}
MALICIOUS = "MAL-"
"""How the ids of packages begin that were published to do harm: always critical."""

ORDERED = {"introduced": 0, "last_affected": 1, "fixed": 2, "limit": 3}


@dataclass(frozen=True)
class Advisory:
    """What an OSV record says about one package: everything that is needed to judge a version of it."""

    id: str
    aliases: tuple[str, ...]
    upstream: tuple[str, ...]
    """Ids of what this record is derived from, e.g. the CVEs that a distribution's notice covers."""
    summary: str
    severity: Severity
    score: float | None
    ecosystem: str
    ranges: tuple[Mapping[str, Any], ...]
    versions: tuple[str, ...]


@lru_cache(maxsize=10_000)
def _score(kind: str, vector: str) -> float | None:
    """Return a vector's base score; kept, because a record says the same vector for each of its packages."""
    scorer = SCORERS.get(kind)
    try:
        return float(scorer(vector).base_score) if scorer else None
    except (CVSSError, ValueError, KeyError):
        return None


def score_of(severities: Iterable[Mapping[str, Any]]) -> float | None:
    """Return the highest base score among OSV `severity` entries; None where no vector can be read."""
    scores = (_score(str(entry.get("type")), str(entry.get("score", ""))) for entry in severities)
    return max((score for score in scores if score is not None), default=None)


def band_of(score: float | None) -> Severity:
    """Return the band that a CVSS base score lies in."""
    if score is None:
        return Severity.UNKNOWN
    return next((band for least, band in BANDS if score >= least), Severity.LOW)


def severity_of(record: Mapping[str, Any], affected: Mapping[str, Any]) -> tuple[Severity, float | None]:
    """Read how bad a record is for one package, and its score: from vectors, else from the database's own word."""
    if str(record.get("id", "")).startswith(MALICIOUS):
        return Severity.CRITICAL, None
    words = [
        str(place.get(part, {}).get(key, "")).lower()
        for place in (affected, record)
        for part in ("ecosystem_specific", "database_specific")
        if isinstance(place.get(part), dict)
        for key in ("urgency", "severity")
    ]
    if "unimportant" in words:
        return Severity.LOW, None
    score = score_of([*affected.get("severity", ()), *record.get("severity", ())])
    if score is not None:
        return band_of(score), score
    return next((WORDS[word] for word in words if word in WORDS), Severity.UNKNOWN), None


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in values) if isinstance(values, list) else ()


def advisories_of(record: Mapping[str, Any]) -> list[tuple[str, Advisory]]:
    """Read an OSV record: one advisory for each package that it names, with the package's name.

    A withdrawn record gives none. Ranges of Git commits are left out: packages have versions. Raises `KeyError`,
    `TypeError` or `AttributeError` on what is no OSV record.
    """
    if record.get("withdrawn"):
        return []
    found = []
    for affected in record.get("affected") or ():
        package = affected.get("package")
        if not package:
            continue
        severity, score = severity_of(record, affected)
        ranges = [
            {"type": one.get("type"), "events": one.get("events", [])}
            for one in affected.get("ranges") or ()
            if one.get("type") != "GIT"
        ]
        advisory = Advisory(
            id=str(record["id"]),
            aliases=_texts(record.get("aliases")),
            upstream=_texts(record.get("upstream")),
            summary=str(record.get("summary") or record.get("details") or "").strip().split("\n")[0][:300],
            severity=severity,
            score=score,
            ecosystem=str(package["ecosystem"]),
            ranges=tuple(ranges),
            versions=_texts(affected.get("versions")),
        )
        found.append((str(package["name"]), advisory))
    return found


def _events(ecosystem: str, one: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """List a range's events in the order of versions; the version None is `0`, before all others."""
    found: list[tuple[Any, str]] = []
    for event in one["events"]:
        for kind, text in event.items():
            if kind in ORDERED and text != "*":
                found.append((None if text == "0" else read_version(ecosystem, str(text)), kind))
    lowest = [event for event in found if event[0] is None]
    rest = sorted(
        (event for event in found if event[0] is not None), key=lambda event: (_Key(event[0]), ORDERED[event[1]])
    )
    return lowest + rest


class _Key:
    """Lets versions that only know `<` stand in a sorting key beside a number."""

    def __init__(self, version: Any) -> None:
        self.version = version

    def __lt__(self, other: _Key) -> bool:
        return bool(self.version < other.version)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and bool(self.version == other.version)

    def __hash__(self) -> int:
        return hash(self.version)


def in_range(ecosystem: str, version: str, one: Mapping[str, Any]) -> bool:
    """Say whether a version lies in one OSV range; raise `UnknownVersionError` where that can't be told."""
    wanted = read_version(ecosystem, version)
    events = _events(ecosystem, one)
    limits = [limit for limit, kind in events if kind == "limit"]
    if limits and not any(limit is not None and wanted < limit for limit in limits):
        return False
    vulnerable = False
    for at, kind in events:
        if kind == "introduced" and (at is None or wanted >= at):
            vulnerable = True
        elif (kind == "fixed" and (at is None or wanted >= at)) or (
            kind == "last_affected" and (at is None or wanted > at)
        ):
            vulnerable = False
    return vulnerable


def affects(advisory: Advisory, version: str) -> bool:
    """Say whether a version is affected: named in the list, or inside a range.

    A version that its ecosystem can't read is only looked for in the list.
    """
    if version in advisory.versions:
        return True
    for one in advisory.ranges:
        try:
            if in_range(advisory.ecosystem, version, one):
                return True
        except UnknownVersionError:
            continue
    return any(same_version(advisory.ecosystem, version, one) for one in advisory.versions)


def fixed_in(advisory: Advisory, version: str) -> str:
    """Return the lowest version above `version` that the advisory says is fixed, or nothing."""
    best: tuple[Any, str] | None = None
    for one in advisory.ranges:
        for event in one["events"]:
            text = event.get("fixed")
            if not text:
                continue
            try:
                at = read_version(advisory.ecosystem, str(text))
                if at > read_version(advisory.ecosystem, version) and (best is None or at < best[0]):
                    best = (at, str(text))
            except UnknownVersionError:
                continue
    return best[1] if best else ""


def is_malicious(identifier: str) -> bool:
    """Say whether an id stands for a package that was published to do harm."""
    return identifier.startswith(MALICIOUS)


def names_no_release(ecosystem: str) -> bool:
    """Say whether an ecosystem has releases and this name leaves them out, so that it stands for all of them."""
    return family(ecosystem) == ecosystem
