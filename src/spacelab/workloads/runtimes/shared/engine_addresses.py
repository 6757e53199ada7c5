"""Where container engines of this machine listen; loads nothing else, since `spacelab up` stays small."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def usual_addresses() -> list[str]:
    """List where an engine of this machine listens, in the order in which it is looked for."""
    user = os.geteuid()
    own = [Path(f"/run/user/{user}/podman/podman.sock"), Path(f"/run/user/{user}/docker.sock")] if user else []
    return [f"unix://{socket}" for socket in (*own, Path("/run/podman/podman.sock"), Path("/var/run/docker.sock"))]


def own_service(run_directory: Path) -> Path:
    """Return the socket of the engine that `spacelab up` starts itself where it finds none."""
    return run_directory / "engine.sock"


def find_address(configured: str, run_directory: Path) -> str:
    """Return the engine's address: the configured one, the platform's own service, or the first usual one there is."""
    if configured:
        return configured
    candidates = [f"unix://{own_service(run_directory)}", *usual_addresses()]
    return next((one for one in candidates if Path(one.removeprefix("unix://")).exists()), "")


def podman_program() -> str:
    """Return the path of Podman's program, or nothing."""
    return shutil.which("podman") or ""
