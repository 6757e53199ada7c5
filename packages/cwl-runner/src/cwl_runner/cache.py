"""Finished jobs by what went into them: a job whose key is known isn't run again.

    jobs/<run>-<number>        what a job wrote; `….in` beside it when outputs may refer to literals staged there
    results/<tool>.jsonl       one line a finished job of a tool: key, folder, outputs, sizes and times of the files
    work/<run>/                places and half-done things of a living run
    runs/<run>                 a lock that a living run holds
    digests.jsonl              digests of large files

A line is written (one `write`, to the end) after the job's files are in place, so whatever moment a run is killed at,
a line tells of a finished job; folders without a line are leftovers, and the next run removes them. A result counts
only while its files have the sizes and times they had. Runs share the folder without waiting for each other: two that
do the same job at the same time both do it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

from cwltool.process import Process
from schema_salad.ref_resolver import file_uri

from cwl_runner import removal
from cwl_runner.digests import Digests
from cwl_runner.roots import local_path

FORM = 1
"""Part of every key: a change of what keys or results mean makes older ones unknown."""
IGNORED = ("label", "doc", "intent", "http://schema.org/")
"""Fields of a tool that don't change what it does."""
KEPT = "kept:"


class Cache:
    """The results of one person's runs; also the folders in which this run works."""

    def __init__(self, folder: Path, run: str, *, limit: int, label: str = "") -> None:
        self._folder = folder
        self._run = run
        self._limit = limit
        self._token = f"{label}{uuid.uuid4().hex[:12]}"
        self._count = 0
        self._results: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self._journals: dict[str, int] = {}
        for name in ("jobs", "results", "work", "runs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.jobs = folder / "jobs"
        self.work = folder / "work" / self._token
        self._lock = os.open(folder / "runs" / self._token, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.work.mkdir()
        self.digests = Digests(folder / "digests.jsonl")

    def new(self) -> str:
        """Name a folder for the files of a job that is about to begin."""
        self._count += 1
        return f"{self.jobs}/{self._token}-{self._count}"

    def find(self, tool: str, key: str, *, reuse: bool) -> dict[str, Any] | None:
        """Give the outputs of a finished job, or None; without `reuse` only one of this very run counts."""
        for found in reversed(self._read(tool).get(key, [])):
            if (reuse or found.get("run") == self._run) and self._whole(found):
                folder = file_uri(f"{self.jobs}/{found['folder']}")
                return dict(json.loads(json.dumps(found["outputs"]).replace(f'"{KEPT}', f'"{folder}/')))
        return None

    def _whole(self, found: dict[str, Any]) -> bool:
        """Say whether a result's files are as they were; it then counts as used now."""
        folder = f"{self.jobs}/{found['folder']}"
        try:
            for name, (size, changed) in found["files"].items():
                present = os.stat(f"{folder}/{name}" if not name.startswith("/") else name)  # noqa: PTH116 - many
                if (present.st_size, present.st_mtime_ns) != (size, changed):
                    return False
            os.utime(folder)
        except OSError:
            return False
        return True

    def add(self, tool: str, key: str, folder: str, outputs: dict[str, Any]) -> None:
        """Write down a finished job."""
        text = json.dumps(outputs, default=str).replace(f'"{file_uri(folder)}/', f'"{KEPT}')
        files: dict[str, tuple[int, int]] = {}
        _stamps(outputs, folder, files)
        line = {
            "key": key,
            "folder": Path(folder).name,
            "run": self._run,
            "files": files,
            "outputs": json.loads(text),
        }
        self._read(tool).setdefault(key, []).append(line)
        os.write(self._journal(tool), f"{json.dumps(line)}\n".encode())

    def _journal(self, tool: str) -> int:
        if tool not in self._journals:
            path = self._folder / "results" / f"{tool}.jsonl"
            self._journals[tool] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return self._journals[tool]

    def _read(self, tool: str) -> dict[str, list[dict[str, Any]]]:
        if tool not in self._results:
            known: dict[str, list[dict[str, Any]]] = {}
            self._results[tool] = known
            path = self._folder / "results" / f"{tool}.jsonl"
            for line in path.read_bytes().splitlines() if path.exists() else ():
                try:
                    entry = json.loads(line)
                    known.setdefault(entry["key"], []).append(entry)
                except (ValueError, KeyError, TypeError):
                    continue  # torn when its writer was killed
        return self._results[tool]

    def close(self) -> None:
        """Leave the folder in order: nothing of this run but results, nothing of dead runs, no more than the limit."""
        for descriptor in self._journals.values():
            os.close(descriptor)
        removal.remove(self.work)
        with (self._folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # another run is at it
            living = self._living()
            self._remove_dead(living)
            self._prune(living)
        os.close(self._lock)
        (self._folder / "runs" / self._token).unlink(missing_ok=True)

    def _living(self) -> dict[str, float]:
        """Find the runs that hold their locks, with the time each began."""
        living = {self._token: time.time()}
        for path in (self._folder / "runs").iterdir():
            if path.name == self._token:
                continue
            try:
                with path.open("r") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            except BlockingIOError:
                living[path.name] = path.stat().st_mtime
            except OSError:
                continue
        return living

    def _remove_dead(self, living: dict[str, float]) -> None:
        """Remove what killed runs left, and results whose files are gone."""
        for path in (self._folder / "work").iterdir():
            if path.name not in living:
                removal.remove(path)
        present = {entry.name for entry in os.scandir(self.jobs)}
        told: set[str] = set()
        for path in (self._folder / "results").iterdir():
            lines = path.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if _folder_of(line) in present]
            told.update(_folder_of(line) for line in kept)
            if len(kept) < len(lines) / 2:
                fresh = path.with_suffix(f".{self._token}")
                fresh.write_bytes(b"".join(kept))
                fresh.replace(path)
        for name in present:
            if name.partition(".")[0] in told:
                continue
            if name.partition("-")[0] not in living or name.startswith(f"{self._token}-"):
                removal.remove(self.jobs / name)

    def _prune(self, living: dict[str, float]) -> None:
        """Remove the results that were used longest ago until the rest is below the limit."""
        sizes = [(entry.stat().st_mtime, _size(entry.path), entry.path) for entry in os.scandir(self.jobs)]
        total = sum(size for _, size, _ in sizes)
        others = [began for token, began in living.items() if token != self._token]
        for used, size, path in sorted(sizes):
            if total <= self._limit or (others and used >= min(others)):
                break
            removal.remove(path)
            removal.remove(f"{path}.in")
            total -= size


def tool_key(process: Process, base: str, software: tuple[str, str, str]) -> str:
    """Name a tool by all of it that decides what it does: document, requirements, CWL version and software.

    `software` is the name of its image, the folder of its environment, and the digest of what of both there is.
    """
    image, folder, digest = software
    parts = [
        FORM,
        _plain(process.tool),
        _plain([entry for entry in process.requirements if entry["class"] != "ResourceRequirement"]),
        _plain([entry for entry in process.hints if entry["class"] != "ResourceRequirement"]),
        str(process.metadata.get("http://commonwl.org/cwltool#original_cwlVersion", "")),
        [image, folder, digest, _installed(folder) if folder else ""],
    ]
    text = json.dumps(parts, sort_keys=True, default=str)
    if base:
        text = text.replace(file_uri(base), "")
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _installed(folder: str) -> str:
    """Name what is installed in an environment: its list of packages, and of each the record of its files."""
    digest = hashlib.sha256(str(os.stat(folder).st_mtime_ns).encode())  # noqa: PTH116 - a number
    for path in sorted(
        [*Path(folder).glob("*.txt"), *Path(folder).glob("lib/python*/site-packages/*.dist-info/RECORD")]
    ):
        found = path.stat()
        digest.update(f"{path.parent.name}/{path.name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def job_key(inputs: Any, resources: dict[str, Any], digests: Digests) -> str:
    """Name a job of a tool by its inputs' values and contents, and the resources that it is told of."""
    text = json.dumps([digests.of_value(inputs), resources], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Drop from a document what depends on where it stands or is only for readers."""
    if isinstance(value, dict):
        return {
            key: _short(item) if key == "id" else _plain(item)
            for key, item in value.items()
            if not key.startswith(IGNORED)
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _short(identifier: Any) -> str:
    """Give the last part of an id; a document without one got a random one."""
    text = str(identifier)
    return "" if text.startswith("_:") and "#" not in text else text.rpartition("#")[2].rpartition("/")[2]


def _stamps(value: Any, folder: str, files: dict[str, tuple[int, int]]) -> None:
    """Note size and time of every file that outputs refer to, relative to the job's folder."""
    if isinstance(value, dict):
        path = local_path(value.get("location", "")) if value.get("class") in ("File", "Directory") else ""
        if path:
            found = os.stat(path)  # noqa: PTH116 - for every output of every job
            name = path[len(folder) + 1 :] if path.startswith(f"{folder}/") else path
            if value["class"] == "Directory":
                for top, _, names in os.walk(path):
                    _stamps([{"class": "File", "location": f"{top}/{each}"} for each in names], folder, files)
            else:
                files[name] = (found.st_size, found.st_mtime_ns)
        for item in value.values():
            _stamps(item, folder, files)
    elif isinstance(value, list):
        for item in value:
            _stamps(item, folder, files)


def _folder_of(line: bytes) -> str:
    try:
        return str(json.loads(line)["folder"])
    except (ValueError, KeyError, TypeError):
        return ""


def _size(path: str) -> int:
    return sum(
        os.lstat(os.path.join(top, name)).st_size  # noqa: PTH118 - many
        for top, _, names in os.walk(path)
        for name in names
    )
