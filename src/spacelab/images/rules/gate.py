"""The gate: which known vulnerabilities keep a build from being offered, and which are allowed for a time."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from spacelab.images.rules.advisories import Severity
from spacelab.images.rules.findings import ORDER, Finding, malicious
from spacelab.kit.refusals import Invalid


class Gate(StrEnum):
    """The mildest severity that stops a build; `off` stops none."""

    OFF = "off"
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"


@dataclass(frozen=True)
class Allowed:
    """A vulnerability that somebody looked at and accepts until a day, with the reason; for one package or for all."""

    id: str
    reason: str
    expires: date
    package: str = ""

    def covers(self, finding: Finding) -> bool:
        """Say whether the entry is about this finding, whatever the day."""
        return self.id in finding.names and self.package in {"", finding.source, *finding.packages}


@dataclass(frozen=True)
class Decision:
    """What the gate said: the findings in its way, those that are allowed, and the allowances that have run out."""

    gate: Gate
    stopped_by: tuple[Finding, ...] = ()
    allowed: tuple[tuple[Finding, Allowed], ...] = ()
    expired: tuple[Allowed, ...] = ()
    without_fix: tuple[Finding, ...] = ()
    """Findings that would stop the build if there were a version to change to."""

    @property
    def passed(self) -> bool:
        """Whether nothing is in the way."""
        return not self.stopped_by


KEYS = {"id", "reason", "expires", "package"}


def _entry(number: int, data: Any) -> Allowed:
    def wrong(text: str) -> Invalid:
        return Invalid(
            f"Entry {number} of the list of allowed vulnerabilities {text}.",
            advice='Write id = "CVE-…", reason = "…", expires = 2027-01-31, and package = "…" if it is for one only.',
        )

    if not isinstance(data, dict):
        raise wrong("is no table")
    strange = sorted(set(data) - KEYS)
    if strange:
        raise wrong(f"has an unknown key “{strange[0]}”")
    for key in ("id", "reason"):
        if not isinstance(data.get(key), str) or not data[key].strip():
            raise wrong(f"has no {key}")
    expires = data.get("expires")
    if type(expires) is not date:
        raise wrong("has no day on which it expires")
    return Allowed(data["id"].strip(), data["reason"].strip(), expires, str(data.get("package", "")))


def read_allowed(text: str) -> list[Allowed]:
    """Read the list of allowed vulnerabilities: TOML with one `[[allow]]` for each; raise `Invalid` for a mistake."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(
            f"The list of allowed vulnerabilities is not valid TOML: {error}", advice="Mend the file and try again."
        ) from error
    entries = data.get("allow", [])
    if set(data) - {"allow"} or not isinstance(entries, list):
        raise Invalid(
            "The list of allowed vulnerabilities holds something else than [[allow]] entries.",
            advice="Begin each entry with [[allow]].",
        )
    return [_entry(number, entry) for number, entry in enumerate(entries, 1)]


def _counts(finding: Finding, gate: Gate) -> bool:
    """Say whether a finding is bad enough: one that nobody has rated counts as medium."""
    severity = Severity.MEDIUM if finding.severity is Severity.UNKNOWN else finding.severity
    return gate is not Gate.OFF and ORDER[severity] <= ORDER[Severity(gate.value)]


def decide(
    findings: Iterable[Finding], gate: Gate, allowed: Iterable[Allowed], *, today: date, unfixed: bool = False
) -> Decision:
    """Say whether findings pass the gate today.

    Without `unfixed`, a vulnerability that no version mends stops nothing: there is nothing that the developer could
    change. A package that was published to do harm always stops a build unless the gate is off.
    """
    every = list(allowed)
    stopped, accepted, without_fix = [], [], []
    ran_out: dict[Allowed, None] = {}
    for finding in findings:
        if not _counts(finding, gate):
            continue
        about = [one for one in every if one.covers(finding)]
        valid = next((one for one in about if today <= one.expires), None)
        if valid:
            accepted.append((finding, valid))
            continue
        ran_out.update(dict.fromkeys(about))
        if finding.fixed or unfixed or malicious(finding):
            stopped.append(finding)
        else:
            without_fix.append(finding)
    return Decision(gate, tuple(stopped), tuple(accepted), tuple(ran_out), tuple(without_fix))
