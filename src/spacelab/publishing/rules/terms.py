"""Decisions on metadata: what may be written by whom, what is missing, and what a viewer sees of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spacelab.kit.refusals import Invalid
from spacelab.publishing.rules.term_checks import check_of
from spacelab.publishing.rules.term_list import TERMS
from spacelab.publishing.rules.term_types import LISTS, NAMESPACES, Block, Flaw, Kind, Term, Type, Value, Writer

__all__ = [
    "LISTS",
    "MOST_BYTES",
    "NAMESPACES",
    "TERMS",
    "Block",
    "Flaw",
    "Kind",
    "Problem",
    "Shown",
    "Term",
    "Type",
    "Value",
    "Writer",
    "acceptable",
    "clean",
    "merged",
    "missing",
    "problems",
    "shown",
    "terms_of",
    "visible",
]

MOST_BYTES = 200_000
"""Bytes of all terms of a version, as JSON; real ones have a few thousand. The same as a metadata file may have."""
MOST_UNKNOWN = 50
"""Terms kept though no vocabulary here knows them."""
LONGEST_UNKNOWN = 20_000
UNKNOWN_KEY = re.compile(r"[A-Za-z@][A-Za-z0-9@:_-]*(\.[A-Za-z0-9@:_-]+)*")
LONGEST_KEY = 100

SAME = {"displayName": "alternateName", "alternateName": "displayName"}
"""One term under two names: which one counts depends on the kind, and the other is read in its place."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one value."""

    key: str
    message: str
    advice: str = ""


@dataclass(frozen=True)
class Shown:
    """One term with the value that somebody may see."""

    term: Term
    value: Value


def terms_of(kind: Kind | str, *, writer: Writer | str | None = None) -> list[Term]:
    """Return the terms of a kind, in their order; those of one writer if `writer` is given."""
    kind = Kind(kind)
    return [term for term in TERMS.values() if kind in term.kinds and writer in (None, term.writer)]


def writer_of(key: str) -> Writer:
    """Say who writes a term; of one that no declaration knows it is the author."""
    return TERMS[key].writer if key in TERMS else Writer.AUTHOR


def clean(values: Mapping[str, Any], *, writer: Writer | str, kind: Kind | str) -> dict[str, Value]:
    """Return what is kept of the values; empty ones are left out.

    Raises `Invalid`, whose `field` is the key, on a value that a term can't hold, and on a term of another writer.
    """
    kept, wrong = _checked(values, Writer(writer), Kind(kind))
    if wrong:
        first = wrong[0]
        label = TERMS[first.key].label if first.key in TERMS else first.key
        raise Invalid(f"{label}: {first.message}", advice=first.advice, field=first.key)
    return kept


def problems(values: Mapping[str, Any], *, writer: Writer | str, kind: Kind | str) -> list[Problem]:
    """Name everything that `clean` would refuse."""
    return _checked(values, Writer(writer), Kind(kind))[1]


def acceptable(
    values: Mapping[str, Any], *, writer: Writer | str, kind: Kind | str
) -> tuple[dict[str, Value], list[Problem]]:
    """Return the values that can be kept, and what is wrong with the others: for files that somebody else wrote."""
    return _checked(values, Writer(writer), Kind(kind))


def merged(
    stored: Mapping[str, Value], changes: Mapping[str, Any], *, writer: Writer | str, kind: Kind | str
) -> dict[str, Value]:
    """Return the stored terms with a writer's changes; an empty value takes its term away. Raises as `clean` does."""
    kept = clean(changes, writer=writer, kind=kind)
    after = {key: value for key, value in stored.items() if key not in changes} | kept
    _check_size(after)
    return after


def missing(values: Mapping[str, Any], kind: Kind | str) -> list[Term]:
    """Return the mandatory terms without a value."""
    values = _renamed(values, Kind(kind))
    return [term for term in terms_of(kind) if term.block is Block.MANDATORY and not values.get(term.key)]


