"""Reads of what published things share: the thesaurus that keywords come from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from spacelab.publishing.rules.thesaurus import Concept, Suggestion, Thesaurus

_held: dict[Path, tuple[tuple[int, int], Thesaurus]] = {}
"""File → the version of it that was read, and what it said: a program reads it once, and again when it changes."""


def thesaurus_file() -> Path:
    """Return where the thesaurus is kept."""
    state: Path = settings.SPACELAB.state
    return state / "vocabularies" / "keywords.json"


def thesaurus() -> Thesaurus:
    """Return the thesaurus that keywords come from; an empty one if none is loaded."""
    file = thesaurus_file()
    try:
        status = file.stat()
    except FileNotFoundError:
        return Thesaurus()
    version = (status.st_mtime_ns, status.st_size)
    if file not in _held or _held[file][0] != version:
        _held[file] = (version, _read(json.loads(file.read_text("utf-8"))))
    return _held[file][1]


def _read(data: dict[str, Any]) -> Thesaurus:
    concepts = [Concept(iri, label, tuple(others)) for iri, label, others in data["concepts"]]
    return Thesaurus(concepts, title=data["title"], version=data["version"], licence=data["licence"])


def suggest_keywords(text: str) -> list[Suggestion]:
    """Return at most twenty concepts that fit the last of the keywords typed."""
    return thesaurus().suggest(text.replace(";", ",").rpartition(",")[2])


def concepts_of(keywords: Iterable[str]) -> dict[str, str]:
    """Return the IRI of each keyword that is the label of a concept."""
    known = thesaurus()
    return {word: concept.iri for word in keywords if (concept := known.concept_of(word))}
