"""Where on the host the runtimes of one machine find what they share."""

from __future__ import annotations

from pathlib import Path

EGRESS_FOLDER = "egress"
INSIDE = Path(__file__).parent / "inside"
"""The folder of the programs that run inside workloads."""


def egress_socket(run_directory: Path) -> Path:
    """Return the path on which the controller serves the way out for workloads."""
    return run_directory / EGRESS_FOLDER / "egress.sock"
