"""Writes values as YAML that reads back the same in YAML 1.1 and 1.2, in block or flow style, and as JSON."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from cwl_graph.tree import resolved

LONGEST_FLOW = 60
"""Characters of a list of short values that stays on one line."""

_PLAIN = re.compile(r"[A-Za-z0-9_/.$(](?:(?! #|:(?: |\Z))[^\x00-\x1f])*\Z")
_NOT_PLAIN_IN_FLOW = re.compile(r"[\[\]{},:\"'#]")
_OLD_WORDS = frozenset({"yes", "no", "on", "off"})
_OLD_NUMBER = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?::[0-9]+)+(?:\.[0-9]*)?|0[0-7_]+|0b[01_]+|[0-9][0-9_,]*\.?[0-9_]*|=|[-+]?\.(?:[0-9_].*)?)\Z"
)
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?")
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def is_plain(text: str, *, flow: bool = False) -> bool:
    """Say whether a text needs no quotes."""
    if not _PLAIN.match(text) or text != text.strip() or _UNPRINTABLE.search(text):
        return False
    if flow and _NOT_PLAIN_IN_FLOW.search(text):
        return False
    if text.lower() in _OLD_WORDS or _OLD_NUMBER.match(text) or _DATE.match(text):
        return False
    return isinstance(resolved(text), str)


def quoted(text: str) -> str:
    """Return a text in double quotes, as JSON and YAML both read it."""
    escaped = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: _escape(found[0]), escaped)


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  the last of the basic plane


def number(value: float) -> str:
    """Return a number as YAML writes it."""
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    if "e" in text and "." not in text:
        mantissa, _, exponent = text.partition("e")
        text = f"{mantissa}.0e{exponent}"
    return text


def scalar_text(value: Any, *, flow: bool = False, json_style: bool = False) -> str:
    """Return a scalar on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    text = str(value)
    return text if not json_style and is_plain(text, flow=flow) else quoted(text)


def flow_text(value: Any, *, json_style: bool = False) -> str:
    """Return a value on one line, as JSON if told."""
    if isinstance(value, dict):
        inner = [
            f"{scalar_text(str(k), flow=True, json_style=json_style)}: {flow_text(v, json_style=json_style)}"
            for k, v in value.items()
        ]
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow_text(each, json_style=json_style) for each in value) + "]"
    return scalar_text(value, flow=True, json_style=json_style)


def _is_block(value: Any) -> bool:
    """Say whether a value takes lines of its own in block style."""
    if isinstance(value, dict):
        return bool(value)
    if not isinstance(value, list) or not value:
        return False
    if any(isinstance(each, dict | list) for each in value):
        return True
    return len(flow_text(value)) > LONGEST_FLOW


def _literal(text: str) -> bool:
    """Say whether a text is written best as a block of lines (`|`)."""
    if "\n" not in text or _UNPRINTABLE.search(text) or "\t" in text.split("\n", 1)[0]:
        return False
    lines = text.split("\n")
    return bool(lines[0].strip()) and not lines[0].startswith(" ") and all(line.strip() or not line for line in lines)


def literal_lines(text: str, indent: int) -> list[str]:
    """Return a text as a block of lines, header first."""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    header = "|-" if ends == 0 else "|" if ends == 1 else "|+"
    lines = body.split("\n") + [""] * max(0, ends - 1)
    return [header, *(f"{' ' * indent}{line}" if line else "" for line in lines)]


def block_lines(value: Any, indent: int, step: int = 2) -> list[str]:
    """Return a map or list in block style, one text a line, each indented by `indent` spaces."""
    pad = " " * indent
    lines: list[str] = []
    if isinstance(value, dict):
        for key, each in value.items():
            lines += [
                f"{pad}{scalar_text(str(key))}:{first}" if number_ == 0 else first
                for number_, first in enumerate(value_lines(each, indent, step))
            ]
        return lines
    for each in value:
        if isinstance(each, dict | list) and _is_block(each):
            inner = block_lines(each, indent + 2, step)
            lines += [f"{pad}- {inner[0][indent + 2 :]}", *inner[1:]]
        else:
            first, *rest = value_lines(each, indent, step)
            lines += [f"{pad}-{first}", *rest]
    return lines


def value_lines(value: Any, indent: int, step: int = 2) -> list[str]:
    """Return what follows a key (or a dash) that stands at `indent`: the rest of its line, then whole lines."""
    if _is_block(value):
        return ["", *block_lines(value, indent + step, step)]
    if isinstance(value, str) and _literal(value):
        header, *rest = literal_lines(value, indent + step)
        return [f" {header}", *rest]
    if isinstance(value, dict | list):
        return [f" {flow_text(value)}"]
    return [f" {scalar_text(value)}"]
