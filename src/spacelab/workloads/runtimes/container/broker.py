"""The brokers of runs whose steps are containers: their orders, and the end of what they started."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import APIError

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import RUN_BROKER, RUN_FOLDER, RUN_PLACES, WorkloadSpec
from spacelab.workloads.runtimes.container import images, seccomp, specification, users
from spacelab.workloads.runtimes.shared import brokers, pipelines

if TYPE_CHECKING:
    from spacelab.workloads.runtimes.container.runtime import Context

PROGRAM = "spacelab.workloads.runtimes.container.broker_program"
DIGESTS = "images.json"
"""Beside the socket: what the images' names stand for. Read-only inside."""


def prepare(context: Context, spec: WorkloadSpec, control: Path) -> None:
    """Write the orders of a run's broker; `control` is the folder of the workload that it serves.

    What the names of images stand for is settled here, for all steps of this start, and told inside: a finished step
    counts for the image that it ran in. An image that is gone fails its steps. Raises `RuntimeFault` if the engine is
    away.
    """
    if not (spec.run and spec.run.images):
        return
    options, engine = context.options, context.engine
    facts = engine.facts()
    user = users.workload_user(facts, options.workload_uid)
    here = {name: one for name, one in spec.run.images.items() if images.is_there(engine, one)}
    pinned = {**spec.run.images, **{name: images.find(engine, one).id for name, one in here.items()}}
    own = (RUN_PLACES, RUN_BROKER)
    shown = [one for one in pipelines.all_mounts(spec) if not one.target.startswith(own)]
    orders: dict[str, Any] = {
        "engine": engine.address,
        "facts": asdict(facts),
        "name": f"{specification.application_name(options, spec.id)}.job",
        "labels": specification.labels(options, spec.id, "job"),
        "control": str(control),
        "folder": spec.run.folder,
        "user": asdict(user),
        "binds": [[one.source, one.target] for one in shown if one.target != RUN_FOLDER],
        "places": [one.source for one in spec.mounts if one.target.startswith(f"{RUN_PLACES}/")],
        "images": pinned,
        "resources": asdict(spec.resources),
        "network": spec.network.value,
        "filter": seccomp.write(options.run_directory / ".seccomp.json") if facts.podman and facts.seccomp else "",
    }
    folder = brokers.folder_of(options.run_directory, spec.id)
    brokers.write_orders(folder, orders)
    (folder / "socket" / DIGESTS).write_text(json.dumps(pinned))


def forget(context: Context, workload_id: str) -> None:
    """Remove the containers and the folders of a run that has ended."""
    folder = brokers.folder_of(context.options.run_directory, workload_id)
    if not folder.exists():
        return
    brokers.wait_for_end(folder)
    with contextlib.suppress(APIError, RuntimeFault):
        remove_jobs(context.engine, specification.labels(context.options, workload_id, "job"))
    brokers.remove(folder)


def remove_jobs(engine: Any, labels: dict[str, str]) -> None:
    """Remove all containers of a run's steps, ending those that run."""
    wanted = labels.items()
    found = engine.list(f"{specification.WORKLOAD_LABEL}={labels[specification.WORKLOAD_LABEL]}")
    for name, described in found.items():
        if wanted <= (described.get("Labels") or {}).items():
            engine.remove(name)
