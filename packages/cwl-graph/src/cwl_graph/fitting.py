"""Decides whether what one port gives fits what another one takes, and what would make it fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cwl_graph.cwl_types import NUMBERS, Type

Fit = Literal["fits", "scatter", "convert", "never"]

_WIDER = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
}


@dataclass(frozen=True)
class Converter:
    """What makes a value fit: fields of the step's input, and the requirements they need."""

    why: str
    fields: tuple[tuple[str, str | bool], ...]
    requirements: tuple[str, ...] = ("StepInputExpressionRequirement", "InlineJavascriptRequirement")


def fit(source: Type, target: Type) -> tuple[Fit, str]:
    """Return how a source's type goes with a target's, and why in a few words (empty where it simply fits).

    *fits*, with words where only some of the source's values do · *scatter*: the step can run once for each value ·
    *convert*: `converter` makes it fit · *never*.
    """
    level = _level(source, target)
    if level == _ALWAYS:
        return "fits", ""
    if level == _SOMETIMES:
        if source.optional and _level(source.required, target) == _ALWAYS:
            return "fits", f"The source may be empty (null), and {target.text} is wanted."
        return "fits", f"Only some values of {source.text} are {target.text}."
    plain = source.required
    if plain.array and plain.items and _level(plain.items, target) != _NO:
        return "scatter", f"{source.text} holds many; the step can run once for each."
    made = converter(source, target)
    if made:
        return "convert", made.why
    return "never", f"{source.text} can't become {target.text}."


_NO, _SOMETIMES, _ALWAYS = 0, 1, 2


def _level(source: Type, target: Type) -> int:  # noqa: PLR0911  one answer a kind of type
    if "Any" in {source.kind, target.kind} or "unknown" in {source.kind, target.kind}:
        return _ALWAYS
    if source.kind == "union":
        levels = [_level(member, target) for member in source.members]
        if min(levels) == _ALWAYS:
            return _ALWAYS
        some = [one for one, member in zip(levels, source.members, strict=True) if member.kind != "null"]
        return _SOMETIMES if some and max(some) != _NO else _NO
    if target.kind == "union":
        return max(_level(source, member) for member in target.members)
    if source.kind == target.kind == "array":
        return _level(source.items, target.items) if source.items and target.items else _ALWAYS
    if source.kind == target.kind == "record":
        given = {field.name: field.type for field in source.fields}
        levels = [_level(given.get(field.name, Type("null")), field.type) for field in target.fields]
        return min(levels, default=_ALWAYS)
    if source.kind == target.kind == "enum":
        common = set(source.symbols) & set(target.symbols)
        return _ALWAYS if set(source.symbols) <= set(target.symbols) else _SOMETIMES if common else _NO
    return _ALWAYS if source.kind == target.kind else _NO


def _expression(why: str, code: str, *more: tuple[str, str | bool]) -> Converter:
    plain = code.startswith("$(") and all(letter.isalnum() or letter in "._[]" for letter in code[2:-1])
    needs = ("StepInputExpressionRequirement",)
    return Converter(why, (*more, ("valueFrom", code)), needs if plain else (*needs, "InlineJavascriptRequirement"))


def converter(source: Type, target: Type) -> Converter | None:  # noqa: PLR0911  one answer a pair of types
    """Return what makes a step's input take a source of another type; None where nothing does."""
    have, want = source.required, target.required
    if have.kind in NUMBERS and want.kind in _WIDER.get(have.kind, frozenset()):
        return _expression(f"{have.text} is taken as {want.text}.", "$(self)")
    if {have.kind, want.kind} == {"enum", "string"}:
        return _expression(f"{have.text} is taken as {want.text}.", "$(self)")
    if have.kind in NUMBERS | {"boolean"} and want.kind == "string":
        return _expression(f"{have.text} is written as text.", "$(String(self))")
    if have.kind in {"float", "double"} and want.kind in {"int", "long"}:
        return _expression(f"{have.text} is rounded.", "$(Math.round(self))")
    if have.kind == "string" and want.kind in NUMBERS:
        return _expression(f"The text is read as {want.text}.", "$(Number(self))")
    if have.kind == "Directory" and want.array and want.items and _level(Type("File"), want.items) == _ALWAYS:
        code = '$(self.listing.filter(function (one) { return one["class"] == "File"; }))'
        return _expression("The folder's files are taken.", code, ("loadListing", "shallow_listing"))
    if have.kind == "File" and want.kind == "string":
        return _expression("The file's text is taken (up to 64 kB).", "$(self.contents)", ("loadContents", True))
    if want.array and want.items and _level(have, want.items) != _NO:
        return _expression(f"A list with the one {have.text} is made.", "$([self])")
    if have.array and have.items and _level(have.items, want) != _NO:
        return _expression("The first of the list is taken.", "$(self[0])")
    return None
