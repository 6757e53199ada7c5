"""Small OSV records of real vulnerabilities: ids, versions and vectors are the published ones, the words are ours."""

from __future__ import annotations

from typing import Any

URLLIB3: dict[str, Any] = {
    "id": "GHSA-v845-jxx5-vc9f",
    "modified": "2024-06-17T00:00:00Z",
    "aliases": ["CVE-2023-43804", "PYSEC-2023-192"],
    "summary": "A Cookie header set by hand is sent on to another host after a redirect",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:N"}],
    "database_specific": {"severity": "MODERATE"},
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "urllib3"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.0.0"}, {"fixed": "2.0.6"}]}],
        },
        {
            "package": {"ecosystem": "PyPI", "name": "urllib3"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.26.17"}]}],
        },
    ],
}
URLLIB3_BY_PYTHON: dict[str, Any] = {
    "id": "PYSEC-2023-192",
    "modified": "2023-10-05T00:00:00Z",
    "aliases": ["CVE-2023-43804", "GHSA-v845-jxx5-vc9f"],
    "details": "The Cookie header is not stripped on redirects to another origin.",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "urllib3"},
            "ranges": [
                {"type": "GIT", "repo": "https://github.com/urllib3/urllib3", "events": [{"introduced": "0"}]},
                {
                    "type": "ECOSYSTEM",
                    "events": [
                        {"introduced": "2.0.0"},
                        {"fixed": "2.0.6"},
                        {"introduced": "0"},
                        {"fixed": "1.26.17"},
                    ],
                },
            ],
            "versions": ["1.26.15", "1.26.16", "2.0.4", "2.0.5"],
        }
    ],
}
PYYAML: dict[str, Any] = {
    "id": "GHSA-8q59-q68h-6hv4",
    "modified": "2023-08-08T00:00:00Z",
    "aliases": ["CVE-2020-14343"],
    "summary": "full_load can be made to execute code",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "PyYAML"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "5.4"}]}],
        }
    ],
}
LODASH: dict[str, Any] = {
    "id": "GHSA-35jh-r3h4-6jhm",
    "modified": "2025-01-01T00:00:00Z",
    "aliases": ["CVE-2021-23337"],
    "summary": "Commands can be injected through template",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "npm", "name": "lodash"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.21"}]}],
        }
    ],
}
GLIBC: dict[str, Any] = {
    "id": "DEBIAN-CVE-2023-4911",
    "modified": "2025-09-01T00:00:00Z",
    "upstream": ["CVE-2023-4911"],
    "details": "The dynamic loader overflows a buffer while it reads GLIBC_TUNABLES.",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "Debian:12", "name": "glibc"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.36-9+deb12u3"}]}],
            "ecosystem_specific": {"urgency": "not yet assigned"},
        },
        {
            "package": {"ecosystem": "Debian:13", "name": "glibc"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.37-12"}]}],
        },
    ],
}
GLIBC_NOTICE: dict[str, Any] = {
    "id": "DSA-5514-1",
    "modified": "2023-10-03T00:00:00Z",
    "upstream": ["CVE-2023-4911"],
    "summary": "glibc - security update",
    "affected": [
        {
            "package": {"ecosystem": "Debian:12", "name": "glibc"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.36-9+deb12u3"}]}],
        }
    ],
}
XZ: dict[str, Any] = {
    "id": "DEBIAN-CVE-2024-3094",
    "modified": "2024-04-01T00:00:00Z",
    "upstream": ["CVE-2024-3094"],
    "details": "The published archives of 5.6.0 and 5.6.1 carry a back door.",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "Debian:13", "name": "xz-utils"},
            "ranges": [
                {
                    "type": "ECOSYSTEM",
                    "events": [{"introduced": "5.5.1alpha-0.1"}, {"fixed": "5.6.1+really5.4.5-1"}],
                }
            ],
        }
    ],
}
WITHDRAWN: dict[str, Any] = {
    **PYYAML,
    "id": "PYSEC-0000-1",
    "aliases": [],
    "withdrawn": "2024-01-01T00:00:00Z",
}
MALICIOUS: dict[str, Any] = {
    "id": "MAL-2022-0001",
    "modified": "2022-06-20T00:00:00Z",
    "summary": "Malicious code in crossenv",
    "affected": [
        {
            "package": {"ecosystem": "npm", "name": "crossenv"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
        }
    ],
}
ALL = [URLLIB3, URLLIB3_BY_PYTHON, PYYAML, LODASH, GLIBC, GLIBC_NOTICE, XZ, WITHDRAWN, MALICIOUS]
