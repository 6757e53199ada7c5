"""Brings a bare machine to where `spacelab` runs: a virtual environment and, as root, what Debian has to add."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import islands

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PACKAGES = ("packages/datalab-package", "packages/cwl-graph", "packages/cwl-runner", "packages/run-crate")
"""Parts of the tree that are installed beside the platform."""
STAMP = VENV / "spacelab-stamp"
ENGINE_PACKAGES = ("podman", "netavark", "aardvark-dns", "uidmap", "mmdebstrap", "skopeo")
"""What the tests of containers need: an engine, and a way to make a first image without a registry."""
ENGINE_PROGRAMS = ("podman", "mmdebstrap", "skopeo")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def say(text: str) -> None:
    """Print one line of progress."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def step(title: str, work: Callable[[], None]) -> None:
    """Do one step of the set-up, and say how long it took."""
    started = time.monotonic()
    sys.stdout.write(f"  · {title} … ")
    sys.stdout.flush()
    work()
    say(f"{time.monotonic() - started:.1f} s")


def run(*argv: str) -> None:
    """Run a program quietly; on failure show what it printed and stop."""
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        say("failed\n")
        sys.exit(f"{' '.join(argv)}\n{done.stdout}{done.stderr}")


def apt_install(*packages: str) -> bool:
    """Install Debian packages where this user may; say whether that worked."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode and command[1] == "install":
            say(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "apt-get failed")
            return False
    return True


def have(*names: str) -> bool:
    """Say whether one of the programs is on this machine."""
    return any(shutil.which(name) for name in names)


def make_environment() -> None:
    """Create the virtual environment with uv in it, in whichever way this machine allows."""
    if (VENV / "bin" / "python").exists() and (VENV / "bin" / "uv").exists():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    plain = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(plain, capture_output=True, check=False).returncode == 0:
        run(str(VENV / "bin" / "python"), "-m", "pip", "install", "-q", "-c", "constraints.txt", "uv")
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if have("uv"):
        run("uv", "venv", "-q", "--python", sys.executable, str(VENV))
        run("uv", "pip", "install", "-q", "--python", str(VENV / "bin" / "python"), "uv")
        return
    if apt_install("python3-venv") and subprocess.run(plain, capture_output=True, check=False).returncode == 0:
        run(str(VENV / "bin" / "python"), "-m", "pip", "install", "-q", "-c", "constraints.txt", "uv")
        return
    sys.exit(
        "This Python can't make virtual environments. Install them with\n"
        "    sudo apt-get install python3-venv\nor put `uv` on the PATH, then run this again."
    )


def wanted_stamp(*, tests: bool) -> str:
    """Name the set of packages that the tree asks for."""
    files = ["pyproject.toml", "constraints.txt", *(f"{package}/pyproject.toml" for package in PACKAGES)]
    content = b"".join((ROOT / file).read_bytes() for file in files)
    return hashlib.sha256(content).hexdigest() + (" tests" if tests else "")


def install_packages(*, tests: bool) -> None:
    """Install the platform, and the tests' packages where asked for, at the versions of constraints.txt."""
    uv, python = str(VENV / "bin" / "uv"), str(VENV / "bin" / "python")
    group = ["--group", "dev"] if tests else []
    trees = [word for tree in (*PACKAGES, ".") for word in ("-e", tree)]
    run(uv, "pip", "install", "-q", "--python", python, "-c", "constraints.txt", *group, *trees)
    STAMP.write_text(wanted_stamp(tests=tests))


def installed(*, tests: bool) -> bool:
    """Say whether the packages are there already; those of the tests include the others."""
    present = STAMP.read_text() if STAMP.exists() else ""
    return present in {wanted_stamp(tests=tests), wanted_stamp(tests=True)}


def sandbox() -> None:
    """Install bubblewrap, or say what is lost without it."""
    if not have("bwrap") and not apt_install("bubblewrap"):
        say("\n    Without bubblewrap sessions run unprotected, for one person only.")
        say("    To change that: sudo apt-get install bubblewrap")


def browser() -> None:
    """Install what the browser tests and the edge's benchmark drive."""
    if not have(*CHROMIUM) and not apt_install("chromium"):
        say("\n    The browser tests need Chromium: sudo apt-get install chromium")


def editor() -> None:
    """Build the pipeline editor, or say that its pages show the text alone."""
    try:
        islands.build(VENV / "bin" / "uv", VENV / "bin" / "python")
    except islands.NotBuilt as problem:
        say(f"\n    The pipeline editor is not built; its page shows the text alone. {problem}")


def lacks_engine() -> bool:
    """Say whether a program is missing that the tests of containers use."""
    return not all(have(program) for program in ENGINE_PROGRAMS)


def engine() -> None:
    """Install what the tests of containers use."""
    runner = () if have("crun", "runc") else ("runc",)
    if not apt_install(*ENGINE_PACKAGES, *runner):
        say("\n    The tests of containers are left out without an engine. To run them:")
        say(f"    sudo apt-get install {' '.join(ENGINE_PACKAGES)}")


def main() -> None:
    """Install what is missing; a second call finds everything and returns at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also install what the tests need")
    tests = parser.parse_args().tests
    if sys.version_info < (3, 11):  # noqa: UP036  this is the very check that says so to people
        sys.exit(f"Spacelab needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    missing: list[tuple[str, Callable[[], None]]] = []
    if not installed(tests=tests):
        missing += [
            ("Making a virtual environment", make_environment),
            ("Installing Python packages", lambda: install_packages(tests=tests)),
        ]
    if not islands.built():
        missing.append(("Building the pipeline editor", editor))
    if not have("bwrap"):
        missing.append(("Installing the sandbox (bubblewrap)", sandbox))
    if tests and not have(*CHROMIUM):
        missing.append(("Installing Chromium for the browser tests", browser))
    if tests and lacks_engine():
        missing.append(("Installing a container engine for the tests", engine))
    if missing:
        say("Setting up Spacelab")
    for title, work in missing:
        step(title, work)


if __name__ == "__main__":
    main()
