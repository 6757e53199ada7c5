"""Reading the one declaration that makes a folder of the host an archive volume: YAML in, checked values out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spacelab.kit.refusals import Invalid
from spacelab.volumes.rules import Access, check_volume_name

TEXT_LIMITS = {"title": 200, "domain": 60, "mission": 100, "summary": 2000, "licence": 200, "source": 500}
"""Each free text of a declaration and the characters it may have; only the title is mandatory."""

KEYS = ("name", "path", *TEXT_LIMITS, "access")
LARGEST_DECLARATION = 64 * 1024
"""Bytes; a declaration is a page of text, and anything bigger is some other file."""


@dataclass(frozen=True)
class Declaration:
    """What an operator says about an archive volume. `people` and `teams` are names; they count when restricted."""

    name: str
    path: Path
    title: str
    domain: str = ""
    mission: str = ""
    summary: str = ""
    licence: str = ""
    source: str = ""
    access: Access = Access.EVERYONE
    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


def read_declaration(file: Path) -> Declaration:
    """Read one YAML file; raise `Invalid` that names the file and what is wrong in it."""
    try:
        if file.stat().st_size > LARGEST_DECLARATION:
            raise Invalid(f"{file} is too big to be a declaration.", advice="Name a YAML file of a few lines.")
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} can't be read: {error}", advice="Name a YAML file that exists.") from error
    except yaml.YAMLError as error:
        raise Invalid(f"{file} is not YAML: {error}", advice="Correct it at the line shown.") from error
    try:
        return parse_declaration(data)
    except Invalid as refusal:
        raise Invalid(f"{file.name}: {refusal.message}", advice=refusal.advice, field=refusal.field) from refusal


def parse_declaration(data: object) -> Declaration:
    """Turn a declaration's mapping into checked values; raise `Invalid` for anything missing, unknown or malformed."""
    if not isinstance(data, Mapping):
        raise Invalid("A declaration is a mapping.", advice=f"Write lines such as “name: …”; keys: {', '.join(KEYS)}.")
    unknown = [str(key) for key in data if key not in KEYS]
    if unknown:
        raise Invalid(
            f"There is no key “{unknown[0][:60]}” in a declaration.",
            advice=f"The keys are {', '.join(KEYS)}.",
            field=unknown[0][:60],
        )
    name = _text(data, "name", 300)
    check_volume_name(name)
    if not _text(data, "title", TEXT_LIMITS["title"]):
        raise Invalid("The declaration has no title.", advice="Give the volume a title for people.", field="title")
    access, people, teams = _access(data.get("access", "everyone"))
    texts = {key: _text(data, key, limit) for key, limit in TEXT_LIMITS.items()}
    return Declaration(name=name, path=_path(data), access=access, people=people, teams=teams, **texts)


def _text(data: Mapping[Any, Any], key: str, limit: int) -> str:
    value = data.get(key, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(f"“{key}” has to be text.", advice="Put it in quotes.", field=key)
    value = " ".join(value.split()) if key != "path" else value.strip()
    if len(value) > limit:
        raise Invalid(f"“{key}” is longer than {limit} characters.", advice="Shorten it.", field=key)
    return value


def _path(data: Mapping[Any, Any]) -> Path:
    text = _text(data, "path", 1000)
    if not text:
        raise Invalid("The declaration has no path.", advice="Name the folder on this machine.", field="path")
    if not text.startswith("/") or "\0" in text:
        raise Invalid(f"“{text}” is not an absolute path.", advice="Start it with “/”.", field="path")
    return Path(text)


def _access(value: object) -> tuple[Access, tuple[str, ...], tuple[str, ...]]:
    if value == "everyone":
        return Access.EVERYONE, (), ()
    advice = "Write “access: everyone”, or “access: {people: [ada], teams: [Hyades]}”."
    if not isinstance(value, Mapping) or not value or set(value) - {"people", "teams"}:
        raise Invalid("“access” says neither everyone nor who.", advice=advice, field="access")
    names: dict[str, tuple[str, ...]] = {"people": (), "teams": ()}
    for key, entries in value.items():
        if not isinstance(entries, list) or not all(isinstance(one, str) and one for one in entries):
            raise Invalid(f"“access.{key}” has to be a list of names.", advice=advice, field="access")
        names[str(key)] = tuple(dict.fromkeys(entries))
    return Access.RESTRICTED, names["people"], names["teams"]
