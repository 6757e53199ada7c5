"""From a workload's specification to what the engine is asked to make: the companion, and the application."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import docker
from docker.types import DeviceRequest, LogConfig

from spacelab.volumes.rules import TEAM_ROOT
from spacelab.workloads.rules import Network, WorkloadSpec, datalab_name, personal_environment
from spacelab.workloads.runtimes.container import mounts
from spacelab.workloads.runtimes.container.engine import Facts
from spacelab.workloads.runtimes.container.folder import INSIDE, Folder
from spacelab.workloads.runtimes.container.images import Image
from spacelab.workloads.runtimes.container.options import Options
from spacelab.workloads.runtimes.container.users import User
from spacelab.workloads.runtimes.shared.limits import OWN_PROCESSES, cores_for
from spacelab.workloads.runtimes.shared.places import INSIDE as SHARED_INSIDE
from spacelab.workloads.runtimes.shared.variables import Places, command_line, sandbox_places, variables

PLATFORM_LABEL = "org.spacelab.platform"
WORKLOAD_LABEL = "org.spacelab.workload"
PART_LABEL = "org.spacelab.part"
GPU_LABEL = "org.spacelab.gpus"

COMPANION_MEMORY = "96m"
COMPANION_PROCESSES = 16
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LOG = LogConfig(type="json-file", config={"max-size": "1m"})
"""The engine's own log holds only what goes wrong before the output goes to the companion."""


def application_name(options: Options, workload_id: str) -> str:
    """Name a workload's container; the name makes a second one impossible."""
    return f"spacelab-{options.platform}-{workload_id}"


def companion_name(options: Options, workload_id: str) -> str:
    """Name a workload's companion."""
    return f"{application_name(options, workload_id)}.companion"


def reader_name(options: Options, workload_id: str) -> str:
    """Name the container that never runs, out of which an image's files are read."""
    return f"{application_name(options, workload_id)}.reader"


def names(options: Options, workload_id: str) -> tuple[str, str, str]:
    """Name all containers of a workload, the application's first: it lives in the companion's network."""
    return (
        application_name(options, workload_id),
        companion_name(options, workload_id),
        reader_name(options, workload_id),
    )


