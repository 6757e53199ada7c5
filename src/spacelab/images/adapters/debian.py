"""A minimal Debian made from Debian's own packages by mmdebstrap, for places without an image registry."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from spacelab.kit.refusals import Invalid, Unavailable

HOOKS = Path("/usr/share/mmdebstrap/hooks/merged-usr")
SUITE = re.compile(r"[a-z]{3,20}")
WITHOUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*")
WITH = ("/usr/share/doc/*/copyright", "/usr/share/locale/locale.alias")


def sources(suite: str, mirror: str) -> str:
    """Return the lines of apt's list of sources: the suite, its updates, and its security updates."""
    parts = (("debian", suite), ("debian", f"{suite}-updates"), ("debian-security", f"{suite}-security"))
    return "".join(f"deb {mirror}/{archive} {name} main\n" for archive, name in parts)


def command(suite: str, target: Path) -> list[str]:
    """Return mmdebstrap's command line; it reads the list of sources from its input.

    The smallest variant that still has apt; /usr is merged from the start, because the package that would merge it
    later brings all of Perl.
    """
    words = ["mmdebstrap", "--variant=apt", "--include=usr-is-merged"]
    words += [f"--hook-dir={HOOKS}"] if HOOKS.is_dir() else []
    words += [f"--dpkgopt=path-exclude={path}" for path in WITHOUT]
    words += [f"--dpkgopt=path-include={path}" for path in WITH]
    return [*words, suite, str(target), "-"]


def bootstrap(suite: str, mirror: str, target: Path, progress: Callable[[str], None]) -> None:
    """Write a minimal Debian as a tar archive; nothing is left behind if it fails or is interrupted.

    Raises `Invalid` for a name that no suite has, `Unavailable` without mmdebstrap or if packages can't be had.
    """
    if not SUITE.fullmatch(suite):
        raise Invalid(f"“{suite}” is no Debian suite.", advice="Set SPACELAB_BASE_IMAGE to bootstrap:bookworm.")
    if not shutil.which("mmdebstrap"):
        raise Unavailable(
            "mmdebstrap is not installed, and without it no Debian can be made here.",
            advice="Install Debian's package mmdebstrap, or set SPACELAB_BASE_IMAGE to an image that can be pulled.",
        )
    said: list[str] = []
    process = subprocess.Popen(
        command(suite, target),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        with process:
            stdin, stderr = cast("IO[str]", process.stdin), cast("IO[str]", process.stderr)
            stdin.write(sources(suite, mirror))
            stdin.close()
            for line in stderr:
                said.append(line.strip())
                progress(line.strip().removeprefix("I: "))
    except BaseException:
        _end(process)
        target.unlink(missing_ok=True)
        raise
    if process.returncode:
        target.unlink(missing_ok=True)
        errors = [line for line in said if line.startswith("E:")] or said
        raise Unavailable(
            f"Debian {suite} can't be made from {mirror}: {' '.join(errors[-3:])}",
            advice="Check SPACELAB_DEBIAN_MIRROR and that this machine reaches it.",
        )


def _end(process: subprocess.Popen[str]) -> None:
    """Ask mmdebstrap to end, which makes it remove its working folder, and wait until it has."""
    if process.poll() is None:
        os.kill(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
