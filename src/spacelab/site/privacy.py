"""Who on the host may look into the platform's directories."""

from __future__ import annotations

import os
from pathlib import Path

from spacelab.kit.refusals import Conflict


def close_to_others(directory: Path) -> None:
    """Make the directory where it is missing, and keep the host's other users out of it.

    The state holds every sign-in, and the sockets of the run directory believe what the edge says of a request. The
    group's rights stay as the operator set them. Workloads need no way in: the sandbox shows them what is theirs.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(directory.stat().st_mode & 0o7770)


def check_owner(directory: Path) -> None:
    """Raise `Conflict` unless the directory is the platform's own: in a place like /tmp others can make it first."""
    if directory.is_symlink() or directory.stat().st_uid != os.geteuid():
        raise Conflict(
            f"{directory} belongs to another user of this machine.",
            advice="Remove it, or choose a shorter path for SPACELAB_STATE, so that sockets stay inside of it.",
        )
