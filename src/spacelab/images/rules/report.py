"""A vulnerability report: what was known about an image or environment on one day, and from how good a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from spacelab.images.rules.findings import ORDER, Finding, Matched

NOT_SCANNED = "not scanned: no database"


@dataclass(frozen=True)
class Database:
    """What an index holds: how many records, for which ecosystems, and how old its knowledge is."""

    records: int
    skipped: int
    ecosystems: Mapping[str, int]
    newest: datetime | None
    """When the newest of its records was last changed: what a scan can't know happened after that."""
    imported_at: datetime
    sources: tuple[str, ...] = ()

    def days_old(self, now: datetime) -> int:
        """Whole days since its newest record; since the import where no record has a date."""
        return max((now - (self.newest or self.imported_at)).days, 0)


@dataclass(frozen=True)
class Report:
    """The findings on one day. `database_at` is how new the knowledge was; without a database nothing was looked up."""

    subject: str
    made_at: datetime
    database_at: datetime | None = None
    imported_at: datetime | None = None
    looked_up: int = 0
    not_covered: Mapping[str, int] | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def scanned(self) -> bool:
        """Whether there was a database to look into."""
        return self.imported_at is not None

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity, the worst first."""
        counted = Counter(one.severity for one in self.findings)
        return {str(severity): counted[severity] for severity in ORDER if counted[severity]}

    @property
    def sentence(self) -> str:
        """One line for lists: `3 known vulnerabilities: 1 high, 2 low; 12 packages not covered`."""
        if not self.scanned:
            return NOT_SCANNED
        number = len(self.findings)
        said = f"{number} known {'vulnerability' if number == 1 else 'vulnerabilities'}" if number else "none known"
        if number:
            said += ": " + ", ".join(f"{count} {severity}" for severity, count in self.counts.items())
        missed = sum((self.not_covered or {}).values())
        return f"{said}; {missed} packages not covered by the database" if missed else said

    def days_old(self, now: datetime) -> int | None:
        """Whole days since the newest thing that the database knew; None without a database."""
        moment = self.database_at or self.imported_at
        return max((now - moment).days, 0) if moment else None

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON data."""
        return {
            "subject": self.subject,
            "made_at": self.made_at.isoformat(),
            "scanned": self.scanned,
            "database": {
                "newest_record": self.database_at.isoformat() if self.database_at else None,
                "imported_at": self.imported_at.isoformat() if self.imported_at else None,
            },
            "looked_up": self.looked_up,
            "not_covered": dict(self.not_covered or {}),
            "counts": self.counts,
            "findings": [one.to_json() for one in self.findings],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """Read back what `to_json` made; raise `KeyError`, `TypeError` or `ValueError` on other data."""

        def moment(text: str | None) -> datetime | None:
            return datetime.fromisoformat(text) if text else None

        return cls(
            subject=data["subject"],
            made_at=datetime.fromisoformat(data["made_at"]),
            database_at=moment(data["database"]["newest_record"]),
            imported_at=moment(data["database"]["imported_at"]),
            looked_up=data["looked_up"],
            not_covered=data["not_covered"],
            findings=tuple(Finding.from_json(one) for one in data["findings"]),
        )


def report_of(subject: str, matched: Matched, database: Database, now: datetime) -> Report:
    """Write down what matching found."""
    return Report(
        subject=subject,
        made_at=now,
        database_at=database.newest,
        imported_at=database.imported_at,
        looked_up=matched.looked_up,
        not_covered=matched.not_covered,
        findings=matched.findings,
    )
