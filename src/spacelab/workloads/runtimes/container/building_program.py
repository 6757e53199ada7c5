"""The builder: a program of its own that has one image built, watches over that, and tells how it went.

Run as `python -m spacelab.workloads.runtimes.container.building_program build|clean <folder> <lock's descriptor>`:
`build` carries out what build.json in the workload's folder says, `clean` ends what a builder left that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import ImageBuild, Trouble, Usage, WorkloadSpec
from spacelab.workloads.runtimes.container import building_checks as checks
from spacelab.workloads.runtimes.container import building_context as packing
from spacelab.workloads.runtimes.container import building_engine as remote
from spacelab.workloads.runtimes.container import building_network as inside
from spacelab.workloads.runtimes.container.building_proof import prove
from spacelab.workloads.runtimes.container.building_steps import Steps
from spacelab.workloads.runtimes.container.companions import LOG_BYTES
from spacelab.workloads.runtimes.container.engine import Engine, Facts
from spacelab.workloads.runtimes.container.folder import Folder
from spacelab.workloads.runtimes.shared.inside.log import Log

TICK = 0.1
WATCH_SECONDS = 0.3
REPORT_SECONDS = 1.0
BREAK_OFF_SECONDS = 20.0
"""So long the engine may take to notice that a build was broken off."""

BROKE_OFF = "The container engine broke off"
STOPPED = 143
KILLED = 137
FAILED = 1


@dataclass(frozen=True)
class Ending:
    """How a build ended, for the observation of it."""

    exit_code: int
    reason: str
    trouble: str = ""
    result: str = ""


class Builder:
    """One build from its beginning to its end."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.orders = folder.read("build.json")
        spec = folder.spec()
        if spec is None or spec.build is None:
            raise RuntimeFault("There is no specification of a build.")
        self.spec: WorkloadSpec = spec
        self.build: ImageBuild = spec.build
        self.engine, self.facts = _engine(self.orders, folder), Facts(**self.orders["facts"])
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        self.log = Log(os.open(folder.log_file, flags, 0o600), LOG_BYTES)
        self.steps = Steps(0)
        self.began, self.began_at = time.monotonic(), time.time()
        self.network: inside.Network | None = None
        self.group = inside.Group(f"spacelab-{spec.id}", None)
        self.stream: remote.Stream | None = None
        self.broken = ""
        self.over = threading.Event()
        self.layers: dict[str, int] = {}
        """The writable layers of the commands that were seen, with the bytes in each."""
        self.memory_kills = 0
        self.usage = Usage()
        self.cpu_seconds = 0.0
        self.ending: Ending | None = None
        self.written = ""

    def say(self, text: str) -> None:
        """Write a line of ours to the log."""
        self.log.write(f"spacelab: {text}\n".encode())

    def report(self, phase: str, ending: Ending | None = None) -> None:
        """Write how far things are, where the runtime reads it."""
        text = self.steps.to_json()
        if text != self.written:
            self.folder.write("steps.json", text)
            self.written = text
        state = {"phase": phase, "at": time.time(), "pid": os.getpid(), "usage": asdict(self.usage)}
        self.folder.write("built.json", json.dumps(state | (asdict(ending) if ending else {})))

    def run(self) -> None:
        """Build, and report the end of it, whatever happens."""
        self.report("preparing")
        try:
            ending = self.carry_out()
        except checks.ImageMissing as missing:
            ending = Ending(FAILED, str(missing), Trouble.IMAGE_MISSING)
        except checks.Refused as refused:
            ending = Ending(FAILED, str(refused))
        except RuntimeFault as fault:
            ending = Ending(FAILED, str(fault), fault.trouble)
        except APIError as error:
            said = str(error.explanation or error).rstrip(".")[:500]
            ending = Ending(FAILED, _disk_full(said) or f"The container engine refused: {said}.")
        except Exception as error:  # noqa: BLE001  whatever went wrong must be seen by the person who waits
            traceback.print_exc()
            ending = Ending(FAILED, _disk_full(str(error)) or f"The platform failed to build it: {error}.")
        self.finish(ending)

    def carry_out(self) -> Ending:
        """Check, prove the isolation, and build."""
        context = Path(self.build.context)
        text = packing.check_dockerfile_place(context, self.build.dockerfile).read_text(errors="replace")
        self.steps = Steps(checks.check(text, self.build.arguments, lambda name: remote.triggers(self.engine, name)))
        limit = self.spec.resources.scratch_mb * 2**20
        if checks.adds(text):
            name, size = packing.largest_archive(context, limit)
            if size > limit:
                raise checks.Refused(f"“{name}”, which ADD may unpack, is larger than a build's disk.")
        self.network = inside.Network.of(int(self.orders["pid"]))
        if self.network is None:
            raise RuntimeFault("The build's network ended before the build began.", retry=True)
        self.group = inside.Group.make(self.spec.id, self.spec.resources.processes)
        isolation = prove(self.engine, self.spec, self.network, self.group, self.orders)
        tagged = remote.image_id(self.engine, self.build.tag)
        self.converse(isolation, limit)
        if not self.broken and not self.steps.error and self.steps.image:
            self.steps.end()
            return Ending(0, "The image was built.", result=remote.image_id(self.engine, self.build.tag))
        if self.broken:
            self.undo(tagged)
        return self.failure()

    def converse(self, isolation: remote.Isolation, limit: int) -> None:
        """Have the engine build, and watch until it has ended or is to be broken off."""
        facts = self.facts
        parameters = remote.query(self.spec, isolation, podman=facts.podman, swap=facts.swap)
        self.stream = remote.Stream(self.engine.address)
        listener = threading.Thread(target=self.listen, args=(self.stream, parameters, limit), daemon=True)
        listener.start()
        threading.Thread(target=self.measure, daemon=True).start()
        watched = reported = 0.0
        while not self.over.wait(TICK):
            now = time.monotonic()
            if now - watched > WATCH_SECONDS:
                self.watch(limit)
                watched = now
            if now - reported > REPORT_SECONDS or self.steps.to_json() != self.written:
                self.report("building")
                reported = now
            if self.broken:
                self.break_off(listener)
                return
        if self.folder.read("stop.json"):
            self.broken = self.broken or "It was stopped."

    def listen(self, stream: remote.Stream, parameters: dict[str, str], limit: int) -> None:
        """Take the engine's messages until the last one."""
        context = packing.pack(Path(self.build.context), self.build.dockerfile, limit)
        try:
            for message in stream.messages(parameters, context):
                self.log.write(self.steps.take(message).encode())
            if not self.steps.image and not self.steps.error:
                self.steps.error = f"{BROKE_OFF}."
        except RuntimeFault as fault:
            self.steps.error = str(fault)
            stream.close()
        except (OSError, ValueError) as error:
            self.steps.error = self.steps.error or f"{BROKE_OFF}: {error}."
            stream.close()
        finally:
            self.over.set()

    def measure(self) -> None:
        """Follow what the commands write to the disk, however long a look takes."""
        while self.network and not self.over.is_set():
            began = time.monotonic()
            upper = inside.upper_folder(next(self.network.processes(), 0))
            if upper:
                self.layers[upper.parent.name] = inside.folder_bytes(upper)
            self.over.wait(max(0.3, 4 * (time.monotonic() - began)))

    def watch(self, limit: int) -> None:
        """Find a reason to break off: asked to, too late, too large, too little disk left, not shut in."""
        network = self.network
        if network is None:
            return
        pids = list(network.processes())
        now = inside.usage(pids)
        self.cpu_seconds = max(self.cpu_seconds, now.cpu_seconds)
        written = sum(self.layers.values())
        self.usage = Usage(self.cpu_seconds, now.memory_bytes, written, now.processes)
        self.memory_kills = max(self.memory_kills, self.group.memory_kills())
        deadline = self.spec.deadline_seconds
        processes = self.spec.resources.processes
        if self.folder.read("stop.json"):
            self.broken = "It was stopped."
        elif deadline and time.monotonic() - self.began > deadline:
            self.broken = f"It reached its time limit of {deadline} s."
        elif written > limit:
            self.broken = f"It filled more than the {limit // 2**20} MiB of disk that a build has."
        elif self.free_bytes() < int(self.orders["reserve"]):
            self.broken = "The platform's disk is nearly full, so the build was ended. An operator has to make room."
        elif self.group.stranger(network):
            self.broken = "The container engine did not shut the build in, so it was ended at once."
        elif self.group.path is None and len(pids) > processes:
            self.broken = f"It started more than the {processes} processes that a build may have."

    def free_bytes(self) -> int:
        """Return how much room the engine's disk has; plenty where that can't be looked at."""
        try:
            found = os.statvfs(self.facts.storage)
        except OSError:
            return sys.maxsize
        return found.f_bavail * found.f_frsize if found.f_favail > 1000 else 0  # noqa: PLR2004  a few files must fit

    def break_off(self, listener: threading.Thread) -> None:
        """End the conversation and everything that the engine still does for it."""
        self.report("stopping")
        if self.stream:
            self.stream.close()
        self.layers |= dict.fromkeys(_layers_at_work(self.network) - self.layers.keys(), 0)
        inside.end_build(self.network, self.group)
        listener.join(BREAK_OFF_SECONDS)

    def undo(self, tagged: str) -> None:
        """Remove what a build that was broken off leaves at the engine."""
        with contextlib.suppress(RuntimeFault, APIError):
            now = remote.image_id(self.engine, self.build.tag)
            if now and now != tagged:
                with self.engine.call() as client:
                    client.remove_image(self.build.tag)
            remote.remove_layers(self.engine, self.steps.layers, self.began_at)

    def failure(self) -> Ending:
        """Tell in a sentence why there is no image."""
        error = self.steps.error
        step = self.steps.seen[-1] if self.steps.seen else None
        place = f"Step {step.number} of {step.total}" if step else "The build"
        memory = self.spec.resources.memory_mb
        if self.broken:
            return Ending(STOPPED, self.broken)
        if full := _disk_full(error):
            return Ending(FAILED, full)
        status = self.steps.exit_status
        if self.memory_kills or status == KILLED:
            said = f"{place} used more than the {memory} MiB of memory that a build has, so the system ended it."
            return Ending(KILLED, said, Trouble.OUT_OF_MEMORY)
        if status and step:
            return Ending(
                FAILED, f"{place} failed: its command ended with exit code {status}. {step.instruction[:200]}"
            )
        shown = error.rstrip(".")[-600:] or "the container engine ended without an image"
        trouble = Trouble.RUNTIME_AWAY if error.startswith(BROKE_OFF) else ""
        return Ending(FAILED, f"{place} failed: {shown}.", trouble)

    def finish(self, ending: Ending) -> None:
        """Remove what is left of the build but its image, and report the end."""
        if ending.exit_code:
            self.say(ending.reason)
        clean_up(self.engine, self.network, self.group, set(self.layers), self.orders)
        self.report("ended", ending)


