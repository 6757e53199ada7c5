"""Which Python packages stand in a folder of an environment, told by the names of their metadata folders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
RECORD = re.compile(r"([A-Za-z0-9][A-Za-z0-9._]*)-([A-Za-z0-9][A-Za-z0-9.!+_]*)\.dist-info")
"""How an installed project's metadata folder is called (PyPA, "Recording installed projects")."""
ORIGIN_FILE = "direct_url.json"
"""The file in it that says where a project came from that is of no index (PEP 610)."""
NOT_CARRIED = frozenset({"pip", "setuptools", "wheel"})
"""What environments have to install with."""


def project_of(requirement: str) -> str:
    """Return the project's name in a requirement, in the form in which names are compared (PEP 503); empty if none."""
    found = NAME.match(requirement)
    return canonicalize_name(found[1]) if found else ""


def project_in(folder: str) -> tuple[str, str] | None:
    """Read a metadata folder's name as a project's normalised name and version; None if it is none."""
    found = RECORD.fullmatch(folder)
    if found is None:
        return None
    try:
        version = Version(found[2].replace("_", "-"))
    except InvalidVersion:
        return None
    return canonicalize_name(found[1]), str(version)


def pinned(folders: Iterable[str]) -> dict[str, str]:
    """Return a line for an installer for each project among the metadata folders: name → `name==version`.

    Where a project stands there twice, as after an interrupted upgrade, the newer one counts.
    """
    found: dict[str, str] = {}
    for folder in folders:
        project = project_in(folder)
        if project is None or project[0] in NOT_CARRIED:
            continue
        name, version = project
        if name not in found or Version(found[name]) < Version(version):
            found[name] = version
    return {name: f"{name}=={version}" for name, version in found.items()}


def from_elsewhere(name: str, text: str) -> str:
    """Return the line for a project that came by an address, from its `direct_url.json`; empty if only a folder has it.

    Addresses with a name or a password are left out, since the line will stand in a file that others read.
    """
    try:
        told = json.loads(text)
        url = str(told["url"])
    except (ValueError, KeyError, TypeError):
        return ""
    if not re.fullmatch(r"https://[A-Za-z0-9._~:/%+,=-]{1,500}", url):
        return ""
    repository = told.get("vcs_info")
    if isinstance(repository, dict):
        commit = str(repository.get("commit_id", ""))
        usable = repository.get("vcs") == "git" and re.fullmatch(r"[0-9a-f]{40,64}", commit)
        return f"{name} @ git+{url}@{commit}" if usable else ""
    return f"{name} @ {url}" if isinstance(told.get("archive_info"), dict) else ""


def lines_of(records: Mapping[str, str | None]) -> tuple[dict[str, str], list[str]]:
    """Return the lines that install projects again, by project, and the projects that can't be had again.

    `records` are metadata folders with their `direct_url.json`, None for what came from an index.
    """
    lines, left = pinned(records), []
    for folder, origin in records.items():
        project = project_in(folder)
        if origin is None or project is None or lines.get(project[0]) != f"{project[0]}=={project[1]}":
            continue
        if line := from_elsewhere(project[0], origin):
            lines[project[0]] = line
        else:
            left.append(project[0])
            del lines[project[0]]
    return lines, left


def in_environment(folder: Path) -> dict[str, str]:
    """Return the lines for all projects of an environment that the platform has sealed; empty if it has none.

    A package's own project is not among them: its files install it again.
    """
    records: dict[str, str | None] = {}
    for packages in sorted(folder.glob("lib/python3*/site-packages")):
        for record in packages.glob("*.dist-info"):
            origin = record / ORIGIN_FILE
            records[record.name] = origin.read_text("utf-8", "replace") if origin.is_file() else None
    return lines_of(records)[0]
