"""Keeps a sandbox on standby, in which a loaded coordinator waits: a pipeline run then starts in half of the time.

What all runs see alike is mounted beforehand; what a run alone sees is added when it comes, by the supervisor inside,
from trees that the platform hands over (see `inside/standby.py`). For platforms that run as root: nobody else may make
such trees. A sandbox serves one run and is replaced. Whatever fails is no more than a slower start.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import marshal
import os
import secrets
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Resources
from spacelab.workloads.runtimes.process import host, launch, sandbox, trees
from spacelab.workloads.runtimes.process.control import ControlFolder
from spacelab.workloads.runtimes.process.options import Options
from spacelab.workloads.runtimes.process.warm import Preloaded
from spacelab.workloads.runtimes.shared.limits import PREFIX, Group

logger = logging.getLogger(__name__)

READY_SECONDS = 15.0
"""Longest wait for a sandbox to be there; usually it takes less than a fifth of a second."""

MOST_TREES = 200
"""Trees that one run may add: the kernel passes on 253 descriptors at once."""

MOST_BROKEN = 3
"""Sandboxes that may break one after the other before none is made for a while."""

REST = 600.0
"""Seconds for which none is made then: what a run did, or a crowded machine, is no reason to do without for good."""

PAUSE = 0.5
"""Seconds between a start and the making of the next sandbox, which would hinder it."""


@dataclass(frozen=True)
class Standby:
    """One sandbox that waits; whoever holds `orders` can send it a run."""

    process: subprocess.Popen[bytes]
    described: str
    """What bubblewrap told of it, as JSON."""
    group: Group
    orders: socket.socket
    log: BinaryIO
    """What its programs said while it waited."""

    def said(self) -> str:
        """Return the end of what was said."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace").strip()[-500:]

    def occupy(
        self,
        folder: ControlFolder,
        words: Sequence[str],
        resources: Resources,
        descriptors: Mapping[str, int],
        coordinator: Mapping[str, object],
    ) -> None:
        """Hand a run over, with bubblewrap's words for what it alone sees; raise `launch.Unfit` where that fails."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.orders)
            try:
                made, copies = additions(words, resources, stack)
                told = {
                    "descriptors": list(descriptors),
                    "additions": made,
                    "coordinator": marshal.dumps(dict(coordinator)),
                }
                if len(copies) > MOST_TREES:
                    raise launch.Unfit(f"{len(copies)} volumes are too many")
                folder.write("process.json", self.described)
                socket.send_fds(self.orders, [marshal.dumps(told)], [*descriptors.values(), *copies])
            except OSError as error:
                raise launch.Unfit(str(error)) from error

    def end(self) -> None:
        """End the sandbox with all that is in it."""
        self.orders.close()
        self.log.close()
        self.process.kill()
        self.process.wait()
        self.group.remove()


def additions(
    words: Sequence[str], resources: Resources, stack: contextlib.ExitStack
) -> tuple[list[tuple[Any, ...]], list[int]]:
    """Return what a run adds to a sandbox, as data, and the trees that this speaks of, which `stack` closes.

    `words` are those with which bubblewrap would add it. Raises `OSError` for what can't be shown.
    """
    sizes = sandbox.private(resources)
    made: list[tuple[Any, ...]] = [
        ("size", sizes[place + 3], int(sizes[place + 1])) for place, word in enumerate(sizes) if word == "--size"
    ]
    copies: list[int] = []
    left: Iterator[str] = iter(words)
    perms = 0o755
    for word in left:
        if word == "--perms":
            perms = int(next(left), 8)
            continue
        match word:
            case "--dir":
                made.append(("folder", next(left), perms))
            case "--tmpfs":
                made.append(("memory", next(left), perms))
            case "--symlink":
                target = next(left)
                made.append(("link", next(left), target))
            case "--bind" | "--ro-bind":
                source = Path(next(left))
                copies.append(trees.copied(source, read_only=word == "--ro-bind"))
                stack.callback(os.close, copies[-1])
                made.append(("tree", next(left), len(copies) - 1, source.is_dir()))
            case _:
                raise OSError(f"“{word}” has no meaning here")
        perms = 0o755
    return made, copies


class Standbys:
    """Sees to it that one sandbox is on standby, where that is possible; made anew after each that was taken."""

    def __init__(self, options: Options, preloaded: Preloaded) -> None:
        self._options = options
        self._preloaded = preloaded
        self._lock = threading.Lock()
        self._waiting: Standby | None = None
        self._maker: threading.Thread | None = None
        self._not_before = 0.0
        self._begun = False
        self._broken = 0
        self._rests_until = 0.0
        self._possible = options.standby and os.geteuid() == 0
        self._name = f"standby-{hashlib.sha256(os.fsencode(options.run_directory.absolute())).hexdigest()[:8]}"

    def begin(self) -> None:
        """Have one made unless there is one; returns at once."""
        with self._lock:
            busy = self._maker is not None and self._maker.is_alive()
            if not self._wanted() or busy or self._is_there() or not self._preloaded.loaded():
                return
            self._maker = threading.Thread(target=self._keep, name="standby", daemon=True)
            self._maker.start()

    def _wanted(self) -> bool:
        return self._possible and time.monotonic() >= self._rests_until

    def _is_there(self) -> bool:
        return self._waiting is not None and self._waiting.process.poll() is None

    def _keep(self) -> None:
        """Make one, in a thread of its own."""
        try:
            time.sleep(max(0.0, self._not_before - time.monotonic()))
            if not self._begun:
                self._begun = True
                if not trees.possible():
                    self.give_up("the kernel lets this platform copy no mounts")
                    return
                self._sweep()
            made = self._make()
        except (OSError, RuntimeFault) as error:
            self.failed(launch.Broken(str(error)))
            return
        with self._lock:
            wanted = self._wanted()
            old, self._waiting = self._waiting, made if wanted else None
        for one in (old, None if wanted else made):
            if one:
                one.end()

    def failed(self, error: Exception) -> None:
        """Hear that one was of no use; after some that broke one after the other there will be none for a while."""
        logger.warning("a sandbox on standby was of no use: %s", error)
        self._broken += isinstance(error, launch.Broken)
        if self._broken >= MOST_BROKEN:
            self.rest("too many of them broke")

    def rest(self, why: str) -> None:
        """Make none for a while, and say so."""
        with self._lock:
            if not self._possible:
                return
            self._rests_until, self._broken = time.monotonic() + REST, 0
        logger.warning("no sandbox is kept on standby for %d s; pipeline runs start more slowly: %s", REST, why)

    def served(self) -> None:
        """Hear that one became a run: what broke before was not the fault of all."""
        self._broken = 0

    def give_up(self, why: str) -> None:
        """Make no more of them, and say so."""
        with self._lock:
            told, self._possible = not self._possible, False
        if not told:
            logger.warning("no sandbox is kept on standby any more; pipeline runs start more slowly: %s", why)

    def take(self) -> Standby | None:
        """Give the one that waits, if there is one, to whoever has a run for it."""
        with self._lock:
            taken = self._waiting if self._wanted() and self._is_there() else None
            if taken:
                self._waiting, self._not_before = None, time.monotonic() + PAUSE
        if taken:
            self.begin()
        return taken

    def wait(self, seconds: float) -> bool:
        """Wait until one is there, for tests and measurements; return whether it is."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.begin()
            with self._lock:
                if self._is_there():
                    return True
            time.sleep(0.01)
        return False

    def end(self) -> None:
        """End the one that waits, and make no more."""
        with self._lock:
            self._possible = False
            maker, left, self._waiting = self._maker, self._waiting, None
        if maker:
            maker.join(READY_SECONDS)
        if left:
            left.end()

    def _sweep(self) -> None:
        """Remove the empty groups of sandboxes that ended with an earlier platform."""
        for parent in host.groups().parents.values():
            for path in parent.glob(f"{PREFIX}{self._name}-*"):
                with contextlib.suppress(OSError):
                    path.rmdir()

    def _make(self) -> Standby | None:
        group = Group(0, {})
        if self._options.limits != "rlimit" and host.groups().usable:
            group = Group.of(host.groups(), f"{self._name}-{secrets.token_hex(6)}")
            group.make()
        try:
            return self._start(group)
        except BaseException:
            group.remove()
            raise

    def _start(self, group: Group) -> Standby | None:
        """Start a sandbox with a coordinator in it, and wait until both are there."""
        uid = self._options.workload_uid
        with contextlib.ExitStack() as stack:
            joins = [os.open(path, os.O_WRONLY | os.O_CLOEXEC) for path in group.procs_files()]
            for join in joins:
                stack.callback(os.close, join)
            channel = self._preloaded.ask(joins)
            if channel is None:
                group.remove()
                return None
            stack.enter_context(channel)
            nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            stack.callback(os.close, nothing)
            socket.send_fds(channel, [marshal.dumps(launch.waiting_coordinator(uid))], [nothing])
            log = os.fdopen(launch.in_memory(b""), "r+b", buffering=0)
            mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with its:
                words = sandbox.unfinished(launch.common_host(self._options), uid)
                described = launch.in_memory(b"")
                stack.callback(os.close, described)
                process = launch.spawn(
                    self._options,
                    [*words, "--info-fd", str(described)],
                    ["standby", str(its.fileno())],
                    joins=joins,
                    channel=channel.fileno(),
                    log=log.fileno(),
                    passed=[its.fileno(), described],
                )
            ready = select.select([mine], [], [], READY_SECONDS)[0] and mine.recv(16) == b"ready"
            told = os.pread(described, 4096, 0).decode()
        made = Standby(process, told, group, mine, log)
        if not ready:
            said = made.said()
            made.end()
            raise RuntimeFault(f"the sandbox does not get ready: {said}")
        return made