def _engine(orders: dict[str, Any], folder: Folder) -> Engine:
    """Return a client of the engine that need not ask again what the runtime knows of it."""
    return Engine(str(orders["engine"]), folder.path.parent, Facts(**orders["facts"]))


def _disk_full(said: str) -> str:
    full = "no space left on device" in said.lower() or "disk quota exceeded" in said.lower()
    return "The disk is full: there is no room for the image. An operator has to make some." if full else ""


def clean_up(
    engine: Engine, network: inside.Network | None, group: inside.Group, layers: set[str], orders: dict[str, Any]
) -> None:
    """End every process of a build, and remove its working containers, its companion and its control group.

    What an engine that is away can't remove is written down for the end of the next build.
    """
    companion, leftovers = str(orders["companion"]), Path(str(orders["leftovers"]))
    layers = layers | _layers_at_work(network)  # a command may have begun since the last look
    inside.end_build(network, group, 0.0)
    with contextlib.suppress(RuntimeFault):
        engine.remove(companion)
    group.remove()
    left = leftovers / companion
    facts = Facts(**orders["facts"])  # the engine itself may be away
    if layers and facts.podman and facts.storage:
        leftovers.mkdir(mode=0o700, exist_ok=True)
        left.write_text("\n".join(layers))
    for one in leftovers.glob("*"):
        with contextlib.suppress(RuntimeFault, APIError, OSError):
            if remote.remove_working_containers(engine, Path(facts.storage), set(one.read_text().split())):
                one.unlink()


