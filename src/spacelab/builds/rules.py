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


def explain_failure(output: str) -> str:
    """Pick out of the installer's output the lines that say which package can't be had, as one line of text."""
    lines = [" ".join(line.strip(" \u00d7╰─▶│├").split()) for line in output.splitlines()]
    told = [line for line in lines if line and not line.startswith(("Using ", "Resolved ", "warning"))]
    return " ".join(told)[:1500]
