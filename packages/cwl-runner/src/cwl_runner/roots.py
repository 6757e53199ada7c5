"""Which files a run may read: everything that a document or a job order names has to lie below one of the roots."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from schema_salad.fetcher import DefaultFetcher

from cwl_runner.problems import Refusal

ADVICE = "Choose a file of your workspace or of a volume that this run has mounted, or put the file into the pipeline."


class Roots:
    """An allow-list of folders and files; links are followed before the comparison."""

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._roots: list[str] = []
        self._known: dict[str, str] = {}
        self.linked: set[str] = set()
        """Output folders in which there are links."""
        self.kept: set[str] = set()
        """Folders whose entries are the output folders of jobs, made by the coordinator."""
        self.own: set[str] = set()
        """Folders that jobs elsewhere may not see: what lies in them is copied for each job, never linked to."""
        for path in paths:
            self.add(path)

    def add(self, path: str | Path) -> None:
        """Allow one more folder or file."""
        real = os.path.realpath(path)
        if real not in self._roots:
            self._roots.append(real)

    def __iter__(self) -> Iterator[str]:
        """Go through the allowed paths."""
        return iter(self._roots)

    def allows(self, path: str) -> bool:
        """Say whether a path lies below a root."""
        real = os.path.realpath(path)
        return any(real == root or real.startswith(root.rstrip("/") + "/") for root in self._roots)

    def is_own(self, path: str) -> bool:
        """Say whether a file lies in one of the folders that jobs elsewhere may not see."""
        return any(path.startswith(f"{folder}/") for folder in self.own)

    def check(self, path: str) -> str:
        """Give the path back, or raise Refusal."""
        if path not in self._known:
            if not self.allows(path):
                raise Refusal(f"{path} is outside of what this run may read.", ADVICE)
            self._known[path] = path
        return path


def local_path(location: str) -> str:
    """Turn a location (an absolute path or a file: address) into a path; "" for any other scheme."""
    if location.startswith("/"):
        return location
    parts = urlsplit(location)
    return unquote(parts.path) if parts.scheme == "file" else ""


def named_in(order: Any) -> list[str]:
    """List the folders that the files of a job order lie in, and the folders that it names."""
    found: list[str] = []
    if isinstance(order, dict):
        location = order.get("location") or order.get("path")
        if order.get("class") in ("File", "Directory") and isinstance(location, str) and (path := local_path(location)):
            found.append(path if order["class"] == "Directory" else str(Path(path).parent))
        for value in order.values():
            found += named_in(value)
    elif isinstance(order, list):
        for value in order:
            found += named_in(value)
    return found


def fetcher_below(roots: Roots, *, network: bool) -> type[DefaultFetcher]:
    """Make the class through which documents, imports, includes and schemas are read: from below the roots only."""

    class Fetcher(DefaultFetcher):
        """Reads below the roots."""

        def _allow(self, url: str) -> None:
            if url in self.cache:
                return
            scheme = urlsplit(url).scheme
            if scheme in ("http", "https"):
                if not network:
                    raise Refusal(
                        f"{url} is on another machine, and this run doesn't fetch documents.",
                        "Put the document into the pipeline and refer to it by its path there.",
                    )
            elif (path := local_path(url.partition("#")[0])) and not roots.allows(path):
                raise Refusal(f"{path} is outside of what this run may read.", ADVICE)

        def fetch_text(self, url: str, content_types: list[str] | None = None) -> str:
            self._allow(url)
            return super().fetch_text(url, content_types)

        def check_exists(self, url: str) -> bool:
            if not network and urlsplit(url).scheme in ("http", "https"):
                return url in self.cache
            self._allow(url)
            return super().check_exists(url)

    return Fetcher
