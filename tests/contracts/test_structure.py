"""The shape of the tree: sizes, opening sentences, and the import rules that import-linter can't express."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

from support.tree import (
    PACKAGE,
    all_modules,
    domain_of,
    domains,
    lines_of,
    parsed,
    product_modules,
    shown,
    templates,
)

LONGEST_MODULE = 600
MODULE_P90 = 350
FUNCTION_P95 = 45
LONGEST_TEMPLATE = 250
TEMPLATE_MEDIAN = 50
MOST_LINES_OF_FIRST_SENTENCE = 3

OPEN_TO_OTHERS = frozenset({"actions", "queries", "rules", "models"})
"""Modules of a domain that other domains may import; the site, which joins them all, may import any."""
OPEN_AS_WELL = {
    "publishing": frozenset({"forms", "author_views", "author_schemas"}),
    "feedback": frozenset({"views"}),
    "pipelines": frozenset({"drawing"}),
}
"""What a domain opens beyond that: forms, authoring pages and drawn graphs are the same wherever they are shown."""


def percentile(values: list[int], percent: int) -> float:
    """Return the value below which `percent` per cent of the values lie."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each function of a module with its number of lines."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield f"{shown(path)}:{node.name}", node.end_lineno - node.lineno + 1


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield every `spacelab.…` module that a module imports, at any depth, with the line.

    `from spacelab.a import b` counts as `spacelab.a.b`, whether `b` is a module or a name.
    """
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.startswith("spacelab."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "spacelab":
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@pytest.mark.parametrize("path", all_modules(), ids=shown)
def test_a_module_opens_with_one_sentence_that_says_what_it_holds(path: Path) -> None:
    if not path.read_text().strip():
        return  # an empty __init__.py marks a package
    docstring = ast.get_docstring(parsed(path))
    assert docstring, f"{shown(path)} has no docstring"
    first = docstring.split("\n\n")[0]
    assert re.match(r"[A-Z`]", first), f"{shown(path)}: the first sentence starts with a small letter"
    assert first.rstrip().endswith("."), f"{shown(path)}: the first paragraph is no sentence"
    assert first.count("\n") < MOST_LINES_OF_FIRST_SENTENCE, f"{shown(path)}: the first sentence is too long"


def test_modules_are_small() -> None:
    sizes = {path: lines_of(path) for path in all_modules()}
    too_long = {shown(path): size for path, size in sizes.items() if size > LONGEST_MODULE}
    assert not too_long
    assert percentile([size for path, size in sizes.items() if path in set(product_modules())], 90) < MODULE_P90


def test_functions_are_small() -> None:
    lengths = [length for path in product_modules() for _, length in functions(path)]
    assert percentile(lengths, 95) < FUNCTION_P95


def test_templates_are_small() -> None:
    sizes = {shown(path): lines_of(path) for path in templates()}
    assert not {name: size for name, size in sizes.items() if size > LONGEST_TEMPLATE}
    assert median(sizes.values()) < TEMPLATE_MEDIAN


def test_only_the_site_reads_the_environment() -> None:
    readers = [
        f"{shown(path)}:{node.lineno}"
        for path in product_modules()
        if domain_of(path) != "site" and path.name != "preloaded.py"  # which replaces it, for a run's
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv", "putenv"})
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and {a.name for a in node.names} & {"environ"})
    ]
    assert not readers, "settings come from `django.conf.settings`; only spacelab.site reads the environment"


def test_there_are_no_utils() -> None:
    named = [
        shown(path)
        for path in all_modules()
        if path.stem in {"utils", "util", "helpers", "misc", "common"}
        or path.parent.name in {"utils", "util", "helpers", "misc", "common"}
    ]
    assert not named, "name a module after what it holds"


def test_there_are_no_signals() -> None:
    users = [
        f"{shown(path)}:{node.lineno}"
        for path in product_modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith((".signals", "django.dispatch"))
    ]
    assert not users, "what a lower domain must cause above it belongs to the upper domain's action"


def test_a_domain_uses_only_the_open_modules_of_another() -> None:
    breaches = []
    for path in product_modules():
        own = domain_of(path)
        if own in {"site", ""}:
            continue
        for line, module in imports(path):
            parts = module.split(".")
            other = parts[1]
            is_open = OPEN_TO_OTHERS | OPEN_AS_WELL.get(other, frozenset())
            if other in domains() and other != own and (parts[2] if len(parts) > 2 else "") not in is_open:
                breaches.append(f"{shown(path)}:{line} imports {module}")
    assert not breaches, "from another domain, import only actions, queries, rules or models"


def test_nobody_imports_an_adapter() -> None:
    breaches = [
        f"{shown(path)}:{line} imports {module}"
        for path in product_modules()
        if domain_of(path) != "site"
        for line, module in imports(path)
        if {"adapters", "runtimes"} & set(module.split(".")) and not {"adapters", "runtimes"} & set(path.parts)
    ]
    assert not breaches, "a setting names the class, and django.utils.module_loading.import_string loads it"


def test_every_domain_is_checked_by_import_linter() -> None:
    contracts = (PACKAGE.parents[1] / ".importlinter").read_text()
    layers = contracts.split("[importlinter:contract:inside]")[0]
    missing = [name for name in domains() if not re.search(rf"\b{name}\b", layers)]
    assert not missing, "add the domain to the layers in .importlinter"
