"""What this host's container engine lets the container runtime do, and what would mend the rest."""

from __future__ import annotations

import os
from collections.abc import Iterator

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.runtimes.container import images
from spacelab.workloads.runtimes.container.engine import Engine, Facts
from spacelab.workloads.runtimes.container.options import Options
from spacelab.workloads.runtimes.shared.engine_addresses import podman_program
from spacelab.workloads.runtimes.shared.facts import Fact

INSTALL = "sudo apt-get install podman"
START = "Start the engine, or leave SPACELAB_CONTAINER_ENGINE empty: then `spacelab up` runs Podman's service itself."
CGROUPS = (
    "Boot with cgroup version 2 (systemd.unified_cgroup_hierarchy=1), which also lets a rootless engine set limits."
)
SWAP = "Add swapaccount=1 to the kernel's command line, or use cgroup version 2."
SECCOMP = "Use an engine that is built with seccomp, and don't switch it off."
SAME_MACHINE = (
    "Use an engine of this very machine: volumes and sockets are shared through its file system, "
    "which an engine in a virtual machine or elsewhere doesn't see."
)


def _limits(facts: Facts) -> Iterator[Fact]:
    missing = [
        name
        for name, there in {
            "memory": facts.memory,
            "processes": facts.processes,
            "CPU time": facts.cpu,
            "cores": facts.cpuset,
        }.items()
        if not there
    ]
    version = f"cgroup version {facts.cgroup_version or 'unknown'}"
    detail = f"{version}; not limited: {', '.join(missing)}" if missing else f"{version}; memory, processes, CPU"
    yield Fact("Container limits", not missing, detail, CGROUPS if missing else "")
    if facts.memory and not facts.swap:
        yield Fact("Swap of containers", False, "not limited", SWAP)


def _same_machine(engine: Engine) -> Fact:
    with engine.call() as client:
        kernel = str(client.info().get("KernelVersion", ""))
    own = os.uname().release
    same = kernel == own
    detail = "on this machine" if same else f"its kernel is {kernel}, this machine's is {own}"
    return Fact("Place of the engine", same, detail, "" if same else SAME_MACHINE)


def facts(options: Options) -> Iterator[Fact]:
    """Look at the container engine, finding by finding."""
    engine = Engine(options.engine, options.run_directory)
    if not engine.address:
        program = podman_program()
        detail = f"{program}, whose service `spacelab up` runs" if program else "none"
        yield Fact("Container engine", bool(program), detail, "" if program else INSTALL)
        return
    try:
        said = engine.facts()
    except RuntimeFault:
        yield Fact("Container engine", False, f"{engine.address} does not answer", START)
        return
    kind = "without root's rights" if said.rootless else "with root's rights"
    yield Fact("Container engine", True, f"{said.name} {said.version} at {engine.address}, {kind}")
    yield _same_machine(engine)
    yield from _limits(said)
    detail = "the engine's default filter" if said.seccomp else "not filtered"
    yield Fact("System call filter", said.seccomp, detail, "" if said.seccomp else SECCOMP)
    try:
        images.find(engine, options.companion_image)
    except RuntimeFault:
        remedy = "spacelab images build datalabs_base"
        yield Fact("Companion image", False, f"{options.companion_image} is not there", remedy)
    else:
        yield Fact("Companion image", True, options.companion_image)
    if options.gpu_devices:
        yield Fact("GPUs", True, f"{', '.join(options.gpu_devices)}, as SPACELAB_GPU_DEVICES says")
