"""Starts a supervisor detached from the platform: in bubblewrap, or without it."""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import RUN_FOLDER, Kind, Network, WorkloadSpec
from spacelab.workloads.runtimes.process import compiled, etc, sandbox
from spacelab.workloads.runtimes.process.control import ControlFolder
from spacelab.workloads.runtimes.process.options import Options
from spacelab.workloads.runtimes.process.plain import free_port, own_processes, stand_in
from spacelab.workloads.runtimes.process.warm import Preloaded
from spacelab.workloads.runtimes.shared import pipelines
from spacelab.workloads.runtimes.shared.limits import Group, cores_for
from spacelab.workloads.runtimes.shared.places import INSIDE
from spacelab.workloads.runtimes.shared.variables import (
    Places,
    command_line,
    overlay_path,
    plain_places,
    sandbox_places,
    variables,
)

if TYPE_CHECKING:
    from spacelab.workloads.runtimes.process.standby import Standby

LOG_BYTES = 8 * 2**20
"""Bytes of a workload's output that are kept."""

HELLO_SECONDS = 15.0
"""Longest wait for the supervisor's first sign of life; usually it takes less than a tenth of a second."""

SANDBOX_UID = 1000
"""The user id inside a user namespace."""

COLD = "no preloaded coordinator is there yet"

ANNOUNCE = 'echo >&0; exec "$@"'
"""Tells the coordinator that waits at the other end of standard input that the sandbox is made."""

JOIN = 'for group in $1; do echo 0 > "/proc/self/fd/$group" || exit 120; done; shift; exec "$@"'  # 0: the shell itself
"""Joins the control groups before anything else runs, so that nothing of the workload is ever outside of them."""


@dataclass(frozen=True)
class Environment:
    """The Python environment of a workload: its base interpreter, that one's version, folders it needs to see."""

    interpreter: Path
    version: str
    prefixes: tuple[Path, ...]


def is_there(options: Options, environment: str) -> bool:
    """Say whether an environment of this name is on this machine."""
    plain = "/" not in environment and not environment.startswith(".")
    return plain and (options.environments / environment / "bin" / "python").exists()


def read_environment(options: Options, name: str) -> Environment:
    """Read what an environment is made of; raise `RuntimeFault` when it isn't there."""
    folder = options.environments / name
    python = folder / "bin" / "python"
    if not is_there(options, name):
        raise RuntimeFault(f"The environment “{name}” is not on this machine. Its datalab has to be built again.")
    lines = (folder / "pyvenv.cfg").read_text().splitlines()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    version = facts.get("version_info") or facts.get("version") or "{}.{}.{}".format(*sys.version_info[:3])
    interpreter = python.resolve()
    return Environment(interpreter, version, (interpreter.parent.parent, Path(facts["home"]).parent))


def _prefixes(options: Options, environments: Iterable[Environment]) -> tuple[Path, ...]:
    """Return the interpreters' folders outside /usr; never one that holds the platform's own state."""
    wanted = [options.python.parent.parent, *(prefix for one in environments for prefix in one.prefixes)]
    usable = [
        prefix
        for prefix in dict.fromkeys(wanted)
        if not prefix.is_relative_to("/usr") and not options.run_directory.is_relative_to(prefix)
    ]
    return tuple(prefix for prefix in usable if prefix != Path("/"))


def prefixes_of(options: Options, spec: WorkloadSpec) -> tuple[Path, ...]:
    """Return the interpreters' folders outside /usr that a workload's environments need."""
    return _prefixes(options, [read_environment(options, name) for name in pipelines.environments(spec)])


class Unfit(Exception):  # noqa: N818  the run starts all the same
    """A sandbox on standby can't take this run."""


class Broken(Unfit):
    """A sandbox on standby could not be completed: perhaps none can."""


def in_memory(content: bytes) -> int:
    """Return a descriptor of a file that is nowhere but in memory, at its beginning."""
    descriptor = os.memfd_create("spacelab")
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def common_host(options: Options) -> sandbox.Host:
    """Return what the sandboxes of all runs are made of, where the platform runs as root."""
    return sandbox.Host(
        inside=compiled_for(options) or INSIDE,
        python=options.python,
        prefixes=(),
        environments=options.environments,
        egress=None,
        root=True,
        software=pipelines.software(),
        etc=etc.prepared(options.run_directory, tuple(sandbox.ETC)),
        base=_prefixes(options, []),
    )


