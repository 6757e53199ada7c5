"""The packages that people bring: taken in, kept under the hash of their content, read and planned."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings

import datalab_package
from datalab_package import PackageProblem
from datalab_package.paths import LONGEST_PART, LONGEST_PATH
from datalab_package.texts import read_yaml
from spacelab.builds import queries
from spacelab.datalabs.rules import refusal_of
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Invalid, NotFound, Unavailable
from spacelab.kit.uploads import MOST_FILES, Brought

__all__ = ["MOST_FILES", "Brought"]

SETUP_FILE = "spacelab.yml"
NO_FILES = "Choose a notebook, files, a folder or a zip."


@contextmanager
def said() -> Iterator[None]:
    """Turn what the package library says into the platform's own refusals."""
    try:
        yield
    except PackageProblem as problem:
        raise refusal_of(problem) from problem
    except OSError as error:
        raise Unavailable(
            f"The files can't be kept: {error.strerror}.", advice="Try again, or tell an operator."
        ) from error


def root() -> Path:
    """Return the folder that holds all packages."""
    folder: Path = settings.SPACELAB.state / "packages"
    return folder


def folder_of(package: str) -> Path:
    """Return the folder of a package's files."""
    return queries.package_folder(package)


@contextmanager
def staging() -> Iterator[Path]:
    """Give an empty folder that is gone afterwards, whatever happens; its `files` are what can be kept."""
    folder = root() / f".incoming-{new_id()}"
    with said():
        folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def take_in(files: Sequence[Brought], folder: Path, *, over: Path | None = None, keep_top: bool = False) -> str:
    """Keep an upload, in the staging `folder`, and return the package's hash.

    A single zip is unpacked; a folder that everything lies in is left out, unless `keep_top` says that paths are
    meant as they are. With `over`, the files replace or complete those of that package.
    """
    if not files:
        raise Invalid("There are no files.", advice=NO_FILES, field="files")
    fresh = folder / "fresh"
    with said():
        datalab_package.safe_path(files[0].path)  # a zip's own name is shown, too
        if len(files) == 1 and files[0].path.lower().endswith(".zip"):
            datalab_package.unpack_zip(files[0].content, fresh)
        else:
            datalab_package.take_files([(one.path, one.content) for one in files], fresh, keep_top=keep_top)
        if over is not None:
            merged = folder / "merged"
            datalab_package.copy_folder(over, merged)
            make_writable(merged)
            shutil.copytree(fresh, merged, dirs_exist_ok=True)
            fresh = folder / "checked"
            datalab_package.copy_folder(merged, fresh)
        return keep(fresh)


def make_writable(folder: Path) -> None:
    """Let the files of a copied package be changed."""
    for parent, _, names in os.walk(folder):
        for name in names:
            Path(parent, name).chmod(0o644)


def keep(files: Path) -> str:
    """Move a checked folder of files among the packages, where nobody changes it any more; return its hash.

    The same content is kept once.
    """
    with said():
        package = datalab_package.package_hash(files)
        target = folder_of(package)
        if target.is_dir():
            os.utime(target)  # new again, so that nobody removes it before a build names it
            return package
        for parent, folders, names in os.walk(files):
            for name in folders:
                Path(parent, name).chmod(0o755)
            for name in names:
                file = Path(parent, name)
                file.chmod(0o555 if file.stat().st_mode & 0o100 else 0o444)
        files.chmod(0o755)
        try:
            files.rename(target)
        except OSError:
            if not target.is_dir():  # else the same came from elsewhere meanwhile
                raise
        return package


def take_fetched(source: Path, folder: Path) -> str:
    """Keep what a workload fetched, checked file by file, and return the package's hash."""
    with said():
        datalab_package.copy_folder(source, folder / "files")
        return keep(folder / "files")


def list_files(package: Path) -> list[tuple[str, int]]:
    """List the files of a package: their paths below it, and their sizes in bytes."""
    found = []
    for parent, _, names in os.walk(package):
        for name in names:
            file = Path(parent, name)
            if not file.is_symlink():
                found.append((file.relative_to(package).as_posix(), file.stat().st_size))
    return sorted(found)


def file_of(package: Path, path: str) -> Path:
    """Return the file that a package has at this path; raise `NotFound` where it has none."""
    file = package / path
    inside = path and not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts
    inside = inside and len(path) <= LONGEST_PATH and all(len(one.encode()) <= LONGEST_PART for one in path.split("/"))
    if not inside or not file.is_file() or not file.resolve().is_relative_to(package.resolve()) or file.is_symlink():
        raise NotFound(f"The package has no file “{path[:100]}”.", advice="Look at the list of its files.")
    return file


