"""Reads a package's folder as `datalab_package` does, with the platform's own refusals."""

from __future__ import annotations

from pathlib import Path

import datalab_package
from datalab_package import SETUP_KEYS, Manifest, PackageProblem
from spacelab.datalabs.rules import refusal_of

__all__ = ["SETUP_KEYS", "Manifest", "read_manifest"]


def read_manifest(folder: Path) -> Manifest:
    """Read the package in `folder`; raise `Invalid`, naming file and key, on what can't be used."""
    try:
        return datalab_package.read_manifest(folder)
    except PackageProblem as problem:
        raise refusal_of(problem) from problem
