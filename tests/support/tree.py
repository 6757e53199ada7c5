"""The source tree as the contract tests read it: modules, templates, pages of the documentation."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "spacelab"
SKIPPED = frozenset({".venv", "node_modules", "var", ".git", "catalogue", "build", "dist"})

PLATFORM_PACKAGES = frozenset({"site", "kit", "ui"})
"""Packages of `spacelab` that are no domains: who joins them all, and who knows none."""


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(
        path for path in folder.rglob(pattern) if path.is_file() and not SKIPPED & set(path.relative_to(ROOT).parts)
    )


def shown(path: Path) -> str:
    """Write a path as messages name it: from the root of the tree."""
    return str(path.relative_to(ROOT))


@cache
def product_modules() -> tuple[Path, ...]:
    """List the platform's own modules without the migrations, which are generated."""
    return tuple(path for path in _files(PACKAGE, "*.py") if "migrations" not in path.parts)


@cache
def all_modules() -> tuple[Path, ...]:
    """List every module that is written here: the platform, its tests and its scripts."""
    others = [
        path for name in ("tests", "docs", "deploy", "benchmarks", "packages") for path in _files(ROOT / name, "*.py")
    ]
    return (*product_modules(), *others)


@cache
def templates() -> tuple[Path, ...]:
    """List every template."""
    return tuple(_files(PACKAGE, "*.html"))


@cache
def pages() -> tuple[Path, ...]:
    """List every page of the documentation."""
    return (*sorted(ROOT.glob("*.md")), *_files(ROOT / "docs", "*.md"), *_files(PACKAGE, "*.md"))


@cache
def parsed(path: Path) -> ast.Module:
    """Return the module's syntax tree."""
    return ast.parse(path.read_text(), filename=str(path))


def lines_of(path: Path) -> int:
    """Count the lines of a file."""
    return len(path.read_text().splitlines())


def domains() -> frozenset[str]:
    """Name the domains: the packages of `spacelab` that hold a part of the product's meaning."""
    names = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return frozenset(names - PLATFORM_PACKAGES)


def domain_of(path: Path) -> str:
    """Return the first folder of a module below `spacelab`; an empty text for the package's own modules."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""
