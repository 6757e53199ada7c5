"""CWL documents of other projects, as their installed packages bring them; nothing of them is kept here."""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("cwltool", "cwl_utils", "schema_salad")
SUITE = "SPACELAB_CWL_SUITE"
"""Names a folder with further documents, such as a checkout of CWL's conformance tests."""


@cache
def folders() -> tuple[Path, ...]:
    """Return the folders that hold documents."""
    found = [
        Path(place)
        for name in PACKAGES
        if (spec := find_spec(name)) is not None
        for place in spec.submodule_search_locations or ()
    ]
    suite = os.environ.get(SUITE)
    return (*found, Path(suite)) if suite else tuple(found)


@cache
def documents() -> dict[str, str]:
    """Return every document's text by a name that is the same everywhere; line ends as they are."""
    found: dict[str, str] = {}
    for folder in folders():
        for path in sorted(folder.rglob("*.cwl")):
            try:
                text = path.read_bytes().decode()
            except UnicodeDecodeError:
                continue
            found[f"{folder.name}/{path.relative_to(folder)}"] = text
    return found


@cache
def bundle_of(name: str) -> dict[str, str]:
    """Return the files beside and below a document, by their path from its folder."""
    for folder in folders():
        path = folder / name.partition("/")[2]
        if name.startswith(f"{folder.name}/") and path.exists():
            files = {path.name: documents()[name]}
            for other in sorted(path.parent.rglob("*"))[:400]:
                if other.suffix in {".cwl", ".yml", ".yaml", ".json", ".js", ".txt"} and other.stat().st_size < 300_000:
                    try:
                        files[str(other.relative_to(path.parent))] = other.read_bytes().decode()
                    except UnicodeDecodeError:
                        continue
            return files
    raise KeyError(name)
