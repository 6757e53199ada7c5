"""Takes documents in from outside, as files, a folder or a zip: checked, and byte for byte as they were."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
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

LIMITS = Limits(files=rules.MOST_FILES, total_bytes=rules.LARGEST_BUNDLE, file_bytes=rules.LARGEST_DOCUMENT)
META_FILES = ("pipeline-meta.yml", "pipeline-meta.yaml", "datalab-meta.yml", "codemeta.json", "CITATION.cff")
"""Files whose metadata are taken in, the first of them that is there."""


@dataclass(frozen=True)
class Described:
    """What a bundle's metadata file says: terms that can be kept, and what was not understood."""

    values: dict[str, Any] = field(default_factory=dict)
    not_understood: list[terms.Problem] = field(default_factory=list)


def read_folder(folder: Path) -> dict[str, str]:
    """Return the files below a folder as texts; raise `Invalid` or `TooLarge` for what can't be taken in."""
    files: dict[str, object] = {}
    total = 0
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or any(part.startswith(".") for part in file.relative_to(folder).parts):
            continue
        path = file.relative_to(folder).as_posix()
        size = file.stat().st_size
        total += size
        if size > rules.LARGEST_DOCUMENT or total > rules.LARGEST_BUNDLE:
            raise rules.too_large(path if size > rules.LARGEST_DOCUMENT else "")
        files[path] = text_of(file.read_bytes(), path)
    return rules.clean_files(files)


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


def take_in(brought: Sequence[Brought]) -> dict[str, str]:
    """Return what was uploaded as texts by their paths: a single zip unpacked, without the one folder around all.

    Raises `Invalid` for names that lead out or collide, links, encrypted or broken zips, more than the limits allow.
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
        return read_folder(target)


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