def waiting_coordinator(uid: int) -> dict[str, object]:
    """Return the first orders of a coordinator that waits in a sandbox on standby."""
    nothing = {"variables": {}, "cwd": "/", "limits": {"data_bytes": 0, "processes": 0}, "cores": []}
    return {**nothing, "uid": uid, "gid": uid, "nested": True, "standby": True}


def spawn(
    options: Options,
    words: Sequence[str],
    supervisor: Sequence[str],
    *,
    joins: Sequence[int],
    channel: int,
    log: int,
    passed: Iterable[int],
) -> subprocess.Popen[bytes]:
    """Start bubblewrap with its arguments, in its control groups, and the supervisor in it with its own.

    `channel` is standard input, -1 for nothing; a coordinator that listens there is told of the sandbox.
    """
    described = in_memory(b"".join(word.encode() + b"\0" for word in words))
    announced = ["/bin/sh", "-c", ANNOUNCE, "sh"] if channel >= 0 else []
    script = f"{sandbox.SUPERVISOR}c" if compiled_for(options) else str(sandbox.SUPERVISOR)
    bubblewrap = [shutil.which("bwrap") or "bwrap", "--args", str(described), "--", *announced, str(sandbox.PYTHON)]
    try:
        return _joined(
            [*bubblewrap, "-I", "-S", "-B", script, *supervisor],
            joins=joins,
            channel=channel,
            log=log,
            passed=[described, *passed],
        )
    finally:
        os.close(described)


def _joined(
    program: Sequence[str], *, joins: Sequence[int], channel: int, log: int, passed: Iterable[int]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", JOIN, "sh", " ".join(map(str, joins)), *program],
        stdin=channel if channel >= 0 else subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        pass_fds=[*joins, *passed],
        start_new_session=True,
    )


def _last_word(channel: socket.socket) -> str:
    """Return what a coordinator said before it ended, if anything."""
    channel.setblocking(False)
    try:
        return channel.recv(500).decode(errors="replace")
    except OSError:
        return ""


def compiled_for(options: Options) -> Path | None:
    """Return the compiled programs of the inside, where they are for the interpreter that runs there."""
    return compiled.prepared(options.run_directory) if not options.interpreter else None