def _layers_at_work(network: inside.Network | None) -> set[str]:
    """Return the writable layers in which a build's commands run now."""
    uppers = [inside.upper_folder(pid) for pid in network.processes()] if network else []
    return {upper.parent.name for upper in uppers if upper}


def clean(folder: Folder) -> None:
    """End what a builder left that was ended by force, and report that end."""
    orders = folder.read("build.json")
    engine = _engine(orders, folder)
    network = None
    with contextlib.suppress(RuntimeFault):
        found = engine.inspect(str(orders["companion"]))
        pid = int(found["State"].get("Pid") or 0) if found else 0
        network = inside.Network.of(pid) if pid else None
    group = inside.Group.named(str(orders["group"]))
    layers = _layers_at_work(network)
    inside.end_build(network, group)
    clean_up(engine, network, group, layers, orders)
    stopped = bool(folder.read("stop.json"))
    reason = "It was stopped." if stopped else "Its builder was ended by force, or with the machine it ran on."
    ending = asdict(Ending(STOPPED if stopped else KILLED, reason))
    folder.write("built.json", json.dumps({"phase": "ended", "at": time.time(), **ending}))


def main() -> None:
    """Do as the command line says; the lock is held until the end of this program."""
    what, path, _lock = sys.argv[1:]
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    folder = Folder(Path(path))
    if what == "clean":
        clean(folder)
        return
    builder = Builder(folder)

    def stop(*_: Any) -> None:
        folder.write("stop.json", json.dumps({"kill_at": time.time()}))

    signal.signal(signal.SIGTERM, stop)
    builder.run()


if __name__ == "__main__":
    main()