def text_of(file: Path) -> str | None:
    """Return a file's text; None for what is no UTF-8, or too long to be changed on a page."""
    try:
        if file.stat().st_size > LONGEST_EDITED:
            return None
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def without(package: Path, path: str, folder: Path, *, renamed: str = "") -> str:
    """Keep a package without one of its files, or with that file under another name; return the new hash."""
    file_of(package, path)
    with said():
        files = folder / "files"
        datalab_package.copy_folder(package, files)
        if renamed:
            target = files / datalab_package.safe_path(renamed)
            if target.exists():
                raise Invalid(f"There is a file “{renamed[:100]}” already.", advice="Choose another name.", field="to")
            target.parent.mkdir(parents=True, exist_ok=True)
            (files / path).rename(target)
        else:
            (files / path).unlink()
        checked = folder / "checked"
        datalab_package.copy_folder(files, checked)
        return keep(checked)


EDITED = ("requirements.txt", "packages.txt", "environment.yml", "pyproject.toml", "spacelab.yml", "Dockerfile")
"""The files that decide how a package is built: short texts that a person can change on a page."""
LONGEST_EDITED = 100_000


def texts(package: str) -> dict[str, str]:
    """Return those of the files that decide how the package is built, by name."""
    found = {}
    for name in EDITED:
        file = folder_of(package) / name
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if not file.is_symlink() and file.stat().st_size <= LONGEST_EDITED:
                found[name] = file.read_text("utf-8")
    return found


META_KEYS = {
    "title": "title",
    "short_name": "alternateName",
    "abstract": "abstract",
    "version": "version",
    "creator": "creator.name",
    "email": "contactPoint.email",
}
"""The form's field → the key of `datalab-meta.yml`."""


def metadata(package: Path) -> dict[str, Any]:
    """Return the package's metadata with flat keys, nothing where it has none; raise `PackageProblem` if unreadable."""
    name = datalab_package.meta_file(package)
    return datalab_package.flatten(read_yaml(package / name)) if name else {}


def set_up(package: Path) -> dict[str, Any]:
    """Return what the package's `spacelab.yml` says, nothing where it has none; raises `PackageProblem`."""
    file = package / SETUP_FILE
    return read_yaml(file) if file.is_file() and file.read_text("utf-8").strip() else {}


def said_of(package: Path) -> dict[str, str]:
    """Return what the package's metadata say, by the form's fields."""
    flat = metadata(package)
    texts = {field: _in_one(flat.get(key, "")) for field, key in META_KEYS.items()}
    return {field: text for field, text in texts.items() if text}


def _in_one(value: Any) -> str:
    """Return a term as one text, as the form of a plan shows it."""
    parts = value if isinstance(value, list) else [value]
    return ", ".join(one.strip() for one in parts if isinstance(one, str) and one.strip())


def completed(package: str, answers: Mapping[str, Any]) -> str:
    """Return the hash of the package with what the person gave; its own if it lacked nothing.

    Her metadata stand in it from then on, and the `path` where it opens, which is empty where that stays.
    """
    source, path = folder_of(package), str(answers.get("path") or "")
    with staging() as folder, said():
        known = said_of(source)
        wanted = {field: str(answers.get(field) or known.get(field, "")).strip() for field in META_KEYS}
        complete = wanted == {field: known.get(field, "") for field in META_KEYS}
        if complete and not path:
            return package
        files = folder / "files"
        datalab_package.copy_folder(source, files)
        if path:
            setup = files / SETUP_FILE
            if setup.is_file():
                setup.chmod(0o644)
            datalab_package.write_path(files, path)
        if complete:
            return keep(files)
        given = {key: wanted[field] for field, key in META_KEYS.items() if wanted[field] != known.get(field, "")}
        _describe(files, {**metadata(source), **given})
        return keep(files)


def described(package: str, changed: Mapping[str, Any]) -> str:
    """Return the hash of the package whose metadata file says what was changed; an empty value takes its term away."""
    if not changed:
        return package
    source = folder_of(package)
    with staging() as folder, said():
        files = folder / "files"
        datalab_package.copy_folder(source, files)
        _describe(files, {**metadata(source), **changed})
        return keep(files)


def _describe(files: Path, terms: Mapping[str, Any]) -> None:
    """Write the metadata file of a package anew, in place of the one it has."""
    if before := datalab_package.meta_file(files):
        (files / before).unlink()
    datalab_package.write_metadata(files, dict(terms))


def as_json(thing: Any) -> Any:
    """Return a dataclass of the package library as plain JSON data."""
    data = asdict(thing) if is_dataclass(thing) and not isinstance(thing, type) else thing
    return json.loads(json.dumps(data, default=str))
