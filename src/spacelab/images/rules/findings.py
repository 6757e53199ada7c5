"""Which packages of a list of contents have known vulnerabilities, each vulnerability told once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from spacelab.images.rules.advisories import Advisory, Severity, affects, fixed_in, is_malicious
from spacelab.images.rules.sbom import Component
from spacelab.images.rules.versions import is_known

ORDER = {one: place for place, one in enumerate(Severity)}
"""The worst first; what is unknown stands last in lists."""
PREFIXES = ("CVE-", "GHSA-", "PYSEC-", "DSA-", "DLA-")
"""Which of several names of one vulnerability is shown: the first that begins so."""


class Knowledge(Protocol):
    """What is known about packages: see `vulnerability_index.Index`."""

    def covers(self, ecosystem: str) -> bool:
        """Say whether anything is known about this ecosystem at all."""

    def about(self, ecosystem: str, names: Iterable[str]) -> dict[str, list[Advisory]]:
        """Find what is known about packages of one ecosystem, by their names."""

    def severity(self, identifier: str) -> tuple[Severity, float | None]:
        """Say how bad the vulnerability of this id is, if its record is there."""


@dataclass(frozen=True)
class Finding:
    """One known vulnerability of one package. `packages` are the installed ones that were made from `source`."""

    id: str
    aliases: tuple[str, ...]
    source: str
    version: str
    packages: tuple[str, ...]
    ecosystem: str
    severity: Severity
    score: float | None
    fixed: str
    """The lowest version that has the fix; empty where there is none yet."""
    summary: str

    @property
    def names(self) -> frozenset[str]:
        """All ids of the vulnerability."""
        return frozenset({self.id, *self.aliases})

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain JSON data."""
        return {
            "id": self.id,
            "aliases": list(self.aliases),
            "source": self.source,
            "version": self.version,
            "packages": list(self.packages),
            "ecosystem": self.ecosystem,
            "severity": str(self.severity),
            "score": self.score,
            "fixed": self.fixed,
            "summary": self.summary,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """Read back what `to_json` made."""
        return cls(
            **{
                **data,
                "aliases": tuple(data["aliases"]),
                "packages": tuple(data["packages"]),
                "severity": Severity(data["severity"]),
            }
        )


@dataclass(frozen=True)
class Matched:
    """What came of matching: the findings, how many packages were looked up, and those that nobody covers, by type."""

    findings: tuple[Finding, ...]
    looked_up: int
    not_covered: Mapping[str, int]


def _shown(names: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """Choose the name to show, and the others."""
    ranked = sorted(
        set(names), key=lambda one: (next((i for i, start in enumerate(PREFIXES) if one.startswith(start)), 9), one)
    )
    return ranked[0], tuple(ranked[1:])


def _ids(advisory: Advisory) -> set[str]:
    """Collect the ids that mean the same: of what it is derived from only where that is a single thing.

    A distribution's notice may cover many vulnerabilities; it must not make one of them.
    """
    single = advisory.upstream if len(advisory.upstream) == 1 else ()
    return {advisory.id, *advisory.aliases, *single}


def _same(advisories: list[Advisory]) -> list[tuple[set[str], list[Advisory]]]:
    """Group advisories that share an id, directly or through others."""
    groups: list[tuple[set[str], list[Advisory]]] = []
    for advisory in advisories:
        ids, members = _ids(advisory), [advisory]
        apart = []
        for other_ids, others in groups:
            if ids & other_ids:
                ids, members = ids | other_ids, [*others, *members]
            else:
                apart.append((other_ids, others))
        groups = [*apart, (ids, members)]
    return groups


def _worst(ids: set[str], members: list[Advisory], known: Knowledge) -> tuple[Severity, float | None]:
    """Return the worst that anybody says about a vulnerability, asking its aliases where the members don't know."""
    said = [(one.severity, one.score) for one in members]
    if all(severity is Severity.UNKNOWN for severity, _ in said):
        further = {one for member in members for one in (*member.aliases, *member.upstream)} | ids
        said += [known.severity(one) for one in sorted(further)]
    return min(said, key=lambda one: (ORDER[one[0]], -(one[1] or 0.0)))


def _fix(members: list[Advisory], version: str) -> str:
    return next((fix for fix in (fixed_in(one, version) for one in members) if fix), "")


def _of_one(packages: list[Component], advisories: list[Advisory], known: Knowledge) -> list[Finding]:
    first = packages[0]
    hits = [one for one in advisories if affects(one, first.source_version)]
    groups = _same(hits)
    told = {identifier for ids, _ in groups for identifier in ids}
    findings = []
    for ids, members in groups:
        notice = [one for one in members if len(one.upstream) > 1]
        if len(notice) == len(members) and all(set(one.upstream) <= told for one in notice):
            continue  # each vulnerability that the notice covers is in the list itself
        shown, others = _shown(ids)
        severity, score = _worst(ids, members, known)
        findings.append(
            Finding(
                id=shown,
                aliases=others,
                source=first.source,
                version=first.source_version,
                packages=tuple(sorted({one.name for one in packages})),
                ecosystem=first.ecosystem,
                severity=severity,
                score=score,
                fixed=_fix(members, first.source_version),
                summary=next((one.summary for one in members if one.summary), ""),
            )
        )
    return findings


def match(components: Iterable[Component], known: Knowledge) -> Matched:
    """Find the known vulnerabilities of packages, the worst first.

    Packages made from the same source in the same version are told as one.
    """
    sources: dict[str, dict[tuple[str, str], list[Component]]] = {}
    not_covered: dict[str, int] = {}
    looked_up = 0
    for one in components:
        if not one.ecosystem or not is_known(one.ecosystem) or not known.covers(one.ecosystem):
            not_covered[one.type] = not_covered.get(one.type, 0) + 1
            continue
        looked_up += 1
        sources.setdefault(one.ecosystem, {}).setdefault((one.source, one.source_version), []).append(one)
    findings: list[Finding] = []
    for ecosystem, packages in sources.items():
        about = known.about(ecosystem, (name for name, _ in packages))
        for (name, _), members in packages.items():
            if name in about:
                findings += _of_one(members, about[name], known)
    findings.sort(key=lambda one: (ORDER[one.severity], -(one.score or 0.0), one.source, one.id))
    return Matched(tuple(findings), looked_up, dict(sorted(not_covered.items())))


def malicious(finding: Finding) -> bool:
    """Say whether the finding is a package that was published to do harm, not one with a mistake in it."""
    return any(is_malicious(one) for one in finding.names)
