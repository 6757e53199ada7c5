"""Reads the text files of a package, with messages that name file, line and encoding."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Any

import yaml

from datalab_package.problems import PackageProblem

LARGEST_TEXT = 200_000
"""Bytes of a file that describes a package; real ones have a few thousand."""

_UNKEPT = re.compile(r"[\x00-\x08\x0e-\x1f\ud800-\udfff]")
"""What no database keeps and no terminal should get, written as `\\0` or `\\e` in YAML."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(file: Path, *, largest: int = LARGEST_TEXT, name: str = "") -> str:
    """Return a file's text with a line feed between its lines; raise `PackageProblem` if it is too large or not UTF-8.

    `name` is how messages call the file; without it, its last part.
    """
    name = name or file.name
    if file.stat().st_size > largest:
        raise PackageProblem(f"{name} is larger than {largest // 1000} kB.", file=name)
    return decoded(file.read_bytes(), name).replace("\r\n", "\n").replace("\r", "\n")


def decoded(content: bytes, name: str) -> str:
    """Return the text in `content`; raise `PackageProblem`, with line and probable encoding, if it is not UTF-8."""
    if content.startswith(_UTF_16):
        raise _wrong_encoding(name, 1, "UTF-16", "UTF-16")
    if (at := content.find(b"\0")) >= 0:
        line = content.count(b"\n", 0, at) + 1
        raise PackageProblem(f"{name}, line {line} holds a zero byte, so it is no text.", "Write it again.", name, line)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        letter = content[error.start : error.start + 1].decode("cp1252", "replace")
        raise _wrong_encoding(name, line, f"Latin-1 or Windows-1252, there with “{letter}”", "WINDOWS-1252") from error


def _wrong_encoding(name: str, line: int, guess: str, encoding: str) -> PackageProblem:
    return PackageProblem(
        f"{name}, line {line} is not UTF-8 text; it looks like {guess}.",
        f"Save the file as UTF-8, for example with: iconv -f {encoding} -t UTF-8 {name}",
        name,
        line,
    )


class _Loader(yaml.BaseLoader):
    """YAML as text, lists and mappings; without aliases, and with each key once.

    Every scalar stays as it was written: a version 1.10 must not become the number 1.1.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*) are not read here", event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node: yaml.ScalarNode = super().compose_scalar_node(anchor)
        if _UNKEPT.search(node.value):
            raise yaml.composer.ComposerError(None, None, "a text holds a control character", node.start_mark)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  PyYAML's
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"“{key.value}” stands there twice", key.start_mark)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_nodes(file: Path) -> yaml.MappingNode:
    """Return the mapping in a YAML file as nodes, which know their lines; raise `PackageProblem` with the line."""
    return nodes_of(read_text(file), file.name)


def nodes_of(text: str, name: str) -> yaml.MappingNode:
    """Return the mapping in a YAML text as nodes; messages call it `name`. Raises `PackageProblem` with the line."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if isinstance(node, yaml.MappingNode):
            loader.construct_document(node)
            return node
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        what = getattr(error, "problem", "") or "a character that YAML does not allow"
        where = f", line {line}" if line else ""
        raise PackageProblem(
            f"{name}{where} is not YAML as it is read here: {what}.",
            "Check indentation and quotes; text that holds “: ” or starts with a sign needs quotes.",
            name,
            line,
        ) from error
    except RecursionError as error:
        raise PackageProblem(f"{name} is nested too deeply.", file=name) from error
    raise PackageProblem(f"{name} must hold keys and values.", file=name)


def read_yaml(file: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, every scalar as text; raise `PackageProblem` with the line."""
    return _data_of(read_nodes(file))


def yaml_of(text: str, name: str) -> dict[str, Any]:
    """Return the mapping in a YAML text, every scalar as text; raise `PackageProblem` with the line."""
    return _data_of(nodes_of(text, name))


def _data_of(node: yaml.MappingNode) -> dict[str, Any]:
    data: dict[str, Any] = _Loader("").construct_document(node)
    return data


class Keys:
    """One file's keys and values, read with messages that name both."""

    def __init__(self, file: str, values: dict[str, Any], prefix: str = "") -> None:
        self.file = file
        self.values = values
        self.prefix = prefix

    def wrong(self, key: str, what: str, advice: str = "") -> PackageProblem:
        """Make the problem that says what is wrong with a key."""
        return PackageProblem(f"{self.file}, {self.prefix}{key}: {what}.", advice, self.file, key=self.prefix + key)

    def only(self, known: set[str]) -> None:
        """Raise `PackageProblem` for a key that is not known."""
        for key in self.values:
            if key not in known:
                raise self.wrong(key, "is not a known key", f"Known are {', '.join(sorted(known))}.")

    def text(self, key: str, *, longest: int, needed: bool = False) -> str:
        """Return a key's text without white space around it; empty if it is missing."""
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
        """Return a key's words, each once: written as a list, or with commas between."""
        value = self.values.get(key, [])
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise self.wrong(key, "must be a list of words, or words with commas between")
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        """Return a key's text if it is one of the allowed; empty if it is missing."""
        value = self.values.get(key) or ""
        if not isinstance(value, str):
            raise self.wrong(key, f"must be one of {', '.join(allowed)}, and only one")
        if value and value not in allowed:
            raise self.wrong(key, f"“{value}” is none of {', '.join(allowed)}")
        return value

    def command(self, key: str, *, needed: bool = False) -> list[str]:
        """Return a program and its arguments; empty if there is none."""
        value = self.values.get(key) or []
        if isinstance(value, list) and any(isinstance(part, list | dict) for part in value):
            raise self.wrong(key, "holds several commands", "A datalab starts one program; make a package of each.")
        if not isinstance(value, list) or not all(isinstance(part, str) and part for part in value):
            raise self.wrong(key, "must be a list of words", 'For example ["python", "-m", "http.server"].')
        if needed and not value:
            raise self.wrong(key, "is missing")
        return value

    def table(self, key: str, known: set[str]) -> Keys:
        """Return the mapping below a key, checked for unknown keys; an empty one if it is missing."""
        value = self.values.get(key) or {}
        if not isinstance(value, dict):
            raise self.wrong(key, f"must hold {', '.join(sorted(known))}")
        below = Keys(self.file, value, f"{self.prefix}{key}.")
        below.only(known)
        return below

    def tables(self, key: str, known: set[str]) -> list[Keys]:
        """Return the list of mappings below a key, each checked for unknown keys."""
        value = self.values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.wrong(key, f"must be a list; each entry holds {', '.join(sorted(known))}")
        entries = [Keys(self.file, one, f"{self.prefix}{key}[{number}].") for number, one in enumerate(value, 1)]
        for entry in entries:
            entry.only(known)
        return entries
