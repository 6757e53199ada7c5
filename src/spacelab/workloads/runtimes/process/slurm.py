"""Steps of pipeline runs as jobs of a Slurm cluster that shares this machine's file system: orders for their broker."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spacelab.workloads.rules import RUN_BROKER, RUN_FOLDER, RUN_PLACES, WorkloadSpec
from spacelab.workloads.runtimes.process import etc, sandbox
from spacelab.workloads.runtimes.process.options import Options
from spacelab.workloads.runtimes.shared import brokers, pipelines
from spacelab.workloads.runtimes.shared.variables import ENVIRONMENTS

PROGRAM = "spacelab.workloads.runtimes.process.slurm_program"
PLACES = 8
"""At the least so many jobs of a run are with the cluster at a time: it has more cores than the run's own share."""


def prepare(options: Options, spec: WorkloadSpec, prefixes: tuple[Path, ...]) -> WorkloadSpec:
    """Write the orders of a run's broker; return the specification that shows its places inside."""
    shown = brokers.with_places(options.run_directory, spec, PLACES)
    own = (RUN_PLACES, RUN_BROKER)
    binds = [[one.source, one.target] for one in pipelines.all_mounts(spec) if one.target != RUN_FOLDER]
    binds += [[str(options.environments / name), str(ENVIRONMENTS / name)] for name in pipelines.environments(spec)]
    root = os.geteuid() == 0
    parts = etc.prepared(options.run_directory, tuple(sandbox.ETC))
    host = sandbox.Host(
        options.run_directory, options.python, prefixes, options.environments, None, root=root, etc=parts, base=prefixes
    )
    orders: dict[str, Any] = {
        "conf": options.slurm_conf,
        "python": str(options.python),
        "more": list(options.slurm_options),
        "name": f"spacelab-{spec.id}",
        "control": str(options.run_directory / spec.id),
        "folder": spec.run.folder if spec.run else "",
        "uid": options.workload_uid if root else None,
        "system": sandbox.system(host),
        "binds": [one for one in binds if not one[1].startswith(own)],
        "places": [one.source for one in shown.mounts if one.target.startswith(f"{RUN_PLACES}/")],
        "images": None,
        "resources": asdict(spec.resources),
        "network": spec.network.value,
    }
    brokers.write_orders(brokers.folder_of(options.run_directory, spec.id), orders)
    return shown
