"""Takes documents in from outside, as files, a zip or a repository: checked, and byte for byte as they were."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import datalab_package
from datalab_package import PackageProblem
from datalab_package.intake import Limits
from spacelab.datalabs.rules import refusal_of
from spacelab.kit.refusals import Invalid
from spacelab.kit.uploads import Brought
from spacelab.pipelines import archives, rules
from spacelab.publishing.rules import exports, terms

LIMITS = Limits(files=2000, total_bytes=100_000_000, file_bytes=100_000_000)
"""Of an upload: data beside the documents are let in, to be left out."""
FETCHED = Limits(files=50_000, total_bytes=500_000_000, file_bytes=500_000_000)
"""Of a repository, of which a pipeline may be a small part."""
NAMED = 5
"""Files left out that a sentence names before it says how many more there are."""
META_FILES = ("pipeline-meta.yml", "pipeline-meta.yaml", "datalab-meta.yml", "codemeta.json", "CITATION.cff")
"""Files whose metadata are taken in, the first of them that is there."""
NAMING = frozenset({"displayName", "alternateName", "version", "title"})
"""Terms of a bundle's metadata that name what it was: whoever brings it names hers."""


@dataclass(frozen=True)
class Described:
    """What a bundle's metadata file says: terms that can be kept, and what was not understood."""

    values: dict[str, Any] = field(default_factory=dict)
    not_understood: list[terms.Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Taken:
    """What was taken in: the texts by their paths, and what was left behind because it is no text, or too large."""

    files: dict[str, str]
    left: tuple[str, ...] = ()
    main: str = ""
    """The main document, where what was brought says which it is."""

    @property
    def told(self) -> str:
        """What was left behind, in words; empty if nothing was."""
        if not self.left:
            return ""
        more = f" and {len(self.left) - NAMED} more" if len(self.left) > NAMED else ""
        return f"Left out, as they are data and no document needs them: {', '.join(self.left[:NAMED])}{more}."


def read_folder(folder: Path) -> dict[str, str]:
    """Return the files below a folder as texts; raise `Invalid` or `TooLarge` for what can't be taken in."""
    files: dict[str, object] = {}
    total = 0
    for path, file in _files_below(folder):
        size = file.stat().st_size
        total += size
        if size > rules.LARGEST_DOCUMENT or total > rules.LARGEST_BUNDLE:
            raise rules.too_large(path if size > rules.LARGEST_DOCUMENT else "")
        files[path] = text_of(file.read_bytes(), path)
    return rules.clean_files(files)


def _files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder by their paths, without those that are hidden."""
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.is_file() and not any(part.startswith(".") for part in parts):
            yield "/".join(parts), file


def take_folder(folder: Path, start: str = "") -> Taken:
    """Return the texts below a folder that holds nothing but files and folders, without what is data.

    With `start`, a document in it, only that document and what it leads to are taken, as it names them; their paths
    then begin where all of them have their common folder. Raises `Invalid` for data that the main document, or what
    it leads to, needs: runs get data as inputs.
    """
    files: dict[str, str] = {}
    data: set[str] = set()
    for path, file in _files_below(folder):
        text = None if file.stat().st_size > rules.LARGEST_DOCUMENT else _text_in(file, path)
        if text is None:
            data.add(path)
        else:
            files[path] = text
        if not start and len(files) > rules.MOST_FILES:
            rules.clean_files(files)  # which says so
    main = start or _likely_main(files)
    reached = rules.reached(files, main, data) if main else set()
    if needed := sorted(reached & data):
        raise Invalid(
            f"{needed[0]} is data, and a document needs it.",
            advice="A pipeline consists of texts of up to 1 MB: keep data in a volume, and give them as inputs.",
            field="files",
        )
    if not start:
        return Taken(rules.clean_files(files), tuple(sorted(data)))
    beside = {posixpath.join(posixpath.dirname(start), name) for name in (*META_FILES, "job.yml")}
    common = posixpath.commonpath([posixpath.dirname(path) for path in reached])
    kept = {posixpath.relpath(path, common or "."): files[path] for path in sorted(reached | beside & files.keys())}
    return Taken(rules.clean_files(kept), main=posixpath.relpath(start, common or "."))


def _text_in(file: Path, path: str) -> str | None:
    """Read a file's text; None for data. Raises `Invalid` for a document that is no text."""
    try:
        text = text_of(file.read_bytes(), path)
    except Invalid:
        if path.lower().endswith(rules.DOCUMENTS):
            raise
        return None
    return None if "\0" in text else text


def _likely_main(files: rules.Files) -> str:
    """Return the main document as far as can be told from the files; whoever saves them says what is wrong there."""
    try:
        return rules.main_of(files, main_in(files)).partition("#")[0]
    except Invalid:
        return ""


def text_of(content: bytes, path: str) -> str:
    """Return a file's text without changing a byte of it; raise `Invalid` where it is none."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Invalid(
            f"{path}, line {line} is no text in UTF-8.",
            advice="A pipeline consists of texts; keep data in a volume, and give them as inputs.",
            field="files",
        ) from error


def take_in(brought: Sequence[Brought]) -> Taken:
    """Return what was uploaded as texts by their paths: a single zip unpacked, without the one folder around all.

    Raises `Invalid` for names that lead out or collide, links, encrypted or broken zips, more than the limits allow,
    and for data that a document needs.
    """
    if not brought:
        raise Invalid("There are no files.", advice="Choose documents, a folder or a zip.", field="files")
    with tempfile.TemporaryDirectory(prefix="spacelab-pipeline-") as place:
        target = Path(place, "files")
        try:
            datalab_package.safe_path(brought[0].path)  # a zip's own name is shown, too
            if len(brought) == 1 and brought[0].path.lower().endswith(".zip"):
                datalab_package.unpack_zip(brought[0].content, target, LIMITS)
            else:
                datalab_package.take_files([(one.path, one.content) for one in brought], target, LIMITS)
        except PackageProblem as problem:
            raise refusal_of(problem) from problem
        return take_folder(target)


def take_fetched(source: Path, path: str = "") -> Taken:
    """Return what a repository holds at a path: a folder with all its texts, or a document with what it leads to.

    `source` was written by a stranger's Git: nothing in it is trusted. Raises `Invalid` where there is no such path,
    for links that lead out, and as `take_in` does.
    """
    root = source.resolve()
    wanted = Path(root, path)
    if not wanted.exists() or wanted.resolve() != wanted:  # no link may stand in its way
        raise Invalid(
            f"The repository has no “{path}”.",
            advice="Give a folder or a document in it, or nothing.",
            field="git_path",
        )
    whole = root if wanted.is_file() else wanted
    with tempfile.TemporaryDirectory(prefix="spacelab-pipeline-") as place:
        target = Path(place, "files")
        try:
            datalab_package.copy_folder(whole, target, FETCHED)
        except PackageProblem as problem:
            raise refusal_of(problem) from problem
        return take_folder(target, path if wanted.is_file() else "")


def metadata_of(files: rules.Files) -> Described:
    """Return what the bundle's own metadata file or RO-Crate says; nothing where it has none that can be read."""
    for name in META_FILES:
        if name in files:
            read = exports.read(files[name].encode(), name, kind=terms.Kind.PIPELINE)
            return Described(dict(read.values), list(read.not_understood))
    crate = archives.read_crate(files)
    if crate is None:
        return Described()
    kept, wrong = terms.acceptable(crate.terms, writer=terms.Writer.AUTHOR, kind=terms.Kind.PIPELINE)
    return Described(dict(kept), wrong)


def main_in(files: rules.Files) -> str:
    """Return the main document that a bundle's RO-Crate names; empty where it is none."""
    crate = archives.read_crate(files)
    return crate.main if crate else ""
