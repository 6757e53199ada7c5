"""What the fields of requirements may hold: amounts, expressions, variables, files; all else is told at its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cwl_graph.known_fields import REQUIREMENTS
from cwl_graph.tree import Value

NEEDED = {
    "SchemaDefRequirement": "types",
    "SoftwareRequirement": "packages",
    "InitialWorkDirRequirement": "listing",
    "EnvVarRequirement": "envDef",
    "WorkReuse": "enableReuse",
    "NetworkAccess": "networkAccess",
    "InplaceUpdateRequirement": "inplaceUpdate",
    "ToolTimeLimit": "timelimit",
}
"""Requirements that mean nothing without their field."""
LISTINGS = ("no_listing", "shallow_listing", "deep_listing")


@dataclass(frozen=True)
class Wrong:
    """A value that its field can't hold."""

    at: Value
    message: str
    advice: str


def wrong_values(name: str, requirement: Value) -> Iterator[Wrong]:
    """Yield what is wrong with the values of a requirement or hint of this name."""
    if name not in REQUIREMENTS:
        return
    own = requirement.real
    if own.kind != "map":
        empty = own.kind == "scalar" and own.plain() is None
        if not empty:
            yield Wrong(own, f"`{name}` has no fields here.", f"Write `{name}: {{}}`, or its fields below it.")
            return
    needed = NEEDED.get(name)
    if needed and own.get(needed) is None and own.get("$import") is None:
        yield Wrong(own, f"`{name}` lacks `{needed}`.", f"Add `{needed}`, or take the requirement out.")
    for field, _, value in own.pairs() if own.kind == "map" else ():
        check = _CHECKS.get(field)
        if check and not _is_included(value.real):
            yield from check(field, value.real)
    if name == "ResourceRequirement":
        yield from _ranges(own)


def _is_included(value: Value) -> bool:
    return value.kind == "map" and any(value.get(one) is not None for one in ("$include", "$import"))


def _is_expression(value: Value) -> bool:
    return value.kind == "scalar" and ("$(" in value.text or "${" in value.text)


def _number(value: Value) -> float | None:
    found = value.plain() if value.kind == "scalar" else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _amount(field: str, value: Value) -> Iterator[Wrong]:
    number = _number(value)
    if not _is_expression(value) and (number is None or number < 0):
        yield Wrong(value, f"`{field}` is no amount.", "Write a number that is not negative, or an expression.")


def _yes_or_no(field: str, value: Value) -> Iterator[Wrong]:
    if not _is_expression(value) and not (value.kind == "scalar" and isinstance(value.plain(), bool)):
        yield Wrong(value, f"`{field}` is neither true nor false.", "Write `true`, `false`, or an expression.")


def _text(field: str, value: Value) -> Iterator[Wrong]:
    if value.kind != "scalar" or not value.text.strip():
        yield Wrong(value, f"`{field}` is no text.", "Write a name, such as `python:3.12`.")


def _listing_kind(field: str, value: Value) -> Iterator[Wrong]:
    if value.kind != "scalar" or value.text not in LISTINGS:
        yield Wrong(value, f"`{field}` knows no such value.", f"Write one of {', '.join(LISTINGS)}.")


def _library(field: str, value: Value) -> Iterator[Wrong]:
    if value.kind != "list":
        yield Wrong(value, f"`{field}` is no list.", "Write a list of pieces of JavaScript.")
        return
    for one in value.items:
        if one.real.kind != "scalar" and not _is_included(one.real):
            yield Wrong(one, f"A part of `{field}` is no text.", "Write JavaScript, or `$include` a file.")


def _variables(field: str, value: Value) -> Iterator[Wrong]:
    if value.kind == "list":
        for one in value.items:
            if not one.real.word("envName") or one.real.get("envValue") is None:
                advice = "Write `{envName: NAME, envValue: value}`."
                yield Wrong(one, "A variable lacks its name or its value.", advice)
        return
    if value.kind != "map":
        yield Wrong(value, f"`{field}` holds no variables.", "Write `NAME: value`, one a line.")
        return
    for name, key, one in value.pairs():
        given = one.real.get("envValue") if one.real.kind == "map" else one.real
        if "=" in name or not name:
            yield Wrong(key, f"`{name}` can't be the name of a variable.", "Use letters, digits and _.")
        elif given is None or given.kind != "scalar":
            yield Wrong(one, f"The variable `{name}` has no text as its value.", "Write a text or an expression.")


def _files(field: str, value: Value) -> Iterator[Wrong]:
    if _is_expression(value):
        return
    if value.kind != "list":
        yield Wrong(value, f"`{field}` is neither a list nor an expression.", "Write a list of files.")
        return
    for one in (each.real for each in value.items):
        plain_null = one.kind == "scalar" and one.plain() is None
        known = one.kind == "map" and (one.get("entry") is not None or one.word("class") in {"File", "Directory"})
        if not (_is_expression(one) or plain_null or known or _is_included(one)):
            advice = "Write `{entryname: name, entry: content}`, or an expression that gives a file."
            yield Wrong(one, f"An entry of `{field}` is no file.", advice)


def _ranges(own: Value) -> Iterator[Wrong]:
    for kind in ("cores", "ram", "tmpdir", "outdir"):
        least, most = own.get(f"{kind}Min"), own.get(f"{kind}Max")
        low, high = (_number(one) if one is not None else None for one in (least, most))
        if most is not None and low is not None and high is not None and low > high:
            yield Wrong(most, f"`{kind}Max` is less than `{kind}Min`.", "Raise it, or take one of them out.")


_CHECKS: dict[str, Callable[[str, Value], Iterator[Wrong]]] = {
    **{f"{kind}{end}": _amount for kind in ("cores", "ram", "tmpdir", "outdir") for end in ("Min", "Max")},
    "timelimit": _amount,
    "networkAccess": _yes_or_no,
    "enableReuse": _yes_or_no,
    "inplaceUpdate": _yes_or_no,
    "dockerPull": _text,
    "dockerOutputDirectory": _text,
    "loadListing": _listing_kind,
    "expressionLib": _library,
    "envDef": _variables,
    "listing": _files,
}
