"""What builds are checked for: at once where a gate is set, and afterwards where nobody has to wait."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings

from spacelab.builds import checks, late_checks, queries, waiting
from spacelab.builds.models import Build
from spacelab.builds.ports import BuildFacts, Result
from spacelab.builds.rules import PENDING
from spacelab.images import queries as images
from spacelab.images.actions.scanning import update_index
from spacelab.kit.refusals import Invalid
from support import osv
from support.papers import make_environment
from support.people import make_person

pytestmark = pytest.mark.django_db
ENVIRONMENT = "lab-0123456789"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep everything in a folder of the test."""
    monkeypatch.setattr(settings.SPACELAB, "state", tmp_path)
    monkeypatch.setattr(settings, "ENVIRONMENTS_DIRECTORY", tmp_path / "environments")
    make_environment(ENVIRONMENT)
    return tmp_path


@pytest.fixture
def build() -> Build:
    """Make a build that has come out."""
    return Build.objects.create(
        id="b1",
        person=make_person("ada", "developer"),
        source="git",
        git_url="https://ada:secret@git.example.org/sky",
        git_commit="f" * 40,
        slug="sky",
        package="ab" * 32,
        state="built",
        result={"environment": ENVIRONMENT, "base": "jupyterlab-1"},
    )


@pytest.fixture
def facts(build: Build, tmp_path: Path) -> BuildFacts:
    """Return what checks are told of it."""
    return BuildFacts(
        "b1", "ada", "sky", "1", 1, tmp_path, "ab" * 32, Result(**build.result), queries.build_folder("b1") / "reports"
    )


def import_records(folder: Path) -> None:
    (folder / "osv.json").write_text(json.dumps(osv.ALL))
    update_index([folder / "osv.json"])


def test_without_a_gate_nobody_waits_and_the_papers_follow(facts: BuildFacts, build: Build, state: Path) -> None:
    import_records(state)
    at_once = [check(facts) for check in checks.EVERY.values()]
    assert {one.summary for one in at_once} == {PENDING}
    assert all(one.passed for one in at_once)
    assert not images.contents_file(images.key_of(environment=ENVIRONMENT)).exists()
    assert waiting.noted() == ["b1"]
    late_checks.finish_noted()
    build.refresh_from_db()
    found = {one["title"]: one for one in build.checks}
    assert found["Contents"]["summary"] == "1 package: 1 Python."
    assert found["Known vulnerabilities"]["summary"].startswith("1 known vulnerability: 1 medium.")
    assert found["Origin"]["passed"]
    assert {one["report_file"] for one in build.checks} == {one.name for one in facts.reports.iterdir()}
    assert waiting.noted() == []


def test_what_comes_after_survives_a_crash_and_waits_for_the_build(facts: BuildFacts, build: Build) -> None:
    Build.objects.filter(pk="b1").update(state="checking")
    checks.describe_contents(facts)
    late_checks.finish_noted()
    assert waiting.noted() == ["b1"], "the build has not come out yet"
    Build.objects.filter(pk="b1").update(state="failed")
    late_checks.finish_noted()
    assert waiting.noted() == []
    build.refresh_from_db()
    assert build.checks == []


def test_a_gate_waits_and_stops_what_is_too_bad(
    facts: BuildFacts, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_records(state)
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_gate", "high")
    assert checks.look_for_vulnerabilities(facts).passed
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_gate", "medium")
    stopped = checks.look_for_vulnerabilities(facts)
    assert not stopped.passed
    assert "CVE-2023-43804 in urllib3 2.0.5 (fixed in 2.0.6)" in stopped.summary
    allowed = state / "allowed.toml"
    allowed.write_text('[[allow]]\nid = "CVE-2023-43804"\nreason = "no redirects"\nexpires = 9999-01-01\n')
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_allow_list", allowed)
    passed = checks.look_for_vulnerabilities(facts)
    assert passed.passed
    assert "Allowed for a time: CVE-2023-43804." in passed.summary
    allowed.write_text("[[allow]]")
    with pytest.raises(Invalid):
        checks.look_for_vulnerabilities(facts)


def test_a_gate_lets_nothing_through_unseen(facts: BuildFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_gate", "critical")
    unseen = checks.look_for_vulnerabilities(facts)
    assert not unseen.passed
    assert "Not scanned: no database." in unseen.summary
    assert "spacelab vulnerabilities update" in unseen.summary


def test_an_old_database_is_said_to_be_old(facts: BuildFacts, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_records(state)
    assert "days old" in checks.look_for_vulnerabilities(facts, now=True).summary
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_database_days", 100_000)
    assert "days old" not in checks.look_for_vulnerabilities(facts, now=True).summary


def test_provenance_holds_no_secret_and_no_path(facts: BuildFacts, state: Path) -> None:
    found = checks.record_provenance(facts, now=True)
    text = (facts.reports / found.report_file).read_text()
    assert "https://git.example.org/sky" in text
    assert "secret" not in text
    assert str(state) not in text
