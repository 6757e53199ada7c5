"""Known vulnerabilities of real packages: found where they are, told once, and rated."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spacelab.images.rules.advisories import Severity, advisories_of, affects, band_of, score_of
from spacelab.images.rules.findings import Finding, match
from spacelab.images.rules.sbom import components_of
from spacelab.images.vulnerability_index import Index, build_index, open_index
from spacelab.kit.refusals import Invalid, NotFound
from support import osv


def contents(*purls: str) -> dict[str, Any]:
    """Write a list of contents with these package URLs."""
    return {"bomFormat": "CycloneDX", "components": [{"type": "library", "name": "", "purl": one} for one in purls]}


def silent(text: str) -> None:
    """Take progress and tell nobody."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Make an index of all records in `osv`."""
    source = tmp_path / "records"
    source.mkdir()
    for record in osv.ALL:
        (source / f"{record['id']}.json").write_text(json.dumps(record))
    build_index([source], tmp_path / "index.sqlite3", silent)
    with open_index(tmp_path / "index.sqlite3") as found:
        yield found


def found(index: Index, *purls: str) -> dict[str, Finding]:
    """Match packages, and return the findings by their shown ids."""
    findings = match(components_of(contents(*purls)), index).findings
    assert len({one.id for one in findings}) == len(findings), "a vulnerability is told once"
    return {one.id: one for one in findings}


def test_a_vulnerable_python_package_is_found_once_under_all_its_names(index: Index) -> None:
    one = found(index, "pkg:pypi/urllib3@2.0.5")["CVE-2023-43804"]
    assert one.aliases == ("GHSA-v845-jxx5-vc9f", "PYSEC-2023-192")
    assert (one.severity, one.score, one.fixed) == (Severity.MEDIUM, 5.9, "2.0.6")
    assert not found(index, "pkg:pypi/urllib3@2.0.6")
    assert found(index, "pkg:pypi/urllib3@1.26.16")["CVE-2023-43804"].fixed == "1.26.17"
    assert not found(index, "pkg:pypi/urllib3@1.26.17")
    assert Finding.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_names_of_python_packages_are_compared_as_indexes_do(index: Index) -> None:
    assert found(index, "pkg:pypi/PyYAML@5.3.1")["CVE-2020-14343"].severity is Severity.CRITICAL
    assert found(index, "pkg:pypi/pyyaml@5.4rc1")
    assert not found(index, "pkg:pypi/pyyaml@5.4")


def test_debian_is_matched_by_source_and_release(index: Index) -> None:
    old = "pkg:deb/debian/{}@2.36-9%2Bdeb12u1?arch=amd64&distro=debian-12&upstream=glibc"
    one = found(index, old.format("libc6"), old.format("libc-bin"))["CVE-2023-4911"]
    assert one.packages == ("libc-bin", "libc6")
    assert (one.source, one.fixed, one.severity) == ("glibc", "2.36-9+deb12u3", Severity.HIGH)
    assert one.aliases == ("DSA-5514-1", "DEBIAN-CVE-2023-4911")
    assert not found(index, old.format("libc6").replace("deb12u1", "deb12u3"))
    assert not found(index, old.format("libc6").replace("upstream=glibc", "upstream=other"))
    assert found(index, old.format("libc6").replace("debian-12", "debian-13"))


def test_a_rebuild_without_a_change_counts_as_its_source(index: Index) -> None:
    rebuilt = "pkg:deb/debian/liblzma5@5.6.0-0.2%2Bb1?distro=debian-13&upstream=xz-utils%405.6.0-0.2"
    one = found(index, rebuilt)["CVE-2024-3094"]
    assert (one.version, one.severity, one.score) == ("5.6.0-0.2", Severity.CRITICAL, 10.0)
    assert not found(index, rebuilt.replace("5.6.0-0.2", "5.4.1-0.2"))


def test_npm_packages_are_matched_and_malicious_ones_are_critical(index: Index) -> None:
    assert found(index, "pkg:npm/lodash@4.17.20")["CVE-2021-23337"].severity is Severity.HIGH
    assert not found(index, "pkg:npm/lodash@4.17.21")
    assert found(index, "pkg:npm/crossenv@6.1.1")["MAL-2022-0001"].severity is Severity.CRITICAL
    assert not found(index, "pkg:npm/%40scope/lodash@4.17.20")


def test_packages_that_nobody_covers_are_counted_and_not_called_safe(index: Index) -> None:
    result = match(
        components_of(contents("pkg:maven/org.x/y@1", "pkg:deb/debian/a@1?distro=debian-11", "pkg:pypi/h11@0.16.0")),
        index,
    )
    assert result.looked_up == 1
    assert result.not_covered == {"deb": 1, "maven": 1}


def test_a_notice_about_several_vulnerabilities_does_not_make_one_of_them() -> None:
    def of(identifier: str, **more: Any) -> dict[str, Any]:
        return {**osv.GLIBC_NOTICE, "id": identifier, "upstream": [], "aliases": [], **more}

    class Known:
        def __init__(self, *records: dict[str, Any]) -> None:
            self._known = [advisory for record in records for _, advisory in advisories_of(record)]

        def covers(self, _ecosystem: str) -> bool:
            return True

        def about(self, _ecosystem: str, _names: Any) -> Any:
            return {"glibc": self._known}

        def severity(self, identifier: str) -> tuple[Severity, float | None]:
            return (Severity.HIGH, 8.0) if identifier == "CVE-1" else (Severity.UNKNOWN, None)

    packages = components_of(contents("pkg:deb/debian/libc6@1?distro=debian-12&upstream=glibc"))
    notice = of("DSA-1-1", upstream=["CVE-1", "CVE-2"])
    both = match(packages, Known(of("D-1", upstream=["CVE-1"]), of("D-2", upstream=["CVE-2"]), notice)).findings
    assert [one.id for one in both] == ["CVE-1", "CVE-2"]
    one = match(packages, Known(of("D-1", upstream=["CVE-1"]), notice)).findings
    assert [(finding.id, finding.severity) for finding in one] == [
        ("CVE-1", Severity.HIGH),
        ("DSA-1-1", Severity.HIGH),
    ]