@dataclass
class Launch:
    """One start: everything is opened first, so that the new process needs nobody once it runs."""

    options: Options
    folder: ControlFolder
    spec: WorkloadSpec
    secrets: Mapping[str, str]
    group: Group
    sandboxed: bool
    lock: int
    control: int
    preloaded: Preloaded | None = None
    standby: Standby | None = None

    def __post_init__(self) -> None:
        self.compiled = compiled_for(self.options)
        self.files = contextlib.ExitStack()
        self.channel: socket.socket | None = None
        self.output = (-1, -1)
        self.passed: list[int] = [self.lock, self.control]
        self.root = self.sandboxed and os.geteuid() == 0
        self.environments = {name: read_environment(self.options, name) for name in pipelines.environments(self.spec)}
        self.environment = self.environments.get(self.spec.environment)

    def run(self) -> subprocess.Popen[bytes]:
        """Start the supervisor and wait for its sign of life; raise `RuntimeFault` when there is none.

        Raises `Unfit` where a sandbox on standby was of no use: the start is then tried anew without one.
        """
        with self.files:
            hello, hello_end = os.pipe()
            self.files.callback(os.close, hello)
            self._ask()
            places = self._places()
            orders = self._orders(places, hello_end)
            try:
                child = self._occupy(self.standby, places, orders) if self.standby else self._spawn(places, orders)
            finally:
                os.close(hello_end)
            ready, _, _ = select.select([hello], [], [], HELLO_SECONDS)
            if not (ready and os.read(hello, 1)) and not self.folder.state():
                if not ready:  # else it is gone, and its number may be another's
                    self.folder.kill()
                child.kill()
                child.wait()
                if self.standby:
                    raise Broken(self.standby.said())
                said = b"".join(self.folder.log(0)).decode(errors="replace").strip()[-500:]
                raise RuntimeFault(f"The sandbox could not be set up: {said or 'it gave no sign of life'}.")
            return child

    def _occupy(self, standby: Standby, places: Places, orders: int) -> subprocess.Popen[bytes]:
        """Have the sandbox on standby take the run."""
        inside: list[str] = []
        for path, text in sandbox.users(places).items():
            self.folder.write(Path(path).name, text)
            (self.folder.path / Path(path).name).chmod(0o444)
            inside += ["--ro-bind", str(self.folder.path / Path(path).name), path]
        inside += sandbox.particular(self.spec, self._host(), places, self.group)
        descriptors = {name: one for name, one in self.descriptors.items() if one >= 0 and name != "warm"}
        standby.occupy(
            self.folder,
            [*sandbox.folders(inside), *inside],
            self.spec.resources,
            {"orders": orders, "lock": self.lock, **descriptors},
            self.coordinator,
        )
        return standby.process

    def _places(self) -> Places:
        if self.sandboxed:
            uid = self.options.workload_uid if self.root else SANDBOX_UID
            return sandbox_places(self.spec, uid)
        port = free_port() if self.spec.interface else 0
        root = self.folder.path / "root"
        places = plain_places(self.spec, root, self.options.environments, os.getuid(), port)
        stand_in(self.spec, root, self.options.environments, places)
        return places

    def _open(self, path: Path, flags: int) -> int:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        self.files.callback(os.close, descriptor)
        self.passed.append(descriptor)
        return descriptor

    def _data(self, content: bytes) -> int:
        descriptor = in_memory(content)
        self.files.callback(os.close, descriptor)
        self.passed.append(descriptor)
        return descriptor

    def _listen(self) -> int:
        if not self.spec.interface:
            return -1
        listener: socket.socket = self.files.enter_context(self.folder.listen())
        self.passed.append(listener.fileno())
        return listener.fileno()

    def _orders(self, places: Places, hello: int) -> int:
        """Write the supervisor's instructions, secrets included, to memory that only it is handed."""
        spec = self.spec
        overlay = overlay_path(spec, places, self.environment.version if self.environment else "")
        known = variables(spec, places, overlay, own_network=self.sandboxed)
        oom = self.group.oom_file() if self.group.paths else None
        self.passed.append(hello)
        descriptors = {
            "listen": self._listen(),
            "log": self._open(self.folder.path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            "state": self._open(self.folder.path / "state.json", os.O_WRONLY | os.O_CREAT),
            "control": self.control,
            "hello": hello,
            "oom": self._open(oom, os.O_RDONLY) if oom else -1,
            "warm": 0 if self.channel or self.standby else -1,
            "output": self.output[0],
            "output_end": self.output[1],
        }
        self.descriptors = descriptors
        orders: dict[str, Any] = {
            "descriptors": descriptors,
            "command": list(self._coordinator()) if spec.run else command_line(spec.command, known),
            "variables": {**known, **self._stand_in(), **self.secrets},
            "cwd": places.workspace,
            "uid": places.uid if self.root else None,
            "gid": places.uid if self.root else None,
            "limits": self._rlimits(),
            "memory_mb": spec.resources.memory_mb,
            "cores": cores_for(spec.id, spec.resources.cpu, sorted(os.sched_getaffinity(0))),
            "port": places.port,
            "outbound": self._outbound(),
            "links": self._links(places),
            "overlay": self._overlay(overlay, places),
            "nested": self.root and self.spec.run is not None,
            "cold": COLD if self.spec.run and self.sandboxed and self.options.warm else "",
            "deadline": (spec.deadline_seconds or 0) if spec.kind is Kind.BATCH else 0,
            "log_bytes": LOG_BYTES,
        }
        told = {name: orders[name] for name in ("variables", "cwd", "uid", "gid", "limits", "cores", "nested")}
        self.coordinator = {**told, "standby": False, "arguments": ["spacelab-cwl", "run", RUN_FOLDER]}
        if self.channel:
            try:
                socket.send_fds(self.channel, [marshal.dumps(self.coordinator)], [self.output[1]])
            except OSError as error:  # it has ended: the run starts cold, and says why
                orders["cold"], descriptors["warm"] = _last_word(self.channel) or str(error), -1
                self.channel = None
        return self._data(marshal.dumps(orders))

    def _ask(self) -> None:
        """Have a preloaded coordinator wait for the sandbox, where there is one."""
        if not (self.spec.run and self.sandboxed and self.preloaded):
            return
        if not self.standby:
            joins = [os.open(path, os.O_WRONLY | os.O_CLOEXEC) for path in self.group.procs_files()]
            for join in joins:
                self.files.callback(os.close, join)
            self.channel = self.preloaded.ask(joins)
        if self.channel:
            self.files.enter_context(self.channel)
        if self.channel or self.standby:
            self.output = os.pipe()
            for end in self.output:
                self.files.callback(os.close, end)
                self.passed.append(end)

    def _rlimits(self) -> dict[str, int]:
        if self.group.paths:
            return {"data_bytes": 0, "processes": 0}
        processes = self.spec.resources.processes
        if self.root:
            processes *= 16  # all workloads share one user, and the kernel counts by user
        elif not self.sandboxed:
            processes += own_processes()
        return {"data_bytes": self.spec.resources.memory_mb * 2**20, "processes": processes}

    def _outbound(self) -> str:
        if not self.sandboxed or self.spec.network is not Network.OUTBOUND:
            return ""
        return str(sandbox.EGRESS / self.options.egress_socket.name)

    def _links(self, places: Places) -> list[tuple[str, str]]:
        links = [(f"{places.home}/my_workspace", places.workspace)]
        if any(mount.target.startswith("/media/team_workspaces/") for mount in self.spec.mounts):
            links.append((f"{places.home}/team_workspaces", places.teams))
        return links if self.sandboxed else []

    def _overlay(self, overlay: str, places: Places) -> dict[str, str] | None:
        if not overlay or not self.environment:
            return None
        return {
            "overlay": overlay,
            "environment": places.environment,
            "interpreter": str(self.environment.interpreter),
            "version": self.environment.version,
        }

    def _spawn(self, places: Places, orders: int) -> subprocess.Popen[bytes]:
        log = self._open(self.folder.path / "log", os.O_WRONLY | os.O_APPEND)
        joins = [self._open(path, os.O_WRONLY) for path in self.group.procs_files()]
        channel = self.channel.fileno() if self.channel else -1
        if not self.sandboxed:
            program = [str(self.options.python), "-I", "-S", "-B", str(INSIDE / "supervisor.py"), str(orders)]
            return _joined(program, joins=joins, channel=channel, log=log, passed=self.passed)
        files = {path: self._data(text.encode()) for path, text in sandbox.users(places).items()}
        words = sandbox.arguments(self.spec, self._host(), places, self.group, files)
        info = self._open(self.folder.path / "process.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        words += ["--info-fd", str(info)]
        passed = self.passed
        return spawn(self.options, words, [str(orders)], joins=joins, channel=channel, log=log, passed=passed)

    def _host(self) -> sandbox.Host:
        return sandbox.Host(
            inside=self.compiled or INSIDE,
            python=self.options.python,
            prefixes=_prefixes(self.options, self.environments.values()),
            environments=self.options.environments,
            egress=self.options.egress_socket.parent if self.spec.network is Network.OUTBOUND else None,
            root=self.root,
            software=pipelines.software() if self.spec.run else None,
            etc=etc.prepared(self.options.run_directory, tuple(sandbox.ETC)) if self.spec.run else None,
            base=_prefixes(self.options, []),
        )

    def _stand_in(self) -> dict[str, str]:
        """Tell a coordinator without a sandbox below which folder the paths of its job order are."""
        return {"SPACELAB_ROOT": str(self.folder.path / "root")} if self.spec.run and not self.sandboxed else {}

    def _coordinator(self) -> tuple[str, ...]:
        if self.sandboxed:
            return sandbox.coordinator(compiled=self.compiled is not None)
        return pipelines.plain_coordinator(self.options.python, self.folder.path / "root")
