"""Builds images through the engine's build API: a workload whose specification has `build`.

The container runtime hands such workloads over to this module. It keeps their common parts: `<run directory>/<id>/`
with the lock and spec.json (see `folder.py`), the companion container with its network namespace and its way out
(see `companions.py`), and the end of both. This module runs the build itself and tells how it goes.

The log is `folder.log_file`, which the builder appends to; `logs` reads it as that of any other workload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Observation, WorkloadSpec
from spacelab.workloads.runtimes.container.folder import Folder

if TYPE_CHECKING:
    from spacelab.workloads.runtimes.container.runtime import Context


def start(context: Context, folder: Folder, spec: WorkloadSpec) -> None:
    """Start the detached builder unless it was started; raise `RuntimeFault` if that can't be done.

    The companion runs: its name is `specification.companion_name(context.options, spec.id)`, its process id on the
    host, whose network namespace the build is to have, `context.companions.pid(name)`. Nobody else starts or forgets
    this workload meanwhile.
    """
    del context, folder, spec
    raise RuntimeFault("This platform makes no images yet.")


def observe(context: Context, folder: Folder, spec: WorkloadSpec) -> Observation | None:
    """Report on a build; None where none was started. Called by one thread, as often as several times a second."""
    del context, folder, spec
    return None


def stop(context: Context, folder: Folder, grace_seconds: float) -> None:
    """Ask a build to end, and have it ended by force after the grace; return at once."""
    del context, folder, grace_seconds


def forget(context: Context, folder: Folder) -> None:
    """Remove what the engine still has of an ended build; the companion and the folder are removed right after."""
    del context, folder
