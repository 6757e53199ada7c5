"""The broker of a container engine: a program that starts the containers of one pipeline run's steps.

Run as `python -m spacelab.workloads.runtimes.container.broker_program <folder> <lock's descriptor>`; what it takes
orders for, and how, is told in `shared.brokering`.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from pathlib import Path, PurePosixPath
from typing import Any

from docker.errors import APIError

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import RUN_PLACES
from spacelab.workloads.runtimes.container import broker, images
from spacelab.workloads.runtimes.container.broker_streams import Streams
from spacelab.workloads.runtimes.container.engine import Engine, Facts
from spacelab.workloads.runtimes.container.mounts import bind
from spacelab.workloads.runtimes.container.specification import LOG
from spacelab.workloads.runtimes.container.users import User
from spacelab.workloads.runtimes.shared.brokering import JOB_FOLDER, TICK, Broker, Order, Refused
from spacelab.workloads.runtimes.shared.limits import Group, group_of
from spacelab.workloads.runtimes.shared.variables import OUTBOUND_PROXY


class EngineBroker(Broker):
    """Carries jobs as containers."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.facts = Facts(**self.orders["facts"])
        self.engine = Engine(self.orders["engine"], folder, self.facts)
        self.user = User(**self.orders["user"])

    def clear(self) -> None:
        """Remove all containers of this run."""
        with contextlib.suppress(RuntimeFault, APIError):
            broker.remove_jobs(self.engine, self.orders["labels"])

    def carry_out(
        self, connection: socket.socket, order: Order, memory_mb: int, descriptors: list[int]
    ) -> dict[str, Any]:
        name = f"{self.orders['name']}{order.number}"
        try:
            self.engine.remove(name)
            image = images.find(self.engine, self.orders["images"][order.image])
            with self.engine.call() as client:
                client.create_container(**self._container(client, name, image, order, memory_mb))
                streams = Streams(client, name, *descriptors)
                client.start(name)
            usage = self._watch(connection, name, streams)
            described = self.engine.inspect(name) or {}
            state = described.get("State") or {}
            return {"exit_code": int(state.get("ExitCode", 137)), "oom": bool(state.get("OOMKilled")), **usage}
        except APIError as error:
            raise Refused(f"The container engine refused: {str(error.explanation or error)[:500]}") from error
        finally:
            self.engine.remove(name)

    def _watch(self, connection: socket.socket, name: str, streams: Streams) -> dict[str, float]:
        """Wait until the job has ended, and end it with its connection or with the run; return what it used."""
        cpu_seconds, memory_bytes = 0.0, 0
        group: Group | None = None
        while not streams.ended(TICK / 10 if group is None else TICK):
            if self.unwanted(connection):
                self.engine.signal(name, "SIGKILL")
            if group is None:
                state = (self.engine.inspect(name) or {}).get("State") or {}
                group = group_of(int(state.get("Pid") or 0)) if state.get("Pid") else None
            usage = group.usage() if group and group.paths else None
            if usage and usage.cpu_seconds:
                cpu_seconds, memory_bytes = usage.cpu_seconds, max(memory_bytes, usage.memory_bytes)
        with self.engine.call() as client:
            client.wait(name, timeout=60)
        return {"cpu_seconds": cpu_seconds, "memory_bytes": memory_bytes}

    def _container(self, client: Any, name: str, image: images.Image, order: Order, memory_mb: int) -> dict[str, Any]:
        """Return the arguments of `create_container`: rights, limits and mounts are the platform's alone."""
        resources, place = self.orders["resources"], self.orders["places"][order.number]
        binds = [bind(source, target) for source, target in self.orders["binds"]]
        inside = (JOB_FOLDER, f"{RUN_PLACES}/{order.number}")  # as steps in sandboxes see it, and as those without do
        binds += [bind(place, path, read_only=False) for path in inside]
        limits: dict[str, Any] = {}
        if self.facts.memory:
            limits |= {"mem_limit": f"{memory_mb}m"} | ({"memswap_limit": f"{memory_mb}m"} if self.facts.swap else {})
        if self.facts.processes:
            limits["pids_limit"] = int(resources["processes"])
        if self.facts.cpu:
            cores = min(order.cores or resources["cpu"], resources["cpu"])
            limits["nano_cpus"] = int(max(cores, 0.1) * 1e9)
        scratch = f"rw,exec,nosuid,nodev,mode=1777,size={int(resources['scratch_mb'])}m"
        private = dict.fromkeys(("/tmp", "/var/tmp", *image.volumes), scratch)  # noqa: S108  paths inside
        network, environment = self._network(order)
        host: dict[str, Any] = client.create_host_config(
            network_mode=network,
            read_only=True,
            mounts=binds,
            tmpfs={path: options for path, options in private.items() if not _holds(path, binds)},
            cap_drop=["ALL"],
            security_opt=[
                "no-new-privileges",
                *(["label=disable"] if self.facts.selinux else []),
                *([f"seccomp={self.orders['filter']}"] if self.orders["filter"] else []),
            ],
            log_config=LOG,
            init=True,
            **limits,
        )
        if self.user.userns:
            host["UsernsMode"] = self.user.userns
        return {
            "image": image.id,
            "command": order.argv,
            "name": name,
            "user": f"{self.user.uid}:{self.user.uid}",
            "working_dir": order.folder,
            "environment": {**order.environment, **environment},
            "labels": self.orders["labels"],
            "healthcheck": {"test": ["NONE"]} if image.checks_health else None,
            "stdin_open": True,
            "use_config_proxy": False,
            "host_config": host,
        }

    def _network(self, order: Order) -> tuple[str, dict[str, str]]:
        """Return the network of a job: none, or that of the run, in which the platform's proxy is the only way out."""
        if not order.network:
            return "none", {}
        pid = self.control.pid()
        if not self.facts.podman or self.facts.rootless or pid is None:
            raise Refused("This container engine can't give a step the network of its run.")
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        return f"ns:/proc/{pid}/ns/net", dict.fromkeys(names, OUTBOUND_PROXY)


def _holds(path: str, binds: list[Any]) -> bool:
    """Say whether one of the mounts is at a path, or below."""
    return any(PurePosixPath(one["Target"]).is_relative_to(path) for one in binds)


def main() -> None:
    """Serve the run that the folder is of; the lock is held until the end of this program."""
    path, _lock = sys.argv[1:]
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    EngineBroker(Path(path)).run()


if __name__ == "__main__":
    main()
