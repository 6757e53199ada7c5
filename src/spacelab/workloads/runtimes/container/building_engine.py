"""The engine's side of a build: the request, the stream of its answers, and what it has when a build is over."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from docker.errors import APIError, ImageNotFound

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Network, WorkloadSpec
from spacelab.workloads.runtimes.container.engine import TIMEOUT, Engine
from spacelab.workloads.runtimes.shared.limits import PERIOD_MICROSECONDS, cores_for
from spacelab.workloads.runtimes.shared.variables import OUTBOUND_PROXY

CONNECT_SECONDS = 15.0
LONGEST_MESSAGE = 16 * 2**20
DROPPED = ("AUDIT_WRITE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_RAW", "SETPCAP", "SYS_ADMIN", "SYS_CHROOT")
"""Capabilities that no command of a build has; what is left is what package managers need to own files."""

PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
NOT_PROXIED = "localhost,127.0.0.1,::1"
CPU_WEIGHT = 512
"""Half of what a container weighs by default: sessions go first where all cores are busy."""

LIBPOD = "/v4.0.0/libpod"


@dataclass(frozen=True)
class Isolation:
    """What shuts the commands of a build in: the companion's name, its network's path, a control group ("": none)."""

    companion: str
    network: str
    group: str = ""


def query(spec: WorkloadSpec, isolation: Isolation, *, podman: bool, swap: bool) -> dict[str, str]:
    """Return the parameters of the engine's build API."""
    build, resources = spec.build, spec.resources
    if build is None:
        raise ValueError(spec.id)
    memory = str(resources.memory_mb * 2**20)
    arguments = dict(build.arguments)
    if spec.network is Network.OUTBOUND:
        arguments |= dict.fromkeys(PROXIES, OUTBOUND_PROXY)
        arguments |= {"no_proxy": NOT_PROXIED, "NO_PROXY": NOT_PROXIED}
    cores = cores_for(spec.id, resources.cpu, sorted(os.sched_getaffinity(0)))
    found = {
        "t": build.tag,
        "dockerfile": build.dockerfile,
        "buildargs": json.dumps(arguments),
        "labels": json.dumps(build.labels),
        "rm": "1",
        "forcerm": "1",
        "pull": "0",
        "memory": memory,
        "cpuperiod": str(PERIOD_MICROSECONDS),
        "cpuquota": str(max(1000, int(resources.cpu * PERIOD_MICROSECONDS))),
        "cpushares": str(CPU_WEIGHT),
        "cpusetcpus": ",".join(str(core) for core in cores),
        "networkmode": f"container:{isolation.companion}",
    }
    if swap:
        found["memswap"] = memory
    if podman:
        network = [{"Name": "network", "Host": False, "Path": isolation.network}]
        found |= {"nsoptions": json.dumps(network), "dropcaps": json.dumps([f"CAP_{name}" for name in DROPPED])}
        found |= {"httpproxy": "0", "layers": "1"}
        if isolation.group:
            found["cgroupparent"] = isolation.group
    return {name: value for name, value in found.items() if value}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path
        self.breaker: socket.socket | None = None
        """The same connection once more: the other end sees it broken off, whoever reads from it here."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(CONNECT_SECONDS)
        self.sock.connect(self._path)
        self.sock.settimeout(None)  # a command may be silent as long as it likes
        self.breaker = self.sock.dup()


class Stream:
    """One request to build: its messages, and a way to break off from another thread."""

    def __init__(self, address: str) -> None:
        scheme, _, path = address.partition("://")
        if scheme != "unix":
            raise RuntimeFault("Images can be built on an engine of this machine only, at a Unix socket.")
        self._connection = _UnixConnection(path)

    def messages(self, parameters: Mapping[str, str], context: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        """Send the context and yield what the engine says; raise `OSError` where it breaks off."""
        headers = {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may refuse before it has read all
            self._connection.request("POST", f"/build?{urlencode(parameters)}", context, headers, encode_chunked=True)
        try:
            answer = self._connection.getresponse()
            if answer.status != http.client.OK:
                said = answer.read(LONGEST_MESSAGE).decode(errors="replace")
                yield {"error": _message(said)}
                return
            while line := answer.readline(LONGEST_MESSAGE):
                with contextlib.suppress(ValueError):
                    message = json.loads(line)
                    if isinstance(message, dict):
                        yield message
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error

    def close(self) -> None:
        """Break off; whoever waits for a message gets an error or the end."""
        if self._connection.breaker:
            with contextlib.suppress(OSError):
                self._connection.breaker.shutdown(socket.SHUT_RDWR)


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip() or "The engine refused to build."


def triggers(engine: Engine, name: str) -> list[str] | None:
    """Return an image's ONBUILD instructions; None where this machine has no such image."""
    with engine.call() as client:
        try:
            found = client.inspect_image(name)  # type: ignore[no-untyped-call]
        except ImageNotFound:
            return None
    return [str(one) for one in (found.get("Config") or {}).get("OnBuild") or ()]


def image_id(engine: Engine, name: str) -> str:
    """Return an image's id, or nothing."""
    with engine.call() as client, contextlib.suppress(ImageNotFound):
        return str(client.inspect_image(name)["Id"])  # type: ignore[no-untyped-call]
    return ""


def remove_layers(engine: Engine, shortened: list[str], since: float) -> None:
    """Remove what a build added to the cache, the last first, unless somebody else uses it by now.

    Only images without a name that are as young as the build: their ids are taken from what the build printed.
    """
    with engine.call() as client:
        for short in reversed(shortened):
            with contextlib.suppress(APIError):
                found = client.inspect_image(short)  # type: ignore[no-untyped-call]
                named = [name for name in found.get("RepoTags") or () if name != "<none>:<none>"]
                if not named and _moment(str(found.get("Created"))) >= int(since):
                    client.remove_image(found["Id"], noprune=True)


def _moment(text: str) -> float:
    """Read one of the engine's times to the second; 0 for what is none."""
    try:
        return datetime.fromisoformat(f"{text[:19]}+00:00").timestamp()
    except ValueError:
        return 0.0


def remove_working_containers(engine: Engine, storage: Path, layers: set[str]) -> bool:
    """Remove the containers in which Podman carried out a build's steps, where it did not do so itself.

    They are known by their writable layers, which were seen while the commands ran. Return whether none is left.
    """
    clean = True
    for listing in storage.glob("*-containers/*containers.json"):
        try:
            containers = json.loads(listing.read_text())
        except (OSError, ValueError):
            clean = False
            continue
        for one in containers or ():
            if one.get("layer") in layers:
                with engine.call() as client:
                    url = f"{client.base_url}{LIBPOD}/containers/{one['id']}?force=true"
                    clean &= client.delete(url, timeout=TIMEOUT).ok
    return clean