def ours(options: Options, listed: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Keep of the containers with this platform's label those that it named: an image may bring labels of any kind."""
    found = {}
    for name, described in listed.items():
        workload_id = (described.get("Labels") or {}).get(WORKLOAD_LABEL, "")
        if workload_id and name in names(options, workload_id):
            found[name] = described
    return found


def labels(options: Options, workload_id: str, part: str) -> dict[str, str]:
    """Return the labels by which this platform finds its containers."""
    return {PLATFORM_LABEL: options.platform, WORKLOAD_LABEL: workload_id, PART_LABEL: part}


@dataclass(frozen=True)
class Parts:
    """All that a workload's containers are made of."""

    options: Options
    facts: Facts
    folder: Folder
    spec: WorkloadSpec
    user: User
    image: Image
    gpus: tuple[str, ...] = ()
    call_filter: str = ""
    """A file with the application's filter of system calls; empty: the engine's own."""

    @property
    def places(self) -> Places:
        """Where the workload finds things."""
        return sandbox_places(self.spec, self.user.uid)


def _host(client: docker.APIClient, parts: Parts, userns: str, **more: Any) -> dict[str, Any]:
    """Return the arguments that concern the host: these, and what every container of ours is denied."""
    host: dict[str, Any] = client.create_host_config(**more, **_rights(parts.facts))
    if userns:
        host["UsernsMode"] = userns  # the client library knows none of Podman's values
    return host


def _rights(facts: Facts) -> dict[str, Any]:
    security = ["no-new-privileges"] + (["label=disable"] if facts.selinux else [])
    return {
        "cap_drop": ["ALL"],
        "security_opt": security,
        "log_config": LOG,
    }


def companion(client: docker.APIClient, parts: Parts) -> dict[str, Any]:
    """Return the arguments of `create_container` for the companion, which owns the network that holds only itself."""
    options, folder, user = parts.options, parts.folder, parts.user
    binds = [
        mounts.bind(SHARED_INSIDE, "/platform/shared"),
        mounts.bind(INSIDE, "/platform/own"),
        mounts.bind(folder.io, "/io", read_only=False),
        mounts.bind(folder.gate, "/gate"),
    ]
    if parts.spec.network is Network.OUTBOUND:
        binds.append(mounts.bind(options.egress_socket.parent, "/egress"))
    limits: dict[str, Any] = {"mem_limit": COMPANION_MEMORY} if parts.facts.memory else {}
    if parts.facts.processes:
        limits["pids_limit"] = COMPANION_PROCESSES
    host = _host(client, parts, user.userns, network_mode="none", read_only=True, mounts=binds, **limits)
    return {
        "image": options.companion_image,
        "command": ["/usr/bin/python3", "-I", "-S", "-B", "/platform/own/companion.py"],
        "entrypoint": [],
        "name": companion_name(options, parts.spec.id),
        "hostname": "datalab",
        "user": f"{user.uid}:{user.uid}",
        "working_dir": "/",
        "environment": {"LANG": "C.UTF-8"},
        "labels": labels(options, parts.spec.id, "companion"),
        "use_config_proxy": False,
        "host_config": host,
    }


def application(client: docker.APIClient, parts: Parts) -> dict[str, Any]:
    """Return the arguments of `create_container` for the application, which lives in the companion's network."""
    options, spec, user = parts.options, parts.spec, parts.user
    devices = [DeviceRequest(driver="cdi", device_ids=list(parts.gpus))] if parts.gpus else None
    other = f"container:{companion_name(options, spec.id)}"
    host = _host(
        client,
        parts,
        other if user.userns else "",  # a network can only be joined from the user namespace that owns it
        network_mode=other,
        read_only=not parts.image.writable_root,
        mounts=[*mounts.own(spec, parts.folder), *mounts.volumes(spec, parts.places)],
        tmpfs=mounts.private(spec, parts.image.volumes),
        shm_size=spec.resources.memory_mb * 2**19,
        device_requests=devices,
        **limits(parts.facts, spec),
    )
    if parts.call_filter:
        host["SecurityOpt"].append(f"seccomp={parts.call_filter}")
    known = known_variables(parts)
    return {
        "image": parts.image.id,
        "command": ["/.datalab/enter.sh", *command(parts, known)],
        "entrypoint": ["/bin/sh"],
        "name": application_name(options, spec.id),
        "hostname": "datalab" if parts.facts.podman else None,  # Docker gives it the companion's
        "user": f"{user.uid}:{user.uid}",
        "working_dir": "/",
        "environment": {name: value for name, value in known.items() if parts.image.variables.get(name) != value},
        "labels": {**labels(options, spec.id, "application"), GPU_LABEL: ",".join(parts.gpus)},
        "healthcheck": {"test": ["NONE"]} if parts.image.checks_health else None,  # the platform looks itself
        "use_config_proxy": False,  # the platform's user's own
        "host_config": host,
    }


def limits(facts: Facts, spec: WorkloadSpec) -> dict[str, Any]:
    """Return the limits that this engine can set."""
    found: dict[str, Any] = {}
    memory = spec.resources.memory_mb * 2**20
    if facts.memory:
        found["mem_limit"] = memory
        if facts.swap:
            found["memswap_limit"] = memory
    if facts.processes:
        found["pids_limit"] = spec.resources.processes + OWN_PROCESSES
    if facts.cpu:
        found["nano_cpus"] = int(max(0.01, spec.resources.cpu) * 1e9)
    if facts.cpuset:
        cores = cores_for(spec.id, spec.resources.cpu, sorted(os.sched_getaffinity(0)))
        found["cpuset_cpus"] = ",".join(str(core) for core in cores)
    return found


def known_variables(parts: Parts) -> dict[str, str]:
    """Return the application's variables without its secrets; what the image sets holds unless the platform says it."""
    spec, image = parts.spec, parts.image
    ours = variables(spec, parts.places, "", own_network=True)
    for name in ("PATH", "SPACELAB_ENVIRONMENT"):
        if name not in spec.variables:
            del ours[name]  # the image knows better
    if "ENVIRONMENT" in image.variables and "ENVIRONMENT" not in spec.variables:
        del ours["ENVIRONMENT"]  # images of ESA's older kind keep there what comes before their command
    config = f"{parts.places.home}/.jupyterlab-{datalab_name(spec)}"
    return {"PATH": SYSTEM_PATH, "JUPYTER_CONFIG_DIR": config, **image.variables, **ours}


def command(parts: Parts, known: Mapping[str, str]) -> list[str]:
    """Return the workload's command, or the one that the image was made to run."""
    if parts.spec.command:
        return command_line(parts.spec.command, dict(known))
    return list(parts.image.command)


def orders(parts: Parts) -> str:
    """Return what enter.sh reads first: shell variables of its own, none of them secret."""
    spec, places = parts.spec, parts.places
    teams = any(mount.target.startswith(f"{TEAM_ROOT}/") for mount in spec.mounts)
    own_directory = "" if spec.command or parts.image.directory in {"", "/"} else parts.image.directory
    overlay = f"{places.home}/{personal_environment(spec)}" if mounts.has_home(spec) else ""
    values = {
        "SPACELAB_LINK_WORKSPACE": places.workspace,
        "SPACELAB_LINK_TEAMS": places.teams if teams else "",
        "SPACELAB_OVERLAY": overlay,
        "SPACELAB_DIRECTORY": own_directory or places.workspace,
    }
    return assignments(values)


def assignments(values: Mapping[str, str], *, prefix: str = "") -> str:
    """Write shell assignments, each value quoted."""
    return "".join(f"{prefix}{name}={shlex.quote(value)}\n" for name, value in values.items())


def secret_text(secrets: Mapping[str, str]) -> str:
    """Write the secrets as enter.sh takes them: shell, up to a line that says so."""
    return assignments(secrets, prefix="export ") + "#end\n"


def gpus(spec: WorkloadSpec, devices: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Choose the GPUs of a workload among the free ones; fewer than it asks for where there are no more."""
    free = [device for device in devices if device not in taken]
    return tuple(free[: math.ceil(spec.resources.gpu)])
