"""Splits a Dockerfile into its instructions as the engines do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

INSTRUCTIONS = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)

_DIRECTIVE = re.compile(r"\s*#\s*(syntax|escape|check)\s*=\s*(.*)", re.IGNORECASE)
_REFERENCE = re.compile(r"\\\$|\$(?:\{(?P<braced>\w+)(?::?(?P<sign>[-+])(?P<other>[^}]*))?\}|(?P<plain>\w+))")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its first and last line, its word in capitals, its `--flags`, and the rest in one line."""

    line: int
    end: int
    word: str
    flags: tuple[str, ...]
    rest: str

    def words(self) -> list[str]:
        """Return the rest as words; the list of the JSON form too, without its quotes."""
        if self.rest.startswith("["):
            return re.findall(r'"((?:[^"\\]|\\.)*)"', self.rest)
        return self.rest.split()


def directives(text: str) -> list[tuple[int, str]]:
    """Return the parser directives (`# syntax=`, `# escape=`) at the head of a Dockerfile, with their lines."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            break
        if match := _DIRECTIVE.match(line):
            found.append((number, match[1].lower()))
    return found


def instructions(text: str) -> list[Instruction]:
    r"""Split a Dockerfile: comments gone, lines that end in `\` joined, words in capitals, flags apart."""
    found: list[Instruction] = []
    parts: list[str] = []
    first = 0
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#") or (parts and not line.strip()):
            continue
        if not parts:
            first = number
        stripped = line.rstrip(" \t")
        if stripped.endswith("\\"):
            parts.append(stripped[:-1])
            continue
        parts.append(line)
        _add(found, first, number, parts)
        parts = []
    _add(found, first, len(lines), parts)
    return found


def _add(found: list[Instruction], first: int, last: int, parts: list[str]) -> None:
    joined = "".join(parts).strip()
    if not joined:
        return
    word, _, rest = re.sub(r"\s", " ", joined).partition(" ")
    flags: list[str] = []
    rest = rest.strip()
    while rest.startswith("--") and word.upper() not in {"CMD", "ENTRYPOINT", "ARG", "ENV", "LABEL"}:
        flag, _, rest = rest.partition(" ")
        flags.append(flag)
        rest = rest.strip()
    found.append(Instruction(first, last, word.upper(), tuple(flags), rest))


def expand(text: str, known: Mapping[str, str]) -> str:
    """Put the values of build arguments into a text; one that is unknown or empty gives nothing."""

    def value(found: re.Match[str]) -> str:
        name = found["braced"] or found["plain"]
        if not name:
            return found[0]
        present = known.get(name, "")
        if found["sign"] == "-":
            return present or found["other"]
        if found["sign"] == "+":
            return found["other"] if present else ""
        return present

    return _REFERENCE.sub(value, text)


def global_arguments(found: list[Instruction]) -> dict[str, str]:
    """Return the build arguments that stand before the first FROM, with their defaults."""
    known: dict[str, str] = {}
    for one in found:
        if one.word == "FROM":
            break
        if one.word == "ARG":
            name, _, default = one.rest.partition("=")
            known[name.strip()] = expand(default.strip().strip("\"'"), known)
    return known


def split_image(image: str) -> tuple[str, str]:
    """Return an image's name and its tag or digest (with the sign before it)."""
    name, at, digest = image.partition("@")
    head, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return head, f":{tag}{at}{digest}"
    return name, f"{at}{digest}"