@pytest.mark.parametrize(
    ("kind", "vector", "score"),
    [
        ("CVSS_V2", "AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5),
        ("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3),
        ("CVSS_V3", "nonsense", None),
        ("Ubuntu", "high", None),
    ],
)
def test_vectors_become_scores(kind: str, vector: str, score: float | None) -> None:
    assert score_of([{"type": kind, "score": vector}]) == score


def test_scores_lie_in_bands() -> None:
    wanted = {10.0: "critical", 9.0: "critical", 8.9: "high", 7.0: "high", 6.9: "medium", 4.0: "medium", 3.9: "low"}
    assert {score: str(band_of(score)) for score in wanted} == wanted
    assert band_of(None) is Severity.UNKNOWN


def test_without_a_vector_the_database_s_word_counts() -> None:
    def severity(**more: Any) -> Severity:
        record = {"id": "X-1", "affected": [{"package": {"ecosystem": "Debian:12", "name": "a"}, **more}]}
        return advisories_of(record)[0][1].severity

    assert severity(ecosystem_specific={"urgency": "unimportant"}) is Severity.LOW
    assert severity(database_specific={"severity": "MODERATE"}) is Severity.MEDIUM
    assert severity(ecosystem_specific={"urgency": "not yet assigned"}) is Severity.UNKNOWN


def test_a_version_that_can_not_be_read_is_looked_for_in_the_list() -> None:
    record = {
        "id": "X-1",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "a"},
                "versions": ["2004d", "1.0"],
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.5"}]}],
            }
        ],
    }
    advisory = advisories_of(record)[0][1]
    assert [text for text in ("2004d", "2004e", "1.0.0", "0.4", "0.6") if affects(advisory, text)] == [
        "2004d",
        "1.0.0",
        "0.4",
    ]


def test_a_database_is_read_from_zips_and_says_what_it_holds(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "PyPI.zip", "w") as archive:
        for record in (osv.URLLIB3, osv.PYYAML, osv.WITHDRAWN):
            archive.writestr(f"{record['id']}.json", json.dumps(record))
        archive.writestr("broken.json", "{")
        archive.writestr("README", "no record")
    (tmp_path / "Debian.json").write_text(json.dumps([osv.GLIBC, osv.XZ]))
    target = tmp_path / "state" / "index.sqlite3"
    made = build_index([tmp_path / "PyPI.zip", tmp_path / "Debian.json"], target, silent)
    assert (made.records, made.skipped) == (5, 1)
    assert made.ecosystems == {"Debian:12": 1, "Debian:13": 2, "PyPI": 3}
    assert made.newest == datetime(2025, 9, 1, tzinfo=UTC)
    assert made.days_old(datetime(2025, 9, 11, tzinfo=UTC)) == 10
    assert made.sources == ("PyPI.zip", "Debian.json")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"no zip at all"])
def test_a_database_that_can_not_be_read_leaves_the_old_one(tmp_path: Path, content: bytes) -> None:
    good, bad, target = tmp_path / "good.json", tmp_path / "bad.zip", tmp_path / "index.sqlite3"
    good.write_text(json.dumps(osv.PYYAML))
    bad.write_bytes(content)
    build_index([good], target, silent)
    for paths in ([bad], [good, bad], [tmp_path / "absent"]):
        with pytest.raises((Invalid, NotFound)):
            build_index(paths, target, silent)
    with open_index(target) as index:
        assert index.database.records == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bad.zip", "good.json", "index.sqlite3"]


def test_no_index_or_a_strange_one_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no database"), open_index(tmp_path / "absent"):
        pass
    (tmp_path / "strange").write_text("not SQLite at all, and long enough to be taken for a header" * 20)
    with pytest.raises(NotFound, match="can't be read"), open_index(tmp_path / "strange"):
        pass
    with sqlite3.connect(tmp_path / "other") as base:
        base.execute("CREATE TABLE fact (name, value)")
    with pytest.raises(NotFound, match="can't be read"), open_index(tmp_path / "other"):
        pass


def test_eight_hundred_packages_are_matched_with_twenty_thousand_records(tmp_path: Path) -> None:
    records = [
        {
            **osv.PYYAML,
            "id": f"X-{number}",
            "aliases": [f"CVE-2020-{number}"],
            "affected": [
                {
                    "package": {"ecosystem": "PyPI", "name": f"package-{number % 2000}"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": f"1.{number}"}]}],
                    "versions": [f"1.{minor}" for minor in range(number % 60)],
                }
            ],
        }
        for number in range(20_000)
    ]
    (tmp_path / "all.json").write_text(json.dumps(records))
    build_index([tmp_path / "all.json"], tmp_path / "index", silent)
    packages = components_of(contents(*(f"pkg:pypi/package-{number}@1.500" for number in range(800))))
    with open_index(tmp_path / "index") as index:
        result = match(packages, index)
    assert result.looked_up == 800
    assert len(result.findings) > 5000
