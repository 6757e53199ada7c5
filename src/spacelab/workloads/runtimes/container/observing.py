"""Looks at the containers: cheaply while nothing happens, at once when a process is gone, patiently when the engine is.

What runs is known from the kernel: a container's first process either lives or it doesn't. The engine is asked how
something ended, and every now and then what there is.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from spacelab.workloads.rules import Kind, Observation, Seen, Trouble, Usage, WorkloadSpec
from spacelab.workloads.runtimes.container import ends, specification
from spacelab.workloads.runtimes.container.companions import Companions
from spacelab.workloads.runtimes.container.engine import RUNNING, Engine, EngineAway
from spacelab.workloads.runtimes.container.folder import Folder
from spacelab.workloads.runtimes.container.layers import LayerWatch
from spacelab.workloads.runtimes.container.options import Options
from spacelab.workloads.runtimes.shared.apart import Apart
from spacelab.workloads.runtimes.shared.interfaces import NOTHING_THERE, PROBE_WAIT, InterfaceWatch
from spacelab.workloads.runtimes.shared.limits import Group, group_of
from spacelab.workloads.runtimes.shared.usage import scratch_bytes

logger = logging.getLogger(__name__)

LIST_SECONDS = 2.0
"""Between two lists of what the engine has."""

ASK_AGAIN = 0.05
"""Seconds between two questions about a container whose process is gone and which the engine still calls running."""

USAGE_SECONDS = 1.0
"""For which a measurement of usage is good."""

AWAY_SECONDS = 60.0
"""A workload that ended while the engine is away is reported as ended without its exit code after so long."""

KILL_AGAIN = 1.0
"""Seconds between two tries to end a container by force."""

OUT_OF_MEMORY = "One of its processes used up the memory, and the system ended that one."
AWAY = "The container engine does not answer; this is what was seen last."


@dataclass
class Known:
    """What is remembered of a workload between two observations; all of it can be found out again."""

    spec: WorkloadSpec | None = None
    pid: int = 0
    born: int = 0
    group: Group | None = None
    watch: InterfaceWatch = field(default_factory=InterfaceWatch)
    usage: Usage = field(default_factory=Usage)
    usage_at: float = 0.0
    oom_kills: int = 0
    gone_at: float = 0.0
    asked_at: float = 0.0
    killed_at: float = 0.0
    companion: tuple[int, int] = (0, 0)
    writes_root: bool = False
    """Whether it has a root file system that it can write, on the engine's disk."""
    written: int = 0
    """Bytes that it wrote there."""


