"""The gate: what it stops, what it lets through, and that an allowance ends."""

from __future__ import annotations

from datetime import date

import pytest

from spacelab.images.rules.advisories import Severity
from spacelab.images.rules.findings import Finding
from spacelab.images.rules.gate import Gate, decide, read_allowed
from spacelab.kit.refusals import Invalid

TODAY = date(2026, 11, 21)


def finding(severity: str, identifier: str = "CVE-1", fixed: str = "2", *aliases: str) -> Finding:
    """Make a finding of the package `a`."""
    return Finding(identifier, aliases, "a", "1", ("a", "a-tools"), "PyPI", Severity(severity), None, fixed, "")


@pytest.mark.parametrize(
    ("gate", "stopped"),
    [
        ("off", set()),
        ("critical", {"critical"}),
        ("high", {"critical", "high"}),
        ("medium", {"critical", "high", "medium", "unknown"}),
    ],
)
def test_a_gate_stops_its_severity_and_what_is_worse(gate: str, stopped: set[str]) -> None:
    every = [finding(one, f"CVE-{one}") for one in Severity]
    decision = decide(every, Gate(gate), [], today=TODAY)
    assert {str(one.severity) for one in decision.stopped_by} == stopped
    assert decision.passed == (not stopped)


def test_what_nothing_mends_stops_a_build_only_where_that_is_wanted() -> None:
    bad = finding("critical", fixed="")
    assert decide([bad], Gate.HIGH, [], today=TODAY).without_fix == (bad,)
    assert decide([bad], Gate.HIGH, [], today=TODAY).passed
    assert not decide([bad], Gate.HIGH, [], today=TODAY, unfixed=True).passed
    assert not decide([finding("critical", "MAL-2022-1", "")], Gate.HIGH, [], today=TODAY).passed


def test_an_allowance_counts_until_its_day_and_for_its_package() -> None:
    allowed = read_allowed(
        '[[allow]]\nid = "GHSA-x"\nreason = "not reachable: no YAML from outside"\nexpires = 2026-11-21\n'
        '[[allow]]\nid = "CVE-2"\nreason = "fixed by a patch"\nexpires = 2027-01-01\npackage = "a-tools"\n'
        '[[allow]]\nid = "CVE-3"\nreason = "another"\nexpires = 2027-01-01\npackage = "b"\n'
    )
    by_alias, by_package = finding("high", "CVE-1", "2", "GHSA-x"), finding("high", "CVE-2")
    decision = decide([by_alias, by_package], Gate.HIGH, allowed, today=TODAY)
    assert decision.passed
    assert [entry.reason for _, entry in decision.allowed] == [allowed[0].reason, allowed[1].reason]
    later = decide([by_alias, by_package], Gate.HIGH, allowed, today=date(2026, 11, 22))
    assert later.stopped_by == (by_alias,)
    assert later.expired == (allowed[0],)
    assert not decide([finding("high", "CVE-3")], Gate.HIGH, allowed, today=TODAY).passed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("allow = 3", "something else"),
        ("[[alow]]\nid='a'", "something else"),
        ("[[allow]]\nid = 'CVE-1'\nexpires = 2027-01-01", "no reason"),
        ("[[allow]]\nid = 'CVE-1'\nreason = ' '\nexpires = 2027-01-01", "no reason"),
        ("[[allow]]\nreason = 'x'\nexpires = 2027-01-01", "no id"),
        ("[[allow]]\nid = 'CVE-1'\nreason = 'x'", "no day"),
        ("[[allow]]\nid = 'CVE-1'\nreason = 'x'\nexpires = '2027-01-01'", "no day"),
        ("[[allow]]\nid = 'CVE-1'\nreason = 'x'\nexpires = 2027-01-01T10:00:00", "no day"),
        ("[[allow]]\nid = 'CVE-1'\nreason = 'x'\nexpires = 2027-01-01\nuntil = 1", "unknown key “until”"),
        ("[[allow]", "not valid TOML"),
        ("allow = [1]", "no table"),
    ],
)
def test_a_mistake_in_the_list_is_named(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_allowed(text)
