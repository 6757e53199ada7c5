"""What files contain, in one word: SHA-1 as CWL's `checksum` has it, remembered by device, inode, size and time."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from pathlib import Path
from typing import Any

from cwl_runner.problems import Refusal
from cwl_runner.roots import local_path

BLOCK = 1 << 20
WORTH_KEEPING = 1 << 20
"""Bytes from which a digest is worth writing down: smaller files are read as quickly as the note."""
LARGE = 1 << 36
"""Bytes from which a file may be one of holes alone, which would take days to read."""
SETTLED = 2.0
"""Seconds since its last change after which a file's times tell it apart from any later content."""
MOST = 50_000
"""Notes that are kept."""


class Digests:
    """Digests of files, remembered within the run and, where a file is given, from run to run."""

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._known: dict[tuple[int, int, int, int], str] = {}
        if memory and memory.exists():
            lines = memory.read_text(errors="replace").splitlines()
            for line in lines[-MOST:]:
                try:
                    device, inode, size, changed, digest = json.loads(line)
                    self._known[device, inode, size, changed] = str(digest)
                except (ValueError, TypeError):
                    continue
            if len(lines) > 2 * MOST:
                self._rewrite()

    def _rewrite(self) -> None:
        if self._memory:
            fresh = self._memory.with_suffix(f".{os.getpid()}")
            fresh.write_text("".join(f"{json.dumps([*key, value])}\n" for key, value in self._known.items()))
            fresh.replace(self._memory)

    def of_file(self, path: str) -> str:
        """Give a file's digest as "sha1$…"; raises OSError."""
        found = os.stat(path)  # noqa: PTH116 - called for every input of every job
        key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if key in self._known:
            return self._known[key]
        if not stat.S_ISREG(found.st_mode):
            raise Refusal(f"{path} is neither a file nor a folder.", "Choose a file, or let the tool write one.")
        if found.st_size > LARGE and _larger_than_disk(path, found.st_size):
            raise Refusal(f"{path} is larger than the disk that it is on.", "A file that is mostly holes is no result.")
        digest = f"sha1${_sha1(path)}"
        if time.time() - found.st_mtime > SETTLED:
            self.remember(key, digest)
        return digest

    def remember(self, key: tuple[int, int, int, int], digest: str) -> None:
        """Note a digest."""
        self._known[key] = digest
        if self._memory and key[2] >= WORTH_KEEPING:
            with self._memory.open("a") as notes:
                notes.write(f"{json.dumps([*key, digest])}\n")

    def of_folder(self, path: str) -> str:
        """Give one digest for all that lies below a folder: names, kinds and contents; links by their targets."""
        parts: list[str] = []
        for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                parts.append(f"d {entry.name} {self.of_folder(entry.path)}")
            elif stat.S_ISLNK(mode) and not Path(entry.path).is_file():
                parts.append(f"l {entry.name} {os.readlink(entry.path)}")  # noqa: PTH115 - the text as it is
            elif Path(entry.path).is_file():
                parts.append(f"f {entry.name} {self.of_file(entry.path)}")
        return hashlib.sha1("\n".join(parts).encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()

    def of_value(self, value: Any) -> Any:
        """Give an input value with what each file contains in place of where it lies."""
        if isinstance(value, dict):
            if value.get("class") in ("File", "Directory"):
                return self._of_entry(value)
            return {key: self.of_value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of_value(item) for item in value]
        return value

    def _of_entry(self, entry: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {key: entry[key] for key in ("class", "basename", "format", "contents") if key in entry}
        for key in ("secondaryFiles", "listing"):
            if key in entry:
                told[key] = self.of_value(entry[key])
        path = local_path(entry.get("location") or "")
        if path and entry["class"] == "File":
            told["content"] = self.of_file(path)
        elif path:
            told["content"] = self.of_folder(path)
        elif "contents" not in entry and "listing" not in entry:
            raise Refusal(f"The input {entry.get('basename')} has neither a place nor contents.")
        return told


def _larger_than_disk(path: str, size: int) -> bool:
    disk = os.statvfs(path)
    return size > disk.f_blocks * disk.f_frsize


def _sha1(path: str) -> str:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - called for every output of every job
        return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
