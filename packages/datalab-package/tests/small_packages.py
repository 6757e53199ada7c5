"""Small packages for the tests, written from texts."""

from __future__ import annotations

import json
from pathlib import Path

META = "title: A title\nalternateName: a-lab\nabstract: What it does\nversion: 1.10\n"


def package(folder: Path, files: dict[str, str]) -> Path:
    """Write a package's files and return its folder."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def notebook(*cells: str, language: str = "python") -> str:
    """Return a notebook; cells that begin with `#` and a blank are text, the others code."""
    made: list[dict[str, object]] = [
        {"cell_type": "markdown" if cell.startswith("# ") else "code", "metadata": {}, "source": cell.splitlines(True)}
        for cell in cells
    ]
    metadata = {"kernelspec": {"language": language, "name": language}}
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
