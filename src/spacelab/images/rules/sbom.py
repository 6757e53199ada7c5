"""What a list of contents (an SBOM in CycloneDX JSON) says: its packages, where each belongs, its licences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packageurl import PackageURL

ECOSYSTEMS = {"pypi": "PyPI", "npm": "npm", "cargo": "crates.io", "golang": "Go"}
"""Type in a package URL → the ecosystem that OSV knows it by; Debian's and Ubuntu's depend on the release."""

SHOWN_TYPES = {
    "pypi": "Python",
    "deb": "Debian",
    "npm": "npm",
    "golang": "Go",
    "cargo": "Rust",
    "maven": "Java",
    "cran": "R",
    "conda": "conda",
    "gem": "Ruby",
    "generic": "other",
}
NO_PACKAGES = frozenset({"operating-system", "file"})
"""Types of components that describe the whole or a part of it, not a package."""


@dataclass(frozen=True)
class Component:
    """One package of an image or environment. `ecosystem` is empty where no database of vulnerabilities covers it.

    `source` and `source_version` are what the package was made from: Debian's advisories speak of those.
    """

    name: str
    version: str
    type: str
    purl: str
    ecosystem: str
    source: str
    source_version: str
    licences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """A summary for people: how many packages, of which kinds, under which licences."""

    total: int
    types: dict[str, int] = field(default_factory=dict)
    licences: dict[str, int] = field(default_factory=dict)
    without_licence: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Contents:
        """Read back what `dataclasses.asdict` made; raise `TypeError` on other data."""
        return cls(**data)

    @property
    def sentence(self) -> str:
        """One line: `212 packages: 116 Python, 96 Debian`."""
        kinds = ", ".join(f"{count} {name}" for name, count in self.types.items())
        noun = "package" if self.total == 1 else "packages"
        return f"{self.total} {noun}: {kinds}" if kinds else "no packages"


def python_name(name: str) -> str:
    """Return a Python package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _qualifier(purl: PackageURL, name: str) -> str:
    return str(purl.qualifiers.get(name, "")) if isinstance(purl.qualifiers, dict) else ""


def _ecosystem(purl: PackageURL) -> str:
    if purl.type == "deb":
        family = {"debian": "Debian", "ubuntu": "Ubuntu"}.get((purl.namespace or "").lower(), "")
        release = _qualifier(purl, "distro").partition("-")[2]
        return f"{family}:{release}" if family and release else family
    return ECOSYSTEMS.get(purl.type, "")


def _source(purl: PackageURL) -> tuple[str, str]:
    """Return name and version of what a package was made from; its own where nothing else is said.

    The `upstream` of a Debian package is `name` or `name@version`, the latter where the two versions differ, as they
    do after a rebuild without a change of the source (`2.66-4+b1` of source `2.66-4`).
    """
    name, version = purl.name, purl.version or ""
    if purl.type == "pypi":
        return python_name(name), version
    if purl.type in {"npm", "golang"} and purl.namespace:
        return f"{purl.namespace}/{name}", version
    if purl.type == "deb":
        source, _, source_version = _qualifier(purl, "upstream").partition("@")
        return source or name, source_version or version
    return name, version


def _licences(entries: Any) -> tuple[str, ...]:
    found = []
    for entry in entries or ():
        licence = entry.get("license") or {}
        text = entry.get("expression") or licence.get("id") or licence.get("name") or ""
        if text:
            found.append(str(text)[:120])
    return tuple(dict.fromkeys(found))


def _component(entry: Mapping[str, Any]) -> Component | None:
    text = str(entry.get("purl", ""))
    licences = _licences(entry.get("licenses"))
    try:
        purl = PackageURL.from_string(text)
    except ValueError:
        if entry.get("type") in NO_PACKAGES or not entry.get("name"):
            return None
        name, version = str(entry["name"]), str(entry.get("version", ""))
        return Component(name, version, "generic", text, "", name, version, licences)
    source, source_version = _source(purl)
    return Component(
        str(entry.get("name") or purl.name),
        str(entry.get("version") or purl.version or ""),
        purl.type,
        text,
        _ecosystem(purl),
        source,
        source_version,
        licences,
    )


def components_of(document: Mapping[str, Any]) -> list[Component]:
    """List the packages of a CycloneDX document, each once; raise `ValueError` for what is no such document."""
    if document.get("bomFormat") != "CycloneDX":
        message = "not a CycloneDX document"
        raise ValueError(message)
    found = (_component(entry) for entry in document.get("components") or ())
    unique = {(one.type, one.name, one.version): one for one in found if one is not None}
    return sorted(unique.values(), key=lambda one: (one.type, one.name.lower(), one.version))


def contents_of(components: list[Component]) -> Contents:
    """Summarise packages: kinds and licences, the most frequent first."""
    types = Counter(SHOWN_TYPES.get(one.type, one.type) for one in components)
    licences = Counter(licence for one in components for licence in one.licences)
    return Contents(
        total=len(components),
        types=dict(types.most_common()),
        licences=dict(licences.most_common()),
        without_licence=sum(not one.licences for one in components),
    )
