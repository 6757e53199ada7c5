"""Reads a package's folder: `datalab-meta.yml` in all its forms, `spacelab.yml`, and the icon."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from datalab_package import names
from datalab_package.problems import PackageProblem

META_FILES = ("datalab-meta.yml", "datalab-meta.yaml", "lab-meta.yml")
SETUP_FILE = "spacelab.yml"
ICON_FILES = ("icon.svg", "logo.svg")
LARGEST_FILE = 200_000
"""Bytes of a YAML file or an icon; real ones have a few thousand."""

SETUP_KEYS = {"kind", "command", "interface", "activity_probe", "default_volumes", "variables"}
INTERFACE_KEYS = {"port", "path", "health_path"}
PROBES = ("", "jupyter")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Manifest:
    """What a package says about itself. `slug` comes from `alternateName`; `folder` is where it was read."""

    folder: Path
    slug: str
    title: str
    abstract: str
    version: str
    description: str = ""
    author: str = ""
    contact: str = ""
    licence: str = ""
    tags: list[str] = field(default_factory=list)
    icon: str = ""
    kind: str = "jupyter"
    command: list[str] = field(default_factory=list)
    interface: dict[str, Any] = field(default_factory=dict)
    activity_probe: str = ""
    default_volumes: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    has_requirements: bool = False


def read_manifest(folder: Path) -> Manifest:
    """Read the package in `folder`; raise `PackageProblem`, naming file and key, on what can't be used."""
    name = next((one for one in META_FILES if (folder / one).is_file()), None)
    if name is None:
        raise PackageProblem(f"The package has no {META_FILES[0]}.", "Add one to its root.", META_FILES[0])
    meta = _Meta(name, _flatten(_load(folder / name)))
    title = meta.text("title", longest=120, needed=True)
    short = meta.text("alternateName", longest=60, needed=True)
    slug = names.slug_of(short)
    if not slug:
        raise meta.wrong("alternateName", f"“{short}” makes no address", names.SLUG_ADVICE)
    return Manifest(
        folder=folder,
        slug=slug,
        title=title,
        abstract=meta.text("abstract", longest=1000, needed=True),
        version=meta.text("version", longest=40) or "1",
        description=meta.text("description", longest=20000),
        author=meta.text("creator.name", longest=120),
        contact=meta.text("contactPoint.email", longest=254),
        licence=meta.text("distribution.license", longest=200),
        tags=meta.words("keywords"),
        icon=_icon(folder),
        has_requirements=(folder / "requirements.txt").is_file(),
        **_setup(folder),
    )


def _load(file: Path) -> dict[str, Any]:
    if file.stat().st_size > LARGEST_FILE:
        raise PackageProblem(f"{file.name} is larger than {LARGEST_FILE // 1000} kB.", file=file.name)
    try:
        # BaseLoader keeps every scalar as it was written: a version 1.10 must not become the number 1.1
        data = yaml.load(file.read_text("utf-8-sig"), Loader=yaml.BaseLoader)  # noqa: S506  it makes text only
    except UnicodeDecodeError as error:
        raise PackageProblem(f"{file.name} is not UTF-8 text.", file=file.name) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise PackageProblem(f"{file.name}{where} is not YAML.", "Check indentation and quotes.", file.name) from error
    if not isinstance(data, dict):
        raise PackageProblem(f"{file.name} must hold keys and values.", file=file.name)
    return data


def _flatten(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            flat.update(_flatten(value, f"{path}."))
        else:
            flat[path] = value
    return flat


class _Meta:
    """One file's keys and values, with messages that name both."""

    def __init__(self, file: str, values: dict[str, Any]) -> None:
        self.file = file
        self.values = values

    def wrong(self, key: str, what: str, advice: str = "") -> PackageProblem:
        return PackageProblem(f"{self.file}, {key}: {what}.", advice, self.file, key=key)

    def text(self, key: str, *, longest: int, needed: bool = False) -> str:
        value = self.values.get(key, "")
        if not isinstance(value, str):
            raise self.wrong(key, "must be text")
        value = value.strip()
        if needed and not value:
            raise self.wrong(key, "is missing")
        if len(value) > longest:
            raise self.wrong(key, f"has {len(value)} characters, at most {longest} are kept")
        return value

    def words(self, key: str) -> list[str]:
        value = self.values.get(key, [])
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise self.wrong(key, "must be a list of words, or words with commas between")
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _icon(folder: Path) -> str:
    file = next((folder / one for one in ICON_FILES if (folder / one).is_file()), None)
    if file is None:
        return ""
    if file.stat().st_size > LARGEST_FILE:
        raise PackageProblem(f"{file.name} is larger than {LARGEST_FILE // 1000} kB.", file=file.name)
    try:
        text = file.read_text("utf-8")
        root = ET.fromstring(text) if "<!ENTITY" not in text else None  # noqa: S314  entities are refused before
    except (UnicodeDecodeError, ET.ParseError):
        root = None
    if root is None or root.tag.rpartition("}")[2] != "svg":
        raise PackageProblem(f"{file.name} is not an SVG image.", file=file.name)
    return text


def _setup(folder: Path) -> dict[str, Any]:
    file = folder / SETUP_FILE
    if not file.is_file():
        return {}
    data = _load(file)
    meta = _Meta(SETUP_FILE, data)
    for key in data.keys() - SETUP_KEYS:
        raise meta.wrong(key, "is not a known key", f"Known are {', '.join(sorted(SETUP_KEYS))}.")
    kind = meta.text("kind", longest=20) or "web"
    if kind not in names.KINDS:
        raise meta.wrong("kind", f"“{kind}” is none of {', '.join(names.KINDS)}")
    probe = meta.text("activity_probe", longest=20)
    if probe not in PROBES:
        raise meta.wrong("activity_probe", f"“{probe}” is not known", "Write jupyter, or leave it out.")
    command = data.get("command", [])
    if not isinstance(command, list) or not all(isinstance(part, str) and part for part in command):
        raise meta.wrong("command", "must be a list of words", 'For example ["python", "-m", "http.server"].')
    return {
        "kind": kind,
        "activity_probe": probe,
        "command": command,
        "interface": _interface(meta),
        "default_volumes": meta.words("default_volumes"),
        "variables": _variables(meta),
    }


def _interface(meta: _Meta) -> dict[str, Any]:
    value = meta.values.get("interface") or {}
    if not isinstance(value, dict):
        raise meta.wrong("interface", "must hold port, path, health_path")
    for key in value.keys() - INTERFACE_KEYS:
        raise meta.wrong(f"interface.{key}", "is not a known key", f"Known are {', '.join(sorted(INTERFACE_KEYS))}.")
    interface: dict[str, Any] = {}
    for key in ("path", "health_path"):
        if key in value:
            if not isinstance(value[key], str) or not value[key].startswith("/"):
                raise meta.wrong(f"interface.{key}", "must start with /")
            interface[key] = value[key]
    if "port" in value:
        port = str(value["port"])
        if not port.isascii() or not port.isdigit() or not 1024 <= int(port) <= 65535:  # noqa: PLR2004  ports
            raise meta.wrong("interface.port", "must be a number from 1024 to 65535")
        interface["port"] = int(port)
    return interface


def _variables(meta: _Meta) -> dict[str, str]:
    value = meta.values.get("variables") or {}
    if not isinstance(value, dict):
        raise meta.wrong("variables", "must hold names and values")
    for name, content in value.items():
        if not VARIABLE.fullmatch(name):
            raise meta.wrong(f"variables.{name}", "is not a variable's name")
        if not isinstance(content, str):
            raise meta.wrong(f"variables.{name}", "must be text")
    return value
