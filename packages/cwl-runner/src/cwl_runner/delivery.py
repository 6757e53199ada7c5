"""Bringing a run's outputs to where they shall stay: a file a name, links never followed out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
from pathlib import Path
from typing import Any

from schema_salad.ref_resolver import file_uri

from cwl_runner.digests import Digests
from cwl_runner.links import ADVICE, refuse_many
from cwl_runner.problems import Refusal
from cwl_runner.roots import Roots, local_path

CLONE = 0x40049409
"""The request that shares a file's blocks (FICLONE), where the file system can."""
DROPPED = ("path", "nameext", "nameroot", "dirname", "contents", "writable")
GENERATION = "http://commonwl.org/cwltool#generation"


class Delivery:
    """Puts outputs into one folder; equal names get numbers ("a.txt", "a_2.txt")."""

    def __init__(self, folder: Path, roots: Roots, digests: Digests, *, movable: str = "") -> None:
        self._folder = folder
        self._roots = roots
        self._digests = digests
        self._movable = movable
        self._placed: dict[str, str] = {}
        self._taken: dict[str, int] = {}
        self._through = 0

    def deliver(self, outputs: Any) -> Any:
        """Bring all files of an output value here and give the value with their new locations."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._value(outputs)

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("class") in ("File", "Directory"):
                return self._entry(value, str(self._folder))
            return {key: self._value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return value

    def _entry(self, entry: dict[str, Any], folder: str, *, known: str = "") -> dict[str, Any]:
        """Bring one file or folder; `known` is its place when the whole folder was brought before."""
        told = {key: item for key, item in entry.items() if key not in DROPPED and key != GENERATION}
        location = str(entry.get("location", ""))
        source = local_path(location)
        if source and not known and not self._plain(source):
            location = file_uri(os.path.realpath(source))
        target = known or self._placed.get(location, "")
        if not target:
            target = self._free(folder, _name(entry))
            if not location.startswith("_:"):
                self._placed[location] = target
            self._bring(entry, target)
        told["location"], told["path"] = file_uri(target), target
        if entry["class"] == "File":
            self._describe(told, target)
        else:
            told["listing"] = self._listing(entry, target)
        if entry.get("secondaryFiles"):
            parent = str(Path(target).parent)
            told["secondaryFiles"] = [self._entry(each, parent) for each in entry["secondaryFiles"]]
        return told

    def _free(self, folder: str, name: str) -> str:
        """Find a name that nothing of this run has taken."""
        path = f"{folder}/{name}"
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 - as CWL splits names
        while path in self._taken:
            self._taken[path] += 1
            path, taken = f"{folder}/{stem}_{self._taken[path]}{suffix}", path
            if path not in self._taken:
                break
            path = taken
        self._taken[path] = 1
        return path

    def _bring(self, entry: dict[str, Any], target: str) -> None:
        source = local_path(str(entry.get("location", "")))
        if source:
            self._copy(source, target)
        elif entry["class"] == "File":
            _clear(target)
            Path(target).write_text(str(entry.get("contents", "")))
        else:
            Path(target).mkdir(parents=True, exist_ok=True)

    def _listing(self, entry: dict[str, Any], target: str) -> list[dict[str, Any]]:
        """Bring or describe what a folder holds."""
        if not local_path(str(entry.get("location", ""))):
            return [self._entry(each, target) for each in entry.get("listing", [])]
        listing = []
        for name in sorted(os.listdir(target)):  # noqa: PTH208 - names alone
            path = f"{target}/{name}"
            kind = "Directory" if os.path.isdir(path) else "File"  # noqa: PTH112 - as above
            found = {"class": kind, "basename": name, "location": file_uri(path)}
            listing.append(self._entry(found, target, known=path))
        return listing

    def _describe(self, told: dict[str, Any], target: str) -> None:
        if "size" not in told:
            told["size"] = os.stat(target).st_size  # noqa: PTH116 - a number
        if "checksum" not in told:
            told["checksum"] = self._digests.of_file(target)

    def _copy(self, source: str, target: str, links: int = 0) -> None:
        """Copy a file or a tree, or move it where it belongs to this run alone; `links` are above it."""
        if not self._plain(source) and not self._roots.allows(source):
            real = os.path.realpath(source)
            raise Refusal(f"The output {Path(source).name} is a link to {real}, outside of the run: refused.", ADVICE)
        if _clear(target, source):
            return
        if self._movable and source.startswith(f"{self._movable}/") and self._plain(source):
            with contextlib.suppress(OSError):
                os.rename(source, target)  # noqa: PTH104 - for every output
                return
        mode = os.stat(source).st_mode  # noqa: PTH116 - for every output
        if stat.S_ISDIR(mode):
            Path(target).mkdir()
            names = os.listdir(source)  # noqa: PTH208 - as above
            links += os.path.islink(source)  # noqa: PTH114 - as above
            self._through += len(names) if links else 0
            refuse_many(self._through, links)
            for name in names:
                self._copy(f"{source}/{name}", f"{target}/{name}", links)
        elif stat.S_ISREG(mode):
            copy_file(source, target)
        else:
            raise Refusal(f"The output {Path(source).name} is neither a file nor a folder: refused.")

    def _plain(self, source: str) -> bool:
        """Say whether a path is a regular file right in a job's kept folder: then no link can be on the way."""
        folder = source.rpartition("/")[0].rpartition("/")[0]
        return folder in self._roots.kept and os.path.lexists(source) and stat.S_ISREG(os.lstat(source).st_mode)


def copy_file(source: str, target: str) -> None:
    """Copy one file's content and mode, sharing blocks where the file system can."""
    with open(source, "rb") as reading, open(target, "wb") as writing:  # noqa: PTH123 - for every output
        try:
            fcntl.ioctl(writing, CLONE, reading.fileno())
        except OSError:
            shutil.copyfileobj(reading, writing, 1 << 20)
        os.fchmod(writing.fileno(), os.fstat(reading.fileno()).st_mode & 0o777 | 0o200)


def _clear(target: str, source: str = "") -> bool:
    """Remove what an earlier attempt left, folders too; says whether the source itself is there already."""
    try:
        found = os.lstat(target)
    except FileNotFoundError:
        return False
    if source and os.path.exists(target) and os.path.samefile(target, source):  # noqa: PTH110, PTH121 - rarely
        return True
    if stat.S_ISDIR(found.st_mode):
        shutil.rmtree(target)
    else:
        os.unlink(target)  # noqa: PTH108 - for every output
    return False


def _name(entry: dict[str, Any]) -> str:
    """Give the file name of an entry; raises Refusal for one that would lead elsewhere."""
    name = str(entry.get("basename") or Path(local_path(str(entry.get("location", "")))).name)
    if not name or "/" in name or name in (".", ".."):
        raise Refusal(f"{name!r} can't be the name of an output.")
    return name
