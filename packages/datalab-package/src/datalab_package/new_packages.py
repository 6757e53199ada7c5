"""Writes the starter of a package: little enough to read, and it builds and starts as it is."""

from __future__ import annotations

from pathlib import Path

from datalab_package.drafts import write_metadata
from datalab_package.names import KINDS, SLUG_ADVICE, slug_of
from datalab_package.problems import PackageProblem

STARTERS = Path(__file__).parent / "starters"
ENDING = ".template"
"""The starters' files end so, because they belong to another package than this one."""

_ABSTRACTS = {
    "jupyter": "Notebooks beside the archives.",
    "desktop": "TOPCAT on the tables of the archives.",
    "web": "A page about the archives of a session.",
}


def new_package(folder: Path, kind: str, title: str = "") -> list[str]:
    """Write a starter into a new or empty folder; return its files. Raises `PackageProblem` if that can't be."""
    if kind not in KINDS:
        raise PackageProblem(f"“{kind}” is none of {', '.join(KINDS)}.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PackageProblem(f"{folder} is not an empty folder.", "Name a new one.")
    title = title or folder.resolve().name.replace("-", " ").replace("_", " ").strip().capitalize()
    slug = slug_of(title)
    if not slug:
        raise PackageProblem(f"“{title}” makes no address.", SLUG_ADVICE)
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {
        "title": title,
        "alternateName": slug,
        "abstract": _ABSTRACTS[kind],
        "version": "0.1.0",
        "creator.name": "Your name",
        "contactPoint.email": "you@example.org",
        "distribution.license": "Apache-2.0",
        "keywords": ["Astronomy software"],
    }
    write_metadata(folder, metadata)
    for source in (STARTERS / f"icon.svg{ENDING}", *sorted((STARTERS / kind).iterdir())):
        (folder / source.name.removesuffix(ENDING)).write_text(source.read_text("utf-8"), "utf-8")
    return sorted(file.name for file in folder.iterdir())
