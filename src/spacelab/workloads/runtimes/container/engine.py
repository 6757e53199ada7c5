"""The container engine: found, asked, and its errors turned into what a person can use."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import docker
import requests
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.errors import APIError, DockerException, NotFound

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Trouble
from spacelab.workloads.runtimes.shared.engine_addresses import find_address

TIMEOUT = 60
"""Seconds for one answer: an engine that makes many containers at once takes its time."""

LISTINGS = 5
"""Tries of a list: Podman 4 refuses to give one when a container ends while it looks at it."""

FACTS_SECONDS = 3600.0
"""For so long an engine's description of itself is good; it takes a while to be given."""

OLDEST_API = "1.41"
"""The version of the API that is spoken with engines that don't say which they speak."""

RUNNING = "running"
ADVICE = "Start it, or name its socket in SPACELAB_CONTAINER_ENGINE; `spacelab doctor` says what it finds."


@dataclass(frozen=True)
class Facts:
    """What an engine says of itself."""

    name: str
    version: str
    rootless: bool
    cgroup_version: str
    memory: bool
    swap: bool
    processes: bool
    cpu: bool
    cpuset: bool
    seccomp: bool
    selinux: bool
    """Whether SELinux keeps containers from files of the host that are not labelled for them."""
    storage: str = ""
    """The folder in which the engine keeps its images."""

    @property
    def podman(self) -> bool:
        """Whether this is Podman, which differs from Docker in a few things."""
        return self.name == "Podman"


def read_facts(info: dict[str, Any]) -> Facts:
    """Read the answer to `/info`."""
    security = " ".join(info.get("SecurityOptions") or ())
    return Facts(
        name="Podman" if "BuildahVersion" in info else "Docker",
        version=str(info.get("ServerVersion", "")),
        rootless=bool(info.get("Rootless")) or "rootless" in security,
        cgroup_version=str(info.get("CgroupVersion", "")),
        memory=bool(info.get("MemoryLimit")),
        swap=bool(info.get("SwapLimit")),
        processes=bool(info.get("PidsLimit")),
        cpu=bool(info.get("CpuCfsQuota")),
        cpuset=bool(info.get("CPUSet")),
        seccomp="seccomp" in security,
        selinux="selinux" in security,
        storage=str(info.get("DockerRootDir") or ""),
    )


class EngineAway(RuntimeFault):
    """The engine doesn't answer; it may in a moment."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message} {ADVICE}", retry=True, trouble=Trouble.RUNTIME_AWAY)


def connect(address: str) -> docker.APIClient:
    """Return a client that speaks the newest version of the API that both sides know."""
    first = docker.APIClient(base_url=address, timeout=TIMEOUT, version=OLDEST_API)
    offered = first.get(f"{first.base_url}/_ping", timeout=TIMEOUT).headers.get("API-Version", OLDEST_API)
    first.close()
    newest = min(offered, DEFAULT_DOCKER_API_VERSION, key=lambda one: [int(part) for part in one.split(".")])
    return docker.APIClient(base_url=address, timeout=TIMEOUT, version=newest, max_pool_size=32)


class Engine:
    """A client of the engine that is safe to use from any thread; every call raises `EngineAway` without an engine."""

    def __init__(self, configured: str, run_directory: Path, facts: Facts | None = None) -> None:
        self._configured = configured
        self._run_directory = run_directory
        self._client: docker.APIClient | None = None
        self._facts = facts
        self._facts_at = math.inf if facts else 0.0
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where the engine is, as far as can be told now."""
        return find_address(self._configured, self._run_directory)

    @contextlib.contextmanager
    def call(self) -> Iterator[docker.APIClient]:
        """Yield the client; what hinders a call is raised as `EngineAway`, what the engine refuses as `APIError`."""
        try:
            yield self._connected()
        except APIError:
            raise
        except requests.exceptions.Timeout as error:
            raise EngineAway(f"The container engine at {self.address} does not answer in time.") from error
        except (requests.exceptions.RequestException, DockerException, OSError) as error:
            self._facts = None
            if not self._configured:
                self._client = None  # it may be somewhere else when it is back
            raise EngineAway(f"The container engine at {self.address} does not answer.") from error

    def _connected(self) -> docker.APIClient:
        with self._lock:
            if self._client is None:
                address = self.address
                if not address:
                    raise EngineAway("There is no container engine on this machine.")
                self._client = connect(address)
            return self._client

    def facts(self) -> Facts:
        """Return what the engine says of itself, asked anew once a minute."""
        if self._facts is None or time.monotonic() - self._facts_at > FACTS_SECONDS:
            with self.call() as client:
                self._facts = read_facts(client.info())
            self._facts_at = time.monotonic()
        return self._facts

    def inspect(self, name: str) -> dict[str, Any] | None:
        """Describe a container; None when there is none of that name."""
        with self.call() as client:
            try:
                return dict(client.inspect_container(name))
            except NotFound:
                return None

    def written(self, name: str) -> int:
        """Return the bytes that a container has written into its own layer; the engine walks through it for that."""
        with self.call() as client:
            address = f"{client.base_url}/v{client.api_version}/containers/{quote(name, safe='')}/json"
            answer = client.get(address, params={"size": "true"}, timeout=TIMEOUT)
            answer.raise_for_status()
            return int(answer.json().get("SizeRw") or 0)

    def list(self, label: str) -> dict[str, dict[str, Any]]:
        """List the containers with a label, running or not, by name: each as the engine's short description."""
        with self.call() as client:
            for left in reversed(range(LISTINGS)):
                try:
                    found = client.containers(all=True, filters={"label": [label]})
                    break
                except APIError as error:
                    if not left or "no such process" not in str(error):
                        raise
        return {str(one["Names"][0]).lstrip("/"): one for one in found if one.get("Names")}

    def signal(self, name: str, number: str) -> None:
        """Send a signal to a container's first process; nothing happens where that doesn't run."""
        with self.call() as client, contextlib.suppress(APIError):
            client.kill(name, number)

    def remove(self, name: str) -> None:
        """Remove a container, ending it first by force; nothing happens where there is none."""
        self.signal(name, "SIGKILL")
        with self.call() as client, contextlib.suppress(NotFound):
            client.remove_container(name, v=True, force=True)
