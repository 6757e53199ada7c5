"""The files of a bundle: addresses between them, which never leave it, and their trees."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from urllib.parse import unquote

from cwl_graph.documents import Files
from cwl_graph.problems import Problem, Severity
from cwl_graph.tree import Tree, Value

LARGEST_BUNDLE = 5_000_000
"""Characters of all files of a bundle."""
MOST_FILES = 1000
"""Files of a bundle."""
MOST_PROBLEMS = 200
"""Problems that are kept; more help nobody."""
MOST_IMPORTS = 20
"""Files that import one another in a row."""

CATALOGUE = re.compile(r"catalogue/(?P<slug>[a-z0-9][a-z0-9-]*)/(?P<version>[^/]+)\.cwl\Z")
"""The path at which a bundle holds a step of the catalogue."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


@dataclass(frozen=True)
class Address:
    """Where an address leads: a path of the bundle and a fragment, or why it leads nowhere."""

    path: str = ""
    fragment: str = ""
    trouble: str = ""
    advice: str = ""


def safe_path(path: str) -> bool:
    """Say whether a path may name a file of a bundle: relative, plain, never upwards."""
    parts = path.split("/")
    return bool(path) and "\\" not in path and "\0" not in path and not any(part in {"", ".", ".."} for part in parts)


def resolve(base: str, address: str, files: Files) -> Address:  # noqa: PLR0911  one answer a kind of address
    """Return where an address in the file `base` leads. Nothing is fetched, whatever the address says."""
    path, _, fragment = address.partition("#")
    if not path:
        return Address(base, fragment)
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(base), path))
    if joined in files and not path.startswith("/"):
        return Address(joined, fragment)
    if path.startswith("/") or path.lower().startswith("file:"):
        return Address(
            trouble=f"`{address}` is an absolute address; a document may use only files of its own bundle.",
            advice="Put the file beside the document and name it by its relative path.",
        )
    if _SCHEME.match(path):
        return Address(
            trouble=f"`{address}` is on another machine; nothing is fetched.",
            advice="Download the file, put it beside the document and name it by its relative path.",
        )
    if joined == ".." or joined.startswith("../"):
        return Address(
            trouble=f"`{address}` leads out of the bundle.",
            advice="Put the file into the bundle and name it by a path without `..`.",
        )
    if unquote(joined) in files:
        return Address(unquote(joined), fragment)
    return Address(joined, fragment, f"`{joined}` is missing.", "Add the file to the bundle, or correct the path.")


class Bundle:
    """The files with their trees (each read once), and the problems found in them."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.used: dict[str, None] = {}
        self.problems: list[Problem] = []
        self._known: set[tuple[str, int, int, str]] = set()
        self._trees: dict[str, Tree] = {}
        self.types_read = 0
        self.too_large = self._check_size()

    def _check_size(self) -> bool:
        size = sum(len(text) for text in self.files.values())
        if size > LARGEST_BUNDLE or len(self.files) > MOST_FILES:
            told = f"{len(self.files)} files with {size / 1_000_000:.1f} MB"
            limit = f"{MOST_FILES} files with {LARGEST_BUNDLE // 1_000_000} MB are the most"
            self.add(Problem("error", f"The bundle holds {told}; {limit}.", "Keep data in files that are inputs."))
            return True
        return False

    def add(self, problem: Problem) -> None:
        """Keep a problem, each once."""
        key = (problem.file, problem.line, problem.column, problem.message)
        if key not in self._known and len(self.problems) < MOST_PROBLEMS:
            self._known.add(key)
            self.problems.append(problem)

    def note(self, severity: Severity, at: Value, message: str, advice: str = "", node: str = "") -> None:
        """Keep a problem at a value."""
        self.add(Problem(severity, message, advice, at.file, at.line, at.column, node))

    def error(self, at: Value, message: str, advice: str = "", node: str = "") -> None:
        """Keep an error at a value."""
        self.note("error", at, message, advice, node)

    def warning(self, at: Value, message: str, advice: str = "", node: str = "") -> None:
        """Keep a warning at a value."""
        self.note("warning", at, message, advice, node)

    def tree(self, path: str, node: str = "") -> Tree:
        """Return a file's tree; its problems are kept."""
        tree = self._trees.get(path)
        if tree is None:
            tree = self._trees[path] = Tree(self.files[path], path)
            self.used[path] = None
            for problem in tree.problems:
                self.add(replace(problem, node=node))
        return tree

    def follow(self, value: Value, node: str = "", depth: int = 0) -> Value | None:  # noqa: PLR0911  one answer a trouble
        """Return what stands in the place of a `$import`; any other value itself. None where it can't be had."""
        own = value.real
        if own.kind != "map" or len(own.entries) > 1:
            return own
        address = own.get("$import")
        if address is None:
            return own
        found = resolve(own.file, address.text, self.files)
        if found.trouble:
            self.error(address, found.trouble, found.advice, node)
            return None
        if depth >= MOST_IMPORTS:
            self.error(address, "Files import one another in a circle.", "Write the imported part out.", node)
            return None
        root = self.tree(found.path, node).root
        if root is None:
            return None
        part = in_graph(root, found.fragment) if found.fragment else root
        if part is None:
            self.error(address, f"`{found.path}` has nothing named `{found.fragment}`.", "", node)
            return None
        return self.follow(part, node, depth + 1)

    def get(self, value: Value, name: str, node: str = "") -> Value | None:
        """Return the value of a map's key, with `$import` followed."""
        found = value.get(name)
        return self.follow(found, node) if found is not None else None


def short(name: str) -> str:
    """Return an id without the address before it: `file.cwl#main/x` is `x`."""
    return name.rpartition("#")[2].rpartition("/")[2]


def in_graph(root: Value, fragment: str) -> Value | None:
    """Return the part of a document that a fragment names: a process of its `$graph`, or anything with that name."""
    if (
        root.kind == "map"
        and root.get("$graph") is None
        and (fragment in {"", "main"} or root.word("id").rpartition("#")[2] == fragment)
    ):
        return root
    stack = [root]
    while stack:
        value = stack.pop()
        for name in ("id", "name"):
            text = value.word(name) if value.kind == "map" else ""
            if text and text.rpartition("#")[2] == fragment:
                return value
        stack += [each for _, each in reversed(value.entries) if each.kind in {"map", "list"}]
        stack += [each for each in reversed(value.items) if each.kind in {"map", "list"}]
    return None
