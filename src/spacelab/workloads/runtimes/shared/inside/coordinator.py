"""Becomes the coordinator of a pipeline run; the standard library alone until it does.

Run as `python -I -S coordinator.py <packages> <runner> <run folder>`: the two folders that hold the coordinator's
Python packages, and the run's own. Without `site` no file of the packages' folder is executed at the start.
"""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """Find the coordinator's packages, and hand over to it."""
    packages, runner, folder = sys.argv[1:4]
    sys.path += [runner, packages]
    sys.argv = ["spacelab-cwl", "run", folder]
    sys.exit(importlib.import_module("cwl_runner.cli").script())


if __name__ == "__main__":
    main()
