"""The process runtime: each workload is a detached process in a sandbox of its own, and needs no container engine."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Capabilities, Network, Observation, Seen, Trouble, Usage, WorkloadSpec
from spacelab.workloads.runtimes.process import host, plain, slurm
from spacelab.workloads.runtimes.process.control import ControlFolder
from spacelab.workloads.runtimes.process.launch import Launch, Unfit, is_there, prefixes_of
from spacelab.workloads.runtimes.process.options import Options
from spacelab.workloads.runtimes.process.standby import Standby, Standbys
from spacelab.workloads.runtimes.process.warm import Preloaded
from spacelab.workloads.runtimes.shared import brokers, mounts
from spacelab.workloads.runtimes.shared.apart import Apart
from spacelab.workloads.runtimes.shared.interfaces import NOTHING_THERE, PROBE_WAIT, InterfaceWatch
from spacelab.workloads.runtimes.shared.limits import Group
from spacelab.workloads.runtimes.shared.listening import listening
from spacelab.workloads.runtimes.shared.usage import scratch_bytes, tree_usage

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
USAGE_INTERVAL = 1.0
"""Seconds for which a measurement of usage is good."""

SETTLED = 5.0
"""Seconds after which a runtime that observes has a coordinator loaded: a platform's start has more urgent work."""

KILL_MARGIN = 5.0
"""Seconds beyond the grace after which the runtime ends what its supervisor should have ended."""


def _limited(launch: partial[Launch], group: Group, standby: Standby | None = None) -> subprocess.Popen[bytes]:
    """Start a workload in its control groups, after what tells of both is written."""
    started = launch(group=group, standby=standby)
    group.create(started.spec.resources)
    started.folder.write("group.json", json.dumps(group.to_json()))
    started.folder.write("spec.json", json.dumps(started.spec.to_json()))
    return started.run()


@dataclass
class Known:
    """What the runtime remembers of a workload between two observations; all of it can be found out again."""

    spec: WorkloadSpec | None = None
    group: Group | None = None
    watch: InterfaceWatch = field(default_factory=InterfaceWatch)
    usage: Usage = field(default_factory=Usage)
    usage_at: float = 0.0
    oom_kills: int = 0


