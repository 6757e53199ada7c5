"""The proof that an engine shuts the commands of builds in, found out by trying, once per engine and its version.

A build of strangers' commands begins only after a harmless one has shown in whose network it ran.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tarfile
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from docker.errors import APIError

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import ImageBuild, Network, WorkloadSpec
from spacelab.workloads.runtimes.container import building_engine as remote
from spacelab.workloads.runtimes.container.building_network import Group
from spacelab.workloads.runtimes.container.building_network import Network as BuildNetwork
from spacelab.workloads.runtimes.container.building_steps import Steps
from spacelab.workloads.runtimes.container.engine import Engine

LOOK = (
    "import os; "
    "caps = [line.split()[1] for line in open('/proc/self/status') if line.startswith('CapBnd')]; "
    "print('proof', os.readlink('/proc/self/ns/net'), caps[0])"
)
PROOF = re.compile(r"proof net:\[(\d+)\] ([0-9a-f]+)")
POWERFUL = {12: "NET_ADMIN", 16: "SYS_MODULE", 17: "SYS_RAWIO", 19: "SYS_PTRACE", 21: "SYS_ADMIN"}
"""Capabilities that break out of a container, by their number."""


def prove(
    engine: Engine, spec: WorkloadSpec, network: BuildNetwork, group: Group, orders: dict[str, Any]
) -> remote.Isolation:
    """Return how this engine shuts builds in; raise `RuntimeFault` where it doesn't."""
    facts = engine.facts()
    path = f"/proc/{network.companion}/ns/net"
    if facts.podman and not facts.rootless:
        path = f"/proc/{os.getpid()}/fd/{network.descriptor}"  # it can't become another's while this program lives
    isolation = remote.Isolation(str(orders["companion"]), path, group.parent)
    mark = f"{facts.name} {facts.version} {facts.rootless} {engine.address} {bool(group.parent)}"
    proof = Path(str(orders["proofs"])) / f"{blake2b(mark.encode(), digest_size=8).hexdigest()}.json"
    with contextlib.suppress(OSError, ValueError, KeyError):
        known = json.loads(proof.read_text())
        return isolation if known["group"] else replace(isolation, group="")
    trouble = _try(engine, spec, network, isolation, str(orders["image"]))
    grouped = not trouble and bool(isolation.group)
    if trouble and isolation.group:
        isolation = replace(isolation, group="")
        trouble = _try(engine, spec, network, isolation, str(orders["image"]))
    if trouble:
        raise RuntimeFault(f"This container engine does not shut builds in, so nothing is built on it: {trouble}")
    proof.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = proof.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"engine": mark, "group": grouped}))
    fresh.replace(proof)
    return isolation


def _try(engine: Engine, spec: WorkloadSpec, network: BuildNetwork, isolation: remote.Isolation, image: str) -> str:
    """Build something harmless the same way; return what was wrong with it, or nothing."""
    facts = engine.facts()
    tag = f"localhost/spacelab-proof:{spec.id}"
    harmless = replace(spec, network=Network.NONE, build=ImageBuild(context="", tag=tag))
    text = f"FROM {image}\nRUN {json.dumps(['/usr/bin/python3', '-I', '-S', '-c', LOOK])}\n"
    parameters = remote.query(harmless, isolation, podman=facts.podman, swap=facts.swap) | {"nocache": "1"}
    steps, printed = Steps(2), ""
    try:
        for message in remote.Stream(engine.address).messages(parameters, [_context(text)]):
            printed += steps.take(message)
    except OSError as error:
        return f"{error}."
    finally:
        with contextlib.suppress(APIError, RuntimeFault), engine.call() as client:
            client.remove_image(tag, force=True)
    found = PROOF.search(printed)
    if not found or steps.error:
        return f"the trial failed: {steps.error[-300:] or 'it printed nothing'}."
    if int(found[1]) != network.number:
        return "its commands run in another network than they are given."
    held = [name for number, name in POWERFUL.items() if int(found[2], 16) >> number & 1]
    return f"its commands may use {', '.join(held)}." if held else ""


def _context(dockerfile: str) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile.encode())
        archive.addfile(member, io.BytesIO(dockerfile.encode()))
    return sink.getvalue()
