"""The process runtime: each workload is a detached process in a sandbox of its own, and needs no container engine."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Capabilities, Network, Observation, Seen, Usage, WorkloadSpec
from spacelab.workloads.runtimes.process import host, plain
from spacelab.workloads.runtimes.process.control import ControlFolder
from spacelab.workloads.runtimes.process.launch import Launch
from spacelab.workloads.runtimes.process.options import Options
from spacelab.workloads.runtimes.shared import probe
from spacelab.workloads.runtimes.shared.limits import Group
from spacelab.workloads.runtimes.shared.usage import scratch_bytes, tree_usage

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
PROBE_WAIT = 0.25
"""Seconds that one observation waits for interfaces; an answer that takes longer counts at the next observation."""

BUSY_INTERVAL = 15.0
"""Seconds between two questions whether an application is at work."""

USAGE_INTERVAL = 1.0
"""Seconds for which a measurement of usage is good."""

KILL_MARGIN = 5.0
"""Seconds beyond the grace after which the runtime ends what its supervisor should have ended."""


@dataclass
class Known:
    """What the runtime remembers of a workload between two observations; all of it can be found out again."""

    spec: WorkloadSpec | None = None
    group: Group | None = None
    ready: bool = False
    readiness: Future[bool] | None = None
    busy: bool = False
    busy_at: float = 0.0
    business: Future[bool] | None = None
    usage: Usage = field(default_factory=Usage)
    usage_at: float = 0.0


class ProcessRuntime:
    """Carries workloads as processes of this machine (see `ports.Runtime`)."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options.from_settings()
        self._known: dict[str, Known] = {}
        self._children: list[subprocess.Popen[bytes]] = []
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="probe")

    @property
    def sandboxed(self) -> bool:
        """Whether workloads get a sandbox."""
        return self.options.sandbox != "plain" and not host.sandbox_trouble()

    def capabilities(self) -> Capabilities:
        """Say what this runtime can do on this host; the host is looked at once."""
        warnings = []
        if not self.sandboxed:
            warnings.append(plain.WARNING)
        grouped = self.options.limits != "rlimit" and host.groups().usable
        if not grouped:
            warnings.append(
                "Memory is limited for each process, not for a session as a whole, and CPU by the choice of cores: "
                "this host lets the platform make no control groups."
            )
        return Capabilities(
            images=False,
            isolation="sandbox" if self.sandboxed else "none",
            limits="cgroup" if grouped else "rlimit",
            warnings=tuple(warnings),
        )

    def start(self, spec: WorkloadSpec, secrets: Mapping[str, str]) -> None:
        """Start the workload unless it was started before; raise `RuntimeFault` if that can't be done."""
        folder = self._folder(spec.id)
        if self.options.sandbox == "bubblewrap" and not self.sandboxed:
            raise RuntimeFault(f"No sandbox can be made on this host: {host.sandbox_trouble()}.")
        self.options.run_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with folder.claim() as lock:
            if lock is None or folder.state():
                return
            control = folder.open_control()
            try:
                self._check(spec)
                self._children.append(self._launch(folder, spec, secrets, lock, control))
            except OSError as error:
                self._clear(folder, spec.id)
                raise RuntimeFault(f"The workload could not be started: {error}.", retry=True) from error
            except RuntimeFault:
                self._clear(folder, spec.id)
                raise
            finally:
                os.close(control)

    def _launch(
        self, folder: ControlFolder, spec: WorkloadSpec, secrets: Mapping[str, str], lock: int, control: int
    ) -> subprocess.Popen[bytes]:
        group = Group(0, {})
        if self.options.limits != "rlimit" and host.groups().usable:
            group = Group.of(host.groups(), spec.id)
            group.create(spec.resources)
        folder.write("group.json", json.dumps(group.to_json()))
        folder.write("spec.json", json.dumps(spec.to_json()))
        launch = Launch(
            options=self.options,
            folder=folder,
            spec=spec,
            secrets=secrets,
            group=group,
            sandboxed=self.sandboxed,
            lock=lock,
            control=control,
        )
        return launch.run()

    def _check(self, spec: WorkloadSpec) -> None:
        if spec.image or spec.build:
            raise RuntimeFault("This platform runs environments, not container images.")
        if not spec.command:
            raise RuntimeFault("There is no command to run.")
        for mount in spec.mounts:
            target = PurePosixPath(mount.target)
            if not target.is_absolute() or ".." in target.parts:
                raise RuntimeFault(f"“{mount.target}” is no path at which a volume could appear.")
            if not Path(mount.source).exists():
                raise RuntimeFault(f"The files of the volume “{mount.volume or mount.target}” are not there.")
            self._hand_over(mount)
        if spec.network is Network.OUTBOUND:
            self.options.egress_socket.parent.mkdir(mode=0o755, exist_ok=True)

    def _hand_over(self, mount: Mount) -> None:
        """Give a writable folder that the platform made as root to the user that workloads run as."""
        if mount.read_only or os.geteuid() != 0 or not self.sandboxed:
            return
        found = os.lstat(mount.source)
        if stat.S_ISDIR(found.st_mode) and found.st_uid == 0:
            os.chown(mount.source, self.options.workload_uid, self.options.workload_uid, follow_symlinks=False)

    def observe(self) -> dict[str, Observation]:
        """Report on every workload whose folder exists and whose supervisor ever lived."""
        for child in list(self._children):
            if child.poll() is not None:
                self._children.remove(child)
        folders = self._folders()
        for gone in self._known.keys() - folders.keys():
            del self._known[gone]  # only observations, of which there is one at a time, touch what is known
        alive: dict[str, bool] = {}
        asked: list[Future[bool]] = []
        for workload_id, folder in folders.items():
            known = self._known.setdefault(workload_id, Known())
            alive[workload_id] = folder.alive()
            if alive[workload_id]:
                asked += self._ask(folder, known)
        wait(asked, timeout=PROBE_WAIT)
        seen = {
            workload_id: self._observation(folder, self._known[workload_id], alive=alive[workload_id])
            for workload_id, folder in folders.items()
        }
        return {workload_id: observation for workload_id, observation in seen.items() if observation}

    def _ask(self, folder: ControlFolder, known: Known) -> list[Future[bool]]:
        """Send the questions that are due; return those whose answer is worth a short wait."""
        known.spec = known.spec or folder.spec()
        known.group = known.group or Group.from_json(folder.read("group.json"))
        spec = known.spec
        if spec is None or spec.interface is None:
            return []
        known.ready = known.ready or (folder.path / "ready").exists()
        now = time.monotonic()
        if not known.ready and known.readiness is None:
            path = spec.interface.health_path.replace("{id}", spec.id)
            known.readiness = self._pool.submit(probe.answers, folder.socket, path)
        due = known.business is None and now - known.busy_at > BUSY_INTERVAL
        if known.ready and spec.activity_probe == "jupyter" and due:
            prefix = spec.interface.path.replace("{id}", spec.id).strip("/").split("/")
            base = f"/datalabs/{spec.id}" if prefix[:2] == ["datalabs", spec.id] else ""
            known.busy_at = now
            known.business = self._pool.submit(probe.jupyter_is_busy, folder.socket, base)
        return [question for question in (known.readiness, known.business) if question]

    def _observation(self, folder: ControlFolder, known: Known, *, alive: bool) -> Observation | None:
        state = folder.state()
        if alive and state.get("phase") != "exited":
            self._enforce_stop(folder)
            return self._live(folder, known, state)
        if not state:
            return None  # a start that came to nothing: the next one begins anew
        known.spec = known.spec or folder.spec()
        reason = str(state.get("reason", ""))
        code = state.get("exit_code")
        if state.get("phase") != "exited":
            code = 137
            reason = "It was ended by force, or with the machine it ran on."
            if folder.read("stop.json"):
                reason = "It was stopped by force: it did not end by itself in time."
        elif code and known.spec and known.spec.interface and state.get("started"):
            ready = known.ready or (folder.path / "ready").exists()
            if not ready and not folder.read("stop.json"):
                reason = f"{reason} Its interface had not answered by then; the log says more."
        return Observation(Seen.EXITED, "", code, reason, known.usage, trouble=str(state.get("trouble", "")))

    def _live(self, folder: ControlFolder, known: Known, state: dict[str, Any]) -> Observation:
        if known.readiness and known.readiness.done():
            known.ready = known.readiness.result()
            known.readiness = None
            if known.ready:
                (folder.path / "ready").touch()
        if known.business and known.business.done():
            known.busy = known.business.result()
            known.business = None
        interface = known.spec.interface if known.spec else None
        started = bool(state.get("started"))
        running = started and (known.ready if interface else True)
        address = f"unix/{folder.socket.absolute()}" if interface and started else ""
        usage = self._usage(folder, known, state)
        reason = "" if running else "The application is starting." if started else "The sandbox is being made."
        return Observation(
            Seen.RUNNING if running else Seen.STARTING, address, None, reason, usage, busy=known.busy and running
        )

    def _usage(self, folder: ControlFolder, known: Known, state: dict[str, Any]) -> Usage:
        now = time.monotonic()
        pid = folder.pid()
        if not state or pid is None or (known.usage_at and now - known.usage_at < USAGE_INTERVAL):
            return known.usage
        known.usage_at = now
        measured = known.group.usage() if known.group and known.group.paths else tree_usage(pid)
        scratch = scratch_bytes(pid) if self.sandboxed else 0
        known.usage = Usage(measured.cpu_seconds, measured.memory_bytes, scratch, measured.processes)
        return known.usage

    def logs(self, workload_id: str, since: int = 0) -> Iterator[bytes]:
        """Yield what the workload printed, from byte `since` on; old output of a talkative one may be gone."""
        return self._folder(workload_id).log(since)

    def stop(self, workload_id: str, grace_seconds: float) -> None:
        """Ask the workload to end, and end it by force after the grace; return at once."""
        folder = self._folder(workload_id)
        if not folder.alive():
            return
        kill_at = time.time() + grace_seconds
        before = folder.read("stop.json").get("kill_at")
        if before is None or kill_at < float(before):
            with contextlib.suppress(FileNotFoundError):
                folder.write("stop.json", json.dumps({"kill_at": kill_at}))
            folder.order(f"stop {grace_seconds}\n")

    def _enforce_stop(self, folder: ControlFolder) -> None:
        kill_at = folder.read("stop.json").get("kill_at")
        if kill_at is not None and time.time() > float(kill_at) + KILL_MARGIN:
            folder.kill()
            Group.from_json(folder.read("group.json")).remove()

    def forget(self, workload_id: str) -> None:
        """Remove what is left of an ended workload; one that still runs is left alone."""
        folder = self._folder(workload_id)
        if not folder.path.exists():
            return
        with folder.claim(ending=folder.state().get("phase") == "exited") as lock:
            if lock is not None:
                self._clear(folder, workload_id)

    def _clear(self, folder: ControlFolder, workload_id: str) -> None:
        Group.from_json(folder.read("group.json")).remove()
        if host.groups().usable:
            Group.of(host.groups(), workload_id).remove()
        folder.remove()

    def _folder(self, workload_id: str) -> ControlFolder:
        if not ID.fullmatch(workload_id):
            raise RuntimeFault("A workload's id holds lower-case letters, digits and hyphens only.")
        return ControlFolder(self.options.run_directory / workload_id)

    def _folders(self) -> dict[str, ControlFolder]:
        try:
            names = sorted(entry.name for entry in self.options.run_directory.iterdir())
        except FileNotFoundError:
            return {}
        folders = {name: ControlFolder(self.options.run_directory / name) for name in names if ID.fullmatch(name)}
        return {name: folder for name, folder in folders.items() if (folder.path / "control").exists()}