def born(pid: int) -> int:
    """Return when a process started, in the kernel's ticks, so that its id can't be taken for another's; 0: gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if words[0] in {b"Z", b"X"} else int(words[19])


class Observer:
    """Reports on the workloads whose folders are there. One observation at a time."""

    def __init__(self, options: Options, engine: Engine, companions: Companions) -> None:
        self._options = options
        self._engine = engine
        self._companions = companions
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="probe")
        self._known: dict[str, Known] = {}
        self._listed: dict[str, dict[str, Any]] | None = None
        self._listed_at = 0.0
        self._away = False
        self._apart = Apart()
        self._layers = LayerWatch(engine)

    def observe(
        self, folders: dict[str, Folder], building: Callable[[Folder, WorkloadSpec], Observation | None]
    ) -> dict[str, Observation]:
        """Report on these workloads, and on containers of ours that have no folder any more."""
        for gone in self._known.keys() - folders.keys():
            del self._known[gone]
        self._layers.keep({specification.application_name(self._options, one) for one in folders})
        self._list()
        asked: list[Future[Any]] = []
        for workload_id, folder in folders.items():
            known = self._known.setdefault(workload_id, Known())
            known.spec = known.spec or folder.spec()
            if known.spec and known.pid and not known.spec.build:
                asked += known.watch.ask(self._pool, known.spec, folder.socket, folder.ready_mark)
        wait(asked, timeout=PROBE_WAIT)
        looks: dict[str, Callable[[], Observation | None]] = {}
        for workload_id, folder in folders.items():
            known = self._known[workload_id]
            if known.spec and known.spec.build:
                looks[workload_id] = partial(building, folder, known.spec)
            else:
                looks[workload_id] = partial(self._observation, workload_id, folder, known)
        return self._strays(folders) | self._apart.look(looks)

    def _list(self) -> None:
        """Ask what there is, if that is due; an engine that is away leaves what was known."""
        now = time.monotonic()
        if now - self._listed_at < LIST_SECONDS:
            return
        self._listed_at = now
        try:
            listed = self._engine.list(f"{specification.PLATFORM_LABEL}={self._options.platform}")
            self._listed = specification.ours(self._options, listed)
            self._away = False
        except EngineAway as error:
            if self._listed is None:
                raise  # nothing is known yet, so nothing can be said
            if not self._away:
                logger.warning("%s", error)
            self._away = True

    def drop(self, workload_id: str) -> None:
        """Take note that a workload's containers were removed."""
        listed = self._listed or {}
        for name in specification.names(self._options, workload_id):
            listed.pop(name, None)

    def _strays(self, folders: dict[str, Folder]) -> dict[str, Observation]:
        """Report containers without a folder, so that whoever wants nothing of them has them ended."""
        found = {}
        for described in list((self._listed or {}).values()):
            marks = described.get("Labels") or {}
            workload_id = marks.get(specification.WORKLOAD_LABEL, "")
            if not workload_id or workload_id in folders or (self._options.run_directory / workload_id).exists():
                continue
            lives = described.get("State") == RUNNING and marks.get(specification.PART_LABEL) == "application"
            if lives or workload_id not in found:
                reason = "Its folder on this machine is gone."
                found[workload_id] = Observation(Seen.RUNNING if lives else Seen.EXITED, reason=reason)
        return found

    def _observation(self, workload_id: str, folder: Folder, known: Known) -> Observation | None:
        ended = folder.read("ended.json")
        if ended:
            return Observation(
                Seen.EXITED, "", ended["exit_code"], ended["reason"], known.usage, trouble=ended["trouble"]
            )
        if not known.pid and not self._meet(workload_id, folder, known):
            return Observation(Seen.STARTING, reason="The container is being made.") if folder.claimed else None
        if born(known.pid) == known.born and known.born:
            known.gone_at = 0.0
            if known.writes_root:
                name = specification.application_name(self._options, workload_id)
                pids = known.group.pids() if known.group else [known.pid]
                known.written = self._layers.written(name, known.pid, pids)
            self._enforce(workload_id, folder, known)
            return self._live(folder, known)
        return self._gone(workload_id, folder, known)

    def _meet(self, workload_id: str, folder: Folder, known: Known) -> bool:
        """Find out which process a workload is; False where none was ever started."""
        started = folder.read("started.json")
        if not started:
            listed = (self._listed or {}).get(specification.application_name(self._options, workload_id), {})
            if folder.claimed or not listed or listed.get("State") == "created":
                return False  # a start that is under way, or came to nothing: the next one begins anew
            started = self._adopt(workload_id, folder)
        if not started:
            return False
        known.pid, known.born = int(started["pid"]), int(started["born"])
        known.companion = tuple(started.get("companion", (0, 0)))
        known.writes_root = bool(started.get("writes_root", False))
        known.group = group_of(known.pid) if known.born else None
        return True

    def _adopt(self, workload_id: str, folder: Folder) -> dict[str, Any]:
        """Take over a container whose starter was killed right after it ran."""
        name = specification.application_name(self._options, workload_id)
        described = self._engine.inspect(name)
        return write_started(folder, described, self._companions.pid(f"{name}.companion")) if described else {}

    def _live(self, folder: Folder, known: Known) -> Observation:
        known.watch.take(folder.ready_mark)
        interface = known.spec.interface if known.spec else None
        running = known.watch.ready if interface else True
        address = f"unix/{folder.socket.absolute()}" if interface else ""
        usage = self._usage(known)
        reason, trouble = "" if running else "The application is starting.", ""
        if running and known.watch.misplaced:
            reason, trouble = NOTHING_THERE.format(path=known.watch.misplaced), Trouble.MISPLACED.value
        if known.oom_kills:
            reason, trouble = OUT_OF_MEMORY, Trouble.OUT_OF_MEMORY.value
        if self._away:
            reason, trouble = AWAY, Trouble.RUNTIME_AWAY.value
        seen = Seen.RUNNING if running else Seen.STARTING
        return Observation(seen, address, None, reason, usage, busy=known.watch.busy and running, trouble=trouble)

    def _usage(self, known: Known) -> Usage:
        now = time.monotonic()
        if not known.group or (known.usage_at and now - known.usage_at < USAGE_SECONDS):
            return known.usage
        known.usage_at = now
        measured = known.group.usage()
        known.oom_kills = known.group.oom_kills()
        scratch = scratch_bytes(known.pid) + known.written
        known.usage = Usage(measured.cpu_seconds, measured.memory_bytes, scratch, measured.processes)
        return known.usage

    def _enforce(self, workload_id: str, folder: Folder, known: Known) -> None:
        """End by force what did not end in its grace, has reached its time limit, or has lost its companion."""
        now = time.time()
        stop = folder.read("stop.json")
        spec = known.spec
        if not stop and spec and spec.kind is Kind.BATCH and spec.deadline_seconds:
            started = float(folder.read("started.json").get("at", now))
            if now - started > spec.deadline_seconds:
                self.ask_to_end(
                    workload_id, folder, 10.0, f"It reached its time limit of {spec.deadline_seconds:.0f} s."
                )
                return
        if spec and known.written > spec.resources.scratch_mb * 2**20 and stop.get("trouble") != Trouble.DISK_FULL:
            reason = ends.DISK_FULL.format(spec.resources.scratch_mb)
            self.ask_to_end(workload_id, folder, 0.0, reason, Trouble.DISK_FULL)
            return
        pid, birth = known.companion
        if not stop and pid and born(pid) != birth:
            self.ask_to_end(workload_id, folder, 0.0, ends.CUT_OFF)
            return
        if stop and now >= float(stop["kill_at"]) and now - known.killed_at > KILL_AGAIN:
            known.killed_at = now
            self._engine.signal(specification.application_name(self._options, workload_id), "SIGKILL")

    def ask_to_end(self, workload_id: str, folder: Folder, grace: float, reason: str, trouble: str = "") -> None:
        """Ask an application to end, remember until when it may take, and why; an earlier end is never put off."""
        kill_at = time.time() + grace
        before = folder.read("stop.json")
        if before and float(before["kill_at"]) <= kill_at:
            return
        if before:
            reason, trouble = before["reason"], before.get("trouble", "")
        folder.write("stop.json", json.dumps({"kill_at": kill_at, "reason": reason, "trouble": trouble}))
        name = specification.application_name(self._options, workload_id)
        self._engine.signal(name, "SIGTERM" if grace > 0 else "SIGKILL")

    def _gone(self, workload_id: str, folder: Folder, known: Known) -> Observation:
        """Ask how a container ended whose process is gone."""
        now = time.monotonic()
        known.gone_at = known.gone_at or now
        last = Observation(
            Seen.RUNNING if known.watch.ready else Seen.STARTING, reason="It is ending.", usage=known.usage
        )
        if now - known.asked_at < ASK_AGAIN:
            return last
        known.asked_at = now
        try:
            described = self._engine.inspect(specification.application_name(self._options, workload_id))
        except EngineAway:
            self._away = True
            if now - known.gone_at < AWAY_SECONDS:
                return last
            return self._record(folder, known, ends.UNSEEN)
        if described is None:
            return self._record(folder, known, ends.REMOVED)
        state = described["State"]
        if state["Running"] and now - known.gone_at < AWAY_SECONDS:
            return last
        return self._record(folder, known, self._end(folder, known, state))

    def _end(self, folder: Folder, known: Known, state: dict[str, Any]) -> ends.End:
        report = self._companions.drain(folder)
        began, ended = _moment(state.get("StartedAt")), _moment(state.get("FinishedAt"))
        has_interface = bool(known.spec and known.spec.interface)
        code = int(state.get("ExitCode") or 0)
        stop = folder.read("stop.json")
        how = ends.Circumstances(
            exit_code=code if 0 <= code < 256 else ends.KILLED,  # noqa: PLR2004  beyond what a process can return
            seconds=max(0.0, ended - began),
            stopped=str(stop.get("reason", "")),
            trouble=str(stop.get("trouble", "")),
            out_of_memory=bool(state.get("OOMKilled")) or report.oom_kills > 0 or known.oom_kills > 0,
            not_started=report.trouble,
            ready=known.watch.was_ready(folder.ready_mark) if has_interface else True,
        )
        return ends.end_of(known.spec, how)

    def _record(self, folder: Folder, known: Known, end: ends.End) -> Observation:
        text = json.dumps({"exit_code": end.exit_code, "reason": end.reason, "trouble": end.trouble})
        if folder.path.exists():
            folder.write("ended.json", text)
        return Observation(Seen.EXITED, "", end.exit_code, end.reason, known.usage, trouble=end.trouble)


def write_started(folder: Folder, described: dict[str, Any], companion_pid: int) -> dict[str, Any]:
    """Write down which processes a started container and its companion are, for whoever observes later."""
    pid = int(described["State"].get("Pid") or 0)
    started = {
        "at": time.time(),
        "pid": pid,
        "born": born(pid) if pid else 0,
        "companion": (companion_pid, born(companion_pid) if companion_pid else 0),
        "writes_root": not (described.get("HostConfig") or {}).get("ReadonlyRootfs", False),
    }
    if not pid:
        started["pid"] = -1  # it has ended already; the engine knows how
    folder.write("started.json", json.dumps(started))
    return started


def _moment(text: object) -> float:
    """Read one of the engine's times, whose fraction has more digits than Python takes."""
    words = str(text or "").partition(".")
    try:
        return datetime.fromisoformat(f"{words[0].rstrip('Z')}+00:00").timestamp() + float(
            f"0.{''.join(one for one in words[2][:6] if one.isdigit()) or 0}"
        )
    except ValueError:
        return 0.0
