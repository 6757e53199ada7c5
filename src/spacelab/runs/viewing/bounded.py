"""Starts the program that looks into scientific files: in a sandbox with that one file, within limits of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

SECONDS = 20.0
"""The program may take so long; its own limit of computing time is shorter."""
PATIENCE = 15.0
"""Seconds that a preview waits until others are done."""
AT_ONCE = 2
"""Previews computed at the same time by one process of the portal."""
LARGEST_FILE = 2**30
LARGEST_ANSWER = 4 * 2**20
PROGRAM = "/look.py"
"""Where the program stands in its sandbox."""

_slots = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Found:
    """What the program said, and the picture it drew (PNG, or nothing). `trouble` says why there is nothing."""

    facts: Mapping[str, Any]
    picture: bytes = b""
    trouble: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which part of a file is to be shown, and how: `part` None for the first that holds something."""

    format: str
    part: int | None = None
    plane: int = 1
    stretch: str = "asinh"
    first: int = 0


def look(file: BinaryIO, wanted: Wanted, *, uid: int) -> Found:
    """Have a file looked into by a process that sees nothing but it; `uid` is what it becomes where we are root."""
    if shutil.which("bwrap") is None:
        return Found({}, trouble="This host has no bubblewrap, without which such files are not opened here.")
    if os.fstat(file.fileno()).st_size > LARGEST_FILE:
        return Found({}, trouble="It is larger than 1 GiB: download it, or open it in a session.")
    if not _slots.acquire(timeout=PATIENCE):
        return Found({}, trouble="Others are looking at files at the moment. Try again in a moment.")
    try:
        return _look(file, wanted, uid if os.geteuid() == 0 else None)
    finally:
        _slots.release()


def _look(file: BinaryIO, wanted: Wanted, uid: int | None) -> Found:
    asked = json.dumps({**wanted.__dict__, "uid": uid})
    file.seek(0)
    try:
        done = subprocess.run(
            [*_sandbox(as_root=uid is not None), sys.executable, "-I", PROGRAM, asked],
            stdin=file,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={},
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        return Found({}, trouble="Looking into it took too long.")
    except OSError:
        return Found({}, trouble="What looks into such files can't be started on this host.")
    line, _, picture = done.stdout[:LARGEST_ANSWER].partition(b"\n")
    try:
        facts = json.loads(line)
    except ValueError:
        return Found({}, trouble="It took more memory or time than a preview may, and was given up.")
    return Found(facts, picture, str(facts.get("trouble", "")))


def _sandbox(*, as_root: bool) -> list[str]:
    """Return the words before the program: the system's libraries, Python and its packages, and no network."""
    namespaces = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
    rights = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID") if as_root else ("--unshare-user",)
    system = [word for name in ("bin", "lib", "lib64") for word in ("--symlink", f"usr/{name}", f"/{name}")]
    shown = [path for path in dict.fromkeys((sys.prefix, sys.base_prefix)) if not Path(path).is_relative_to("/usr")]
    above = dict.fromkeys(str(one) for path in shown for one in reversed(Path(path).parents) if one != Path("/"))
    open_folders = [word for one in above for word in ("--perms", "0755", "--dir", one)]  # else only root sees them
    binds = [*open_folders, *(word for path in shown for word in ("--ro-bind", path, path))]
    program = str(Path(__file__).with_name("science.py"))
    return [
        *("bwrap", *namespaces, "--die-with-parent", "--new-session", "--cap-drop", "ALL", *rights, "--clearenv"),
        *("--ro-bind", "/usr", "/usr", *system, *binds, "--ro-bind", program, PROGRAM),
        *("--proc", "/proc", "--dev", "/dev", "--size", str(2**20), "--tmpfs", "/tmp"),  # noqa: S108  a path inside
        *("--setenv", "HOME", "/tmp", "--setenv", "OPENBLAS_NUM_THREADS", "1", "--setenv", "MPLCONFIGDIR", "/tmp"),  # noqa: S108  as above
        *("--setenv", "ASTROPY_SKIP_CONFIG_UPDATE", "1", "--"),
    ]
