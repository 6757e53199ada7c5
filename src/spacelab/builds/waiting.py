"""Which builds wait for their papers: a file for each, beside the papers themselves."""

from __future__ import annotations

from pathlib import Path

from spacelab.images import queries as images


def _notes() -> Path:
    place = images.papers_folder() / "waiting"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def note(build_id: str) -> None:
    """Note that a build's papers are still to be made: in a file, so that a crash forgets nothing."""
    (_notes() / build_id).touch()


def noted() -> list[str]:
    """List the builds whose papers are still to be made, in the order in which they were noted."""
    return [one.name for one in sorted(_notes().iterdir(), key=lambda one: one.stat().st_mtime)]


def strike(build_id: str) -> None:
    """Take a build off that list."""
    (_notes() / build_id).unlink(missing_ok=True)
