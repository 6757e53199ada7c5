"""Drafts the metadata of a package that has none, from its notebooks and its README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from datalab_package.budgets import Budget
from datalab_package.imports import python_files
from datalab_package.manifest import META_FILES
from datalab_package.names import slug_of
from datalab_package.notebooks import heading_and_text, read_notebook
from datalab_package.problems import PackageProblem

LONGEST_TITLE = 120
LONGEST_ABSTRACT = 400


def suggest_metadata(folder: Path, name: str = "") -> dict[str, str]:
    """Return title, alternateName, abstract and version that a package's author may accept or change.

    `name` is how the upload or the repository was called; it is used where no notebook has a heading.
    """
    heading, text = "", ""
    notebooks = [file for file in python_files(folder) if file.endswith(".ipynb")]
    budget = Budget(files=20)
    for file in notebooks:
        if (heading and text) or not budget.take((folder / file).stat().st_size):
            break
        try:
            found = heading_and_text(read_notebook(folder / file, file))
        except PackageProblem:
            continue
        heading, text = heading or found[0], text or found[1]
    first = Path(notebooks[0]).stem if notebooks else folder.name
    title = (heading or (name or first).replace("_", " ").replace("-", " ")).strip()[:LONGEST_TITLE]
    short = slug_of((name or first)[:60]) or slug_of(title[:60]) or "datalab"
    abstract = text[:LONGEST_ABSTRACT].strip() or title
    return {"title": title, "alternateName": short, "abstract": abstract, "version": "0.1.0"}


def write_metadata(folder: Path, values: dict[str, Any]) -> None:
    """Write `datalab-meta.yml` with these terms, as text or lists, into the package."""
    kept = {key: value for key, value in values.items() if value}
    text = yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, width=100)
    (folder / META_FILES[0]).write_text(text, "utf-8")
