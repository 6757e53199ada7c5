"""Finds what notebooks and scripts import and nothing installs, and says where."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from datalab_package.budgets import LONGEST_PARSED, Budget
from datalab_package.known_names import BASE_PACKAGES, JUPYTER_SERVER, MODULE_TO_PYPI, WITHOUT_PYPI
from datalab_package.notebooks import Code, code_of, language, read_notebook
from datalab_package.paths import is_junk
from datalab_package.problems import PackageProblem
from datalab_package.texts import read_text

LARGEST_SCRIPT = 2_000_000
_IMPORT = re.compile(r"^\s*(?:import\s+(?P<plain>[\w., ]+)|from\s+(?P<source>[A-Za-z_][\w.]*)\s+import\b)")


@dataclass(frozen=True)
class Proposal:
    """A package that something imports and nothing installs. `line` counts in the cell, or in a script (`cell` 0).

    `package` is what to install, empty where PyPI has no such thing; `reason` is a sentence for its author.
    """

    package: str
    module: str
    file: str
    line: int
    cell: int = 0

    @property
    def reason(self) -> str:
        """Say where the package is wanted."""
        place = f"{self.file}, cell {self.cell}, line {self.line}" if self.cell else f"{self.file}, line {self.line}"
        if not self.module:
            return f"{place} installs it."
        if not self.package:
            software = WITHOUT_PYPI.get(self.module, "software of its own")
            return f"{place} imports {self.module}, which only {software} brings."
        return f"{place} imports {self.module}."


def missing_imports(
    folder: Path,
    *,
    provided: Collection[str] = BASE_PACKAGES["jl_base"],
    files: Collection[str] | None = None,
    budget: Budget | None = None,
) -> list[Proposal]:
    """Return what the notebooks and scripts in `folder` import and `provided` (names of PyPI) does not hold.

    Each package stands there once, for the first place that wants it. Python's own modules and the package's own
    files don't count, nor imports that a script does without (inside try … except ImportError). No more is read than
    the `budget` allows, which says afterwards whether that was all.
    """
    have = {canonicalize_name(name) for name in provided} | JUPYTER_SERVER
    local = local_modules(folder)
    found: dict[str, Proposal] = {}
    for code in python_code(folder, budget):
        if files is not None and code.file not in files:
            continue
        for proposal in (*_imported(code, local), *_installed(code)):
            key = canonicalize_name(proposal.package) or proposal.module
            if _bare(key) not in have:
                found.setdefault(_bare(key), proposal)
    return list(found.values())


def _bare(key: str) -> str:
    return canonicalize_name(re.split(r"[\[<>=!~ ]", key)[0])


def python_files(folder: Path) -> list[str]:
    """List the notebooks and scripts of a package by their paths."""
    files = [path for end in ("*.ipynb", "*.py") for path in folder.rglob(end) if path.is_file()]
    names = [PurePosixPath(path.relative_to(folder).as_posix()) for path in files]
    return sorted((str(name) for name in names if not is_junk(name)), key=lambda name: (name.count("/"), name))


def python_code(folder: Path, budget: Budget | None = None) -> Iterator[Code]:
    """Yield the Python in a package's notebooks and scripts; raise `PackageProblem` for a notebook that is none."""
    budget = budget or Budget()
    for name in python_files(folder):
        if not budget.take((folder / name).stat().st_size):
            continue
        if name.endswith(".ipynb"):
            notebook = read_notebook(folder / name, name)
            if language(notebook) in {"python", "ipython", "python3"}:
                yield from takewhile(lambda _code: not budget.over, code_of(notebook, name))
        elif (folder / name).stat().st_size <= LARGEST_SCRIPT:
            try:
                yield Code(name, 0, read_text(folder / name, largest=LARGEST_SCRIPT, name=name))
            except PackageProblem:
                continue  # Python itself allows other encodings; nothing is proposed for such a script


def local_modules(folder: Path) -> set[str]:
    """Name the modules that the package's own files and folders make."""
    names = {Path(name).stem for name in python_files(folder) if name.endswith(".py")}
    return names | {part for name in python_files(folder) for part in PurePosixPath(name).parts[:-1]}


def _imported(code: Code, local: set[str]) -> Iterator[Proposal]:
    for module, line in imported_modules(code.text):
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top in local or top in {"__main__", ""}:
            continue
        known = next((name for name in (module, top) if name in MODULE_TO_PYPI), "")
        package = MODULE_TO_PYPI[known] if known else top
        yield Proposal(package, module if known == module else top, code.file, line, code.cell)


def _installed(code: Code) -> Iterator[Proposal]:
    """Yield what a cell installs by %pip or !conda: it belongs into the package."""
    for line, what in code.installs:
        try:
            words = shlex.split(what, comments=True)
        except ValueError:
            continue
        for word in words:
            try:
                requirement = Requirement(word)
            except InvalidRequirement:
                continue
            yield Proposal(str(requirement), "", code.file, line, code.cell)


def imported_modules(text: str) -> list[tuple[str, int]]:
    """Return the modules that a piece of Python needs, with their lines; relative imports and optional ones aside."""
    if len(text) > LONGEST_PARSED:
        return list(_by_lines(text))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return list(_by_lines(text))
    found: list[tuple[str, int]] = []
    optional = {id(node) for part in _optional_parts(tree) for node in ast.walk(part)}
    for node in ast.walk(tree):
        if id(node) in optional:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            known = next((name for name in names if name in MODULE_TO_PYPI), node.module)
            found.append((known, node.lineno))
    return sorted(found, key=lambda one: one[1])


def _optional_parts(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what runs only where a module happens to be there, and what only type checkers read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(_catches_import(handler.type) for handler in node.handlers):
            yield from node.body
            yield from (inner for handler in node.handlers for inner in handler.body)
        elif isinstance(node, ast.If) and _is_for_type_checkers(node.test):
            yield from node.body


def _is_for_type_checkers(test: ast.expr) -> bool:
    return any("TYPE_CHECKING" in {getattr(node, "id", ""), getattr(node, "attr", "")} for node in ast.walk(test))


def _catches_import(kind: ast.expr | None) -> bool:
    names = {"ImportError", "ModuleNotFoundError", "Exception"}
    return kind is None or any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(kind))


def _by_lines(text: str) -> Iterator[tuple[str, int]]:
    """Read imports off lines, for code that this Python can't parse as a whole."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _IMPORT.match(line):
            for part in (found["plain"] or found["source"]).split(","):
                if name := part.strip().partition(" ")[0]:
                    yield name, number