def visible(values: Mapping[str, Any], *, insider: bool) -> dict[str, Any]:
    """Return what somebody may see: insiders (author, moderators, operators) all, others what is declared public.

    The only way from stored terms to a page, an answer of the API, an export or a search. What no declaration
    knows is private, because nobody said that it is not.
    """
    if insider:
        return dict(values)
    return {key: value for key, value in values.items() if key in TERMS and not TERMS[key].private}


def shown(values: Mapping[str, Any], *, insider: bool, kind: Kind | str) -> list[Shown]:
    """Return the known terms that somebody may see, in their order."""
    seen = visible(values, insider=insider)
    return [Shown(term, seen[term.key]) for term in terms_of(kind) if seen.get(term.key) not in (None, "", [])]


def _renamed(values: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Read the other kind's short name where this kind's is missing."""
    renamed = dict(values)
    for own, other in SAME.items():
        if kind in TERMS[own].kinds and other in renamed:
            taken = renamed.pop(other)
            if not renamed.get(own):
                renamed[own] = taken
    return renamed


def _checked(values: Mapping[str, Any], writer: Writer, kind: Kind) -> tuple[dict[str, Value], list[Problem]]:
    _check_size(values)
    kept: dict[str, Value] = {}
    wrong: list[Problem] = []
    for key, value in _renamed(values, kind).items():
        try:
            checked = _one(key, value, writer)
        except Flaw as flaw:
            wrong.append(Problem(key[:LONGEST_KEY], flaw.message, flaw.advice))
        else:
            if checked or (checked is False and not _empty(value)):
                kept[key] = checked
    unknown = [key for key in kept if key not in TERMS]
    for key in unknown[MOST_UNKNOWN:]:
        del kept[key]
        wrong.append(Problem(key, f"More than {MOST_UNKNOWN} terms are unknown here.", "Leave out what nobody needs."))
    return kept, wrong


def _one(key: str, value: Any, writer: Writer) -> Value:
    term = TERMS.get(key)
    if term is None:
        if writer is not Writer.AUTHOR:
            raise Flaw("There is no such term.")
        return _unknown(key, value)
    if term.writer is not writer:
        if _empty(value):
            return ""
        raise Flaw(f"Only the {term.writer} writes it.", "Leave it out.")
    return term.check(value) if value is not None else ""


def _empty(value: Any) -> bool:
    return value in (None, "", [])


def _unknown(key: str, value: Any) -> Value:
    """Check a term that no declaration knows: a text, or a list of texts."""
    if len(key) > LONGEST_KEY or not UNKNOWN_KEY.fullmatch(key):
        raise Flaw("This is no name of a term.", "Use letters, digits and dots.")
    if isinstance(value, bool | int | float):
        value = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, list):
        texts = [str(one) if isinstance(one, int | float) else one for one in value]
        return check_of(Type.NAMES, longest=2000, most=200)(texts)
    if value is not None and not isinstance(value, str):
        raise Flaw("It must be text or a list of texts.", "Write nested keys with dots.")
    return check_of(Type.LONG, longest=LONGEST_UNKNOWN, most=1)(value or "")


def _check_size(values: Mapping[str, Any]) -> None:
    """Raise `Invalid` if the values are too large together, or can't be written as JSON."""
    size = 0
    try:
        for part in _parts(values):
            size += len(part)
            if size > MOST_BYTES:
                break
        else:
            return
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid("The metadata holds something that is no text.", advice="Write texts and lists.") from error
    raise Invalid(
        f"The metadata is larger than {MOST_BYTES // 1000} kB.",
        advice="Shorten the longest texts; what needs more room belongs in a file of the package.",
        field=max(values, key=lambda key: len(str(values[key])))[:LONGEST_KEY],
    )


def _parts(values: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the JSON of the values piece by piece, so that too much of it is never held twice."""
    for part in json.JSONEncoder(ensure_ascii=False).iterencode(dict(values)):
        yield part.encode("utf-8", "surrogatepass")
