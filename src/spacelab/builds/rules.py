"""Decisions about builds: how an environment is named, so that the same needs give the same environment."""

from __future__ import annotations

import hashlib

HASH_LENGTH = 10
"""Hexadecimal digits in an environment's name: enough that two of one datalab never meet."""


def environment_name(slug: str, requirements_text: str, python_version: str) -> str:
    """Name the environment of a datalab: `<slug>-<hash>` over its requirements and the interpreter's version.

    Comments, blank lines and the order of lines don't count.
    """
    lines = (line.split(" #")[0].strip() for line in requirements_text.splitlines())
    needs = sorted(line for line in lines if line and not line.startswith("#"))
    digest = hashlib.sha256("\n".join((python_version, *needs)).encode()).hexdigest()
    return f"{slug}-{digest[:HASH_LENGTH]}"


QUIET = ("Using ", "Resolved ", "warning", "If the cache and target directories", "If this is intentional")
"""How the installer's lines begin that say nothing about a failure; its hint about links takes two lines more."""
NO_ROOM = ("No space left on device", "Disk quota exceeded")
"""What the installer's output holds when the disk, and not a package, is the trouble."""


def advice_after_failure(output: str) -> str:
    """Say what to do about a failed build, given the installer's output."""
    if any(mark in output for mark in NO_ROOM):
        return "Free some space, or set SPACELAB_STATE to a roomier disk; then start again: what was fetched is kept."
    return (
        "Check the package's name and version in requirements.txt, and that this machine reaches its package index; "
        "then start again: what was fetched is kept."
    )


def explain_failure(output: str) -> str:
    """Pick out of the installer's output the lines that say which package can't be had, as one line of text."""
    lines = [" ".join(line.strip(" \u00d7╰─▶│├").split()) for line in output.splitlines()]
    told = [line for line in lines if line and not line.startswith(QUIET)]
    return " ".join(told)[:1500]
