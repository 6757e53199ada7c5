"""Reads notebooks: their code cells as plain Python, and what their first text says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datalab_package.problems import PackageProblem
from datalab_package.texts import decoded

LARGEST_NOTEBOOK = 50_000_000
"""Bytes that are read for the code in them; outputs make notebooks large."""

_CELL_MAGIC = re.compile(r"\s*%%(\w+)")
_RUN_AS_PYTHON = frozenset({"time", "timeit", "capture", "prun", "memit"})
_HELP = re.compile(r"[\w.]+\s*\?+")
_NAMES = re.compile(r"[\w, ]+")
_INSTALL = re.compile(r"^\s*[%!]\s*(?:pip3?|uv pip|conda|mamba|python3? -m pip)\s+install\s+(?P<what>.+)$")


@dataclass(frozen=True)
class Code:
    """A piece of Python: a whole script (`cell` 0) or one code cell of a notebook, counted from 1 with all cells."""

    file: str
    cell: int
    text: str
    installs: tuple[tuple[int, str], ...] = ()
    """Lines in which a notebook installs something itself, with what is named there."""


def read_notebook(file: Path, name: str) -> dict[str, Any]:
    """Return a notebook's content; raise `PackageProblem` if it is none."""
    if file.stat().st_size > LARGEST_NOTEBOOK:
        raise PackageProblem(
            f"{name} is larger than {LARGEST_NOTEBOOK // 1_000_000} MB.", "Clear its outputs before you save it.", name
        )
    try:
        data = json.loads(decoded(file.read_bytes(), name))
    except (ValueError, RecursionError) as error:  # bad JSON, or a number with too many digits
        line = getattr(error, "lineno", 0)
        where = f", line {line}" if line else ""
        raise PackageProblem(f"{name}{where} is not a notebook.", "Save it again in JupyterLab.", name, line) from error
    if not isinstance(data, dict) or not isinstance(data.get("cells", data.get("worksheets")), list):
        raise PackageProblem(f"{name} is not a notebook: it has no cells.", "Save it again in JupyterLab.", name)
    return data


def language(notebook: dict[str, Any]) -> str:
    """Return the language of a notebook's kernel in small letters; Python where it doesn't say."""
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for key, below in (("language_info", "name"), ("kernelspec", "language")):
        value = metadata.get(key)
        if isinstance(value, dict) and isinstance(value.get(below), str):
            return str(value[below]).lower()
    return "python"


def cells(notebook: dict[str, Any]) -> Iterator[tuple[int, str, str]]:
    """Yield number (from 1), type and text of a notebook's cells, in all of its formats since version 3."""
    found = notebook.get("cells")
    if found is None:
        sheets = [sheet for sheet in notebook["worksheets"] if isinstance(sheet, dict)]
        listed = [sheet.get("cells") for sheet in sheets]
        found = [cell for some in listed if isinstance(some, list) for cell in some]
    for number, cell in enumerate(found, 1):
        if isinstance(cell, dict):
            source = cell.get("source", cell.get("input", ""))
            parts = source if isinstance(source, list) else [source]
            yield number, str(cell.get("cell_type", "")), "".join(part for part in parts if isinstance(part, str))


def code_of(notebook: dict[str, Any], name: str) -> Iterator[Code]:
    """Yield a notebook's code cells as plain Python, magics and shell lines taken out, lines kept."""
    for number, kind, text in cells(notebook):
        if kind != "code":
            continue
        lines = text.splitlines()
        installs = tuple((line, found["what"]) for line, raw in enumerate(lines, 1) if (found := _INSTALL.match(raw)))
        first = next((index for index, raw in enumerate(lines) if raw.strip()), None)
        magic = _CELL_MAGIC.match(lines[first]) if first is not None else None
        if magic and first is not None:
            if magic[1] not in _RUN_AS_PYTHON:
                continue
            lines[first] = ""
        yield Code(name, number, "\n".join(_plain(raw) for raw in lines), installs)


def _plain(line: str) -> str:
    """Put something that Python reads in the place of a magic or a shell command."""
    rest = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    if rest.startswith(("%", "!", "?")) or (rest.endswith("?") and _HELP.fullmatch(rest)):
        return f"{indent}pass"
    names, equals, value = rest.partition("=")
    if equals and value.lstrip().startswith(("%", "!")) and _NAMES.fullmatch(names):
        return f"{indent}{names.strip()} = None"
    return line


def heading_and_text(notebook: dict[str, Any]) -> tuple[str, str]:
    """Return a notebook's first heading and the first paragraph of text below it, either perhaps empty."""
    heading, paragraph = "", list[str]()
    for _, kind, text in cells(notebook):
        if kind not in {"markdown", "heading"}:
            continue
        for line in [*text.splitlines(), ""]:
            plain = _without_marks(line)
            if line.lstrip().startswith("#") or kind == "heading":
                heading = heading or plain
            elif plain:
                paragraph.append(plain)
            elif paragraph:
                return heading, " ".join(paragraph)
    return heading, " ".join(paragraph)


def _without_marks(text: str) -> str:
    text = re.sub(r"!?\[([^\[\]]*)\]\([^()]*\)", r"\1", text)
    return " ".join(re.sub(r"<[^<>]+>|^\s*#+|[*`]", "", text).split())