class ProcessRuntime:
    """Carries workloads as processes of this machine (see `ports.Runtime`)."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options.from_settings()
        self.preloaded = Preloaded(self.options)
        self.standbys = Standbys(self.options, self.preloaded)
        self._made_at = time.monotonic()
        self._known: dict[str, Known] = {}
        self._apart = Apart()
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

    def lacks(self, *, environment: str, image: str) -> bool:  # noqa: ARG002  the port's signature
        """Say whether this environment is not here (see `ports.KnowsWhatIsHere`)."""
        return bool(environment) and not is_there(self.options, environment)

    def start(self, spec: WorkloadSpec, secrets: Mapping[str, str]) -> None:
        """Start the workload unless it was started before; raise `RuntimeFault` if that can't be done."""
        folder = self._folder(spec.id)
        if self.options.sandbox == "bubblewrap" and not self.sandboxed:
            raise RuntimeFault(f"No sandbox can be made on this host: {host.sandbox_trouble()}.")
        self.options.run_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if spec.run and self.sandboxed:
            self.preloaded.begin()
        with folder.claim() as lock:
            if lock is None or folder.state():
                return
            control = folder.open_control()
            try:
                if self.brokered(spec):
                    spec = slurm.prepare(self.options, spec, prefixes_of(self.options, spec))
                self._check(spec)
                self._children.append(self._launch(folder, spec, secrets, lock, control))
                if self.brokered(spec):
                    brokers.look_after(self.options.run_directory, spec.id, slurm.PROGRAM)
            except OSError as error:
                self._clear(folder, spec.id)
                raise RuntimeFault(f"The workload could not be started: {error}.", retry=True) from error
            except RuntimeFault:
                self._clear(folder, spec.id)
                raise
            finally:
                os.close(control)

    def brokered(self, spec: WorkloadSpec) -> bool:
        """Say whether a workload's steps are carried by the cluster."""
        return self.options.slurm and spec.run is not None and self.sandboxed

    def _launch(
        self, folder: ControlFolder, spec: WorkloadSpec, secrets: Mapping[str, str], lock: int, control: int
    ) -> subprocess.Popen[bytes]:
        launch = partial(
            Launch,
            options=self.options,
            folder=folder,
            spec=spec,
            secrets=secrets,
            sandboxed=self.sandboxed,
            lock=lock,
            control=control,
            preloaded=self.preloaded,
        )
        standby = self.standbys.take() if spec.run and self.sandboxed else None
        if standby and (started := self._occupied(standby, launch)):
            return started
        usable = self.options.limits != "rlimit" and host.groups().usable
        return _limited(launch, Group.of(host.groups(), spec.id) if usable else Group(0, {}))

    def _occupied(self, standby: Standby, launch: partial[Launch]) -> subprocess.Popen[bytes] | None:
        """Start a run in a sandbox that waited for one; None where that was of no use."""
        try:
            started = _limited(launch, standby.group, standby)
        except (OSError, Unfit) as error:
            standby.end()
            self.standbys.failed(error)
            return None
        except BaseException:
            standby.end()
            raise
        standby.log.close()
        self.standbys.served()
        return started

    def _check(self, spec: WorkloadSpec) -> None:
        if spec.image or spec.build:
            raise RuntimeFault("This platform runs environments, not container images.")
        if not spec.command and not spec.run:
            raise RuntimeFault("There is no command to run.")
        mounts.check(spec, self.options.workload_uid if self.sandboxed else None)
        if spec.network is Network.OUTBOUND:
            self.options.egress_socket.parent.mkdir(mode=0o755, exist_ok=True)

    def observe(self) -> dict[str, Observation]:
        """Report on every workload whose folder exists and whose supervisor ever lived."""
        if time.monotonic() - self._made_at > SETTLED:
            self.preloaded.begin()
            self.standbys.begin()
        for child in list(self._children):
            if child.poll() is not None:
                self._children.remove(child)
        folders = self._folders()
        for gone in self._known.keys() - folders.keys():
            del self._known[gone]  # only observations, of which there is one at a time, touch what is known
        alive: dict[str, bool] = {}
        asked: list[Future[Any]] = []
        for workload_id, folder in folders.items():
            known = self._known.setdefault(workload_id, Known())
            alive[workload_id] = folder.alive()
            if alive[workload_id] and self.options.slurm:
                brokers.look_after(self.options.run_directory, workload_id, slurm.PROGRAM)
            if alive[workload_id]:
                asked += self._ask(folder, known)
        wait(asked, timeout=PROBE_WAIT)
        return self._apart.look(
            {
                workload_id: partial(self._observation, folder, self._known[workload_id], alive=alive[workload_id])
                for workload_id, folder in folders.items()
            }
        )

    def _ask(self, folder: ControlFolder, known: Known) -> list[Future[Any]]:
        """Send the questions that are due; return those whose answer is worth a short wait."""
        known.spec = known.spec or folder.spec()
        known.group = known.group or Group.from_json(folder.read("group.json"))
        if known.spec is None:
            return []
        return known.watch.ask(self._pool, known.spec, folder.socket, folder.path / "ready")

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
        trouble = str(state.get("trouble", ""))
        if state.get("phase") != "exited":
            code = 137
            if folder.read("stop.json"):
                reason = "It was stopped by force: it did not end by itself in time."
            else:
                reason, trouble = "It was ended by force, or with the machine it ran on.", Trouble.LOST.value
        elif (
            code
            and known.spec
            and known.spec.interface
            and state.get("started")
            and not folder.read("stop.json")
            and not known.watch.was_ready(folder.path / "ready")
        ):
            reason = f"{reason} Its interface had not answered by then; the log says more."
        return Observation(Seen.EXITED, "", code, reason, known.usage, trouble=trouble)

    def _live(self, folder: ControlFolder, known: Known, state: dict[str, Any]) -> Observation:
        known.watch.take(folder.path / "ready")
        interface = known.spec.interface if known.spec else None
        started = bool(state.get("started"))
        running = started and (known.watch.ready if interface else True)
        address = f"unix/{folder.socket.absolute()}" if interface and started else ""
        usage = self._usage(folder, known, state)
        reason = "" if running else "The application is starting." if started else "The sandbox is being made."
        trouble = ""
        if running and known.watch.misplaced:
            reason, trouble = NOTHING_THERE.format(path=known.watch.misplaced), Trouble.MISPLACED.value
        if known.oom_kills:
            trouble = Trouble.OUT_OF_MEMORY.value
            reason = "One of its processes used up the memory, and the system ended that one."
        seen = Seen.RUNNING if running else Seen.STARTING
        return Observation(seen, address, None, reason, usage, busy=known.watch.busy and running, trouble=trouble)

    def _usage(self, folder: ControlFolder, known: Known, state: dict[str, Any]) -> Usage:
        now = time.monotonic()
        pid = folder.pid()
        if not state or pid is None or (known.usage_at and now - known.usage_at < USAGE_INTERVAL):
            return known.usage
        known.usage_at = now
        known.oom_kills = known.group.oom_kills() if known.group else 0
        measured = known.group.usage() if known.group and known.group.paths else tree_usage(pid)
        scratch = scratch_bytes(pid) if self.sandboxed else 0
        known.usage = Usage(measured.cpu_seconds, measured.memory_bytes, scratch, measured.processes)
        return known.usage

    def logs(self, workload_id: str, since: int = 0) -> Iterator[bytes]:
        """Yield what the workload printed, from byte `since` on; old output of a talkative one may be gone."""
        return self._folder(workload_id).log(since)

    def ports(self, workload_id: str) -> list[int] | None:
        """List the ports on which a workload's own programs listen; None where all share the host's network."""
        pid = self._folder(workload_id).pid() if self.sandboxed else None
        return listening(pid) if pid else None

    def written(self, workload_id: str) -> list[str] | None:  # noqa: ARG002  the port's signature
        """Return nothing: in a sandbox the system can't be written; None without one, where nobody can tell."""
        return [] if self.sandboxed else None

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
        if self.options.slurm:
            broker = brokers.folder_of(self.options.run_directory, workload_id)
            brokers.wait_for_end(broker)
            brokers.remove(broker)
        folder.remove()

    def end(self) -> None:
        """End what is kept for later starts; workloads go on (see `ports.KeepsThingsReady`)."""
        self.standbys.end()
        self.preloaded.end()

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
