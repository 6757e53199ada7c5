"""The container runtime: each workload is a container of an engine on this machine, in a network of its own."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from docker.errors import APIError

from spacelab.workloads.ports import RuntimeFault, StepSeen
from spacelab.workloads.rules import Capabilities, Network, Observation, Seen, WorkloadSpec
from spacelab.workloads.runtimes.container import building, images, seccomp, specification, users, writes
from spacelab.workloads.runtimes.container.companions import Companions
from spacelab.workloads.runtimes.container.engine import Engine, EngineAway, Facts
from spacelab.workloads.runtimes.container.folder import MARK, Folder
from spacelab.workloads.runtimes.container.mounts import PASSING_HOME
from spacelab.workloads.runtimes.container.observing import Observer, write_started
from spacelab.workloads.runtimes.container.options import Options
from spacelab.workloads.runtimes.container.runs import Runs
from spacelab.workloads.runtimes.container.specification import Parts
from spacelab.workloads.runtimes.shared import mounts
from spacelab.workloads.runtimes.shared.listening import listening

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
CLAIM_PATIENCE = 60.0
"""Seconds to wait for another `start` or `forget` of the same workload."""

HOSTS = "127.0.0.1 localhost datalab\n::1 localhost\n"
NO_SHELL = "This image has no shell at /bin/sh, which a datalab needs to be started."


@dataclass(frozen=True)
class Context:
    """What the parts of the runtime share."""

    options: Options
    engine: Engine
    companions: Companions


def warnings_of(facts: Facts) -> list[str]:
    """Say what this engine can't do."""
    found = []
    if not facts.memory:
        found.append("This container engine can't limit memory: a session may use up that of the whole machine.")
    elif not facts.swap:
        found.append("This container engine can't limit swap: a session that needs too much memory slows others down.")
    if not facts.processes:
        found.append("This container engine can't limit processes: a session may start so many that others suffer.")
    if not facts.cpu:
        found.append("This container engine can't limit CPU time: a session may slow others down.")
    if not facts.seccomp:
        found.append(
            "This container engine filters no system calls: sessions reach more of the kernel than they should."
        )
    return found


class ContainerRuntime:
    """Carries workloads as containers (see `ports.Runtime`)."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options.from_settings()
        engine = Engine(self.options.engine, self.options.run_directory)
        self.context = Context(self.options, engine, Companions(engine))
        self.runs = Runs(self.context)
        self._observer = Observer(self.options, engine, self.context.companions)
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="companion")

    def capabilities(self) -> Capabilities:
        """Say what this runtime can do with the engine that there is."""
        gpu = bool(self.options.gpu_devices)
        try:
            facts = self.context.engine.facts()
        except RuntimeFault as fault:
            return Capabilities(images=True, isolation="container", limits="none", gpu=gpu, warnings=(str(fault),))
        limits = "cgroup" if facts.memory and facts.processes else "none"
        return Capabilities(True, "container", limits, gpu, tuple(warnings_of(facts)))

    def end(self) -> None:
        """End what is kept for later starts; workloads go on (see `ports.KeepsThingsReady`)."""
        self.runs.end()

    def lacks(self, *, environment: str, image: str) -> bool:  # noqa: ARG002  the port's signature
        """Say whether the engine does not have this image (see `ports.KnowsWhatIsHere`)."""
        return bool(image) and not images.is_there(self.context.engine, image)

    def start(self, spec: WorkloadSpec, secrets: Mapping[str, str]) -> None:
        """Start the workload unless it was started before; raise `RuntimeFault` if that can't be done."""
        folder = self._folder(spec.id)
        self.options.run_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if spec.run:
            self.runs.start(spec, secrets)
            return
        with folder.claim(CLAIM_PATIENCE) as held:
            if not held:
                raise RuntimeFault("It is being started or removed already.", retry=True)
            if self._was_started(folder, spec.id):
                return
            try:
                self._start(folder, spec, secrets)
            except (APIError, OSError) as error:
                self._remove(folder, spec.id)
                raise RuntimeFault(_explain(error), retry=_passes(error)) from error
            except EngineAway:
                raise  # nothing can be removed now; the next start begins anew
            except RuntimeFault:
                self._remove(folder, spec.id)
                raise

    def _was_started(self, folder: Folder, workload_id: str) -> bool:
        """Say whether there is nothing left to start; what an interrupted start left is removed."""
        if folder.read("started.json") or folder.read("ended.json"):
            return True
        spec = folder.spec()
        if spec and spec.build and building.observe(self.context, folder, spec):
            return True
        found = self.context.engine.inspect(specification.application_name(self.options, workload_id))
        if found and found["State"]["Status"] not in {"created", "configured", "initialized"}:
            companion = self.context.companions.pid(specification.companion_name(self.options, workload_id))
            write_started(folder, found, companion)
            return True
        if found or folder.exists:
            self._remove_containers(workload_id)
            folder.clear()
        return False

    def _start(self, folder: Folder, spec: WorkloadSpec, secrets: Mapping[str, str]) -> None:
        (folder.path / MARK).touch()
        parts = self._parts(folder, spec)
        folder.make(parts.user.owner)
        folder.write("spec.json", json.dumps(spec.to_json()))
        self.context.companions.create(parts)
        if spec.build:
            self.context.companions.start(parts)
            building.start(self.context, folder, spec)
            return
        started = self._pool.submit(self.context.companions.start, parts)
        try:
            self._create(parts)
        finally:
            started.result()
        self.context.companions.hand_over(folder, specification.secret_text(secrets))
        name = specification.application_name(self.options, spec.id)
        with self.context.engine.call() as client:
            client.start(name)
        described = self.context.engine.inspect(name)
        if described is None:
            raise RuntimeFault("Its container was removed while it started.")
        write_started(folder, described, self.context.companions.pid(f"{name}.companion"))

    def _parts(self, folder: Folder, spec: WorkloadSpec) -> Parts:
        """Check what is asked for, and gather what the containers are made of."""
        engine, options = self.context.engine, self.options
        if spec.environment:
            raise RuntimeFault("This platform runs container images, not environments.")
        if not spec.image and not spec.build:
            raise RuntimeFault("It names no image to run.")
        facts = engine.facts()
        user = users.workload_user(facts, options.workload_uid)
        mounts.check(spec, user.owner)
        if spec.network is Network.OUTBOUND:
            options.egress_socket.parent.mkdir(mode=0o755, exist_ok=True)
        if spec.build:
            return Parts(options, facts, folder, spec, user, images.Image(""))
        image = images.find(engine, spec.image)
        if not spec.command and not image.command:
            raise RuntimeFault("There is no command to run: neither the datalab nor its image has one.")
        narrow = facts.podman and facts.seccomp
        call_filter = seccomp.write(options.run_directory / ".seccomp.json") if narrow else ""
        return Parts(options, facts, folder, spec, user, image, self._gpus(spec), call_filter)

    def _gpus(self, spec: WorkloadSpec) -> tuple[str, ...]:
        if not spec.resources.gpu:
            return ()
        if spec.resources.gpu > len(self.options.gpu_devices):
            message = f"It asks for {spec.resources.gpu} GPUs, and this platform has {len(self.options.gpu_devices)}."
            raise RuntimeFault(f"{message} An operator names them in SPACELAB_GPU_DEVICES.")
        listed = self.context.engine.list(f"{specification.PLATFORM_LABEL}={self.options.platform}")
        mine = specification.ours(self.options, listed).values()
        running = [one["Labels"] for one in mine if one.get("State") == "running"]
        taken = [name for marks in running for name in marks.get(specification.GPU_LABEL, "").split(",") if name]
        chosen = specification.gpus(spec, self.options.gpu_devices, taken)
        if len(chosen) < spec.resources.gpu:
            raise RuntimeFault("All GPUs are in use.", retry=True)
        return chosen

    def _create(self, parts: Parts) -> None:
        """Make the application's container, not yet running, and the files that it is shown."""
        folder, workload_id = parts.folder, parts.spec.id
        reader = specification.reader_name(self.options, workload_id)
        marks = specification.labels(self.options, workload_id, "reader")
        cache = images.cache_folder(self.options.run_directory)
        own = images.user_files(self.context.engine, parts.image, cache, reader, marks)
        (folder.gate / "orders").write_text(specification.orders(parts))
        for name, text in {
            "passwd": users.passwd(parts.places, own),
            "group": users.group(parts.places, own),
            "hosts": HOSTS,
        }.items():
            (folder.path / name).write_text(text)
            (folder.path / name).chmod(0o644)
        (folder.gate / "orders").chmod(0o644)
        home = folder.path / "home"
        home.mkdir()
        home.chmod(0o755)
        (home / parts.places.user).symlink_to(PASSING_HOME)
        with self.context.engine.call() as client:
            client.create_container(**specification.application(client, parts))

    def observe(self) -> dict[str, Observation]:
        """Report on every workload of this platform that the engine or a folder still knows."""
        seen = self._observer.observe(
            self._folders(), lambda folder, spec: building.observe(self.context, folder, spec)
        )
        return seen | self.runs.observe()

    def logs(self, workload_id: str, since: int = 0) -> Iterator[bytes]:
        """Yield what the workload printed, from byte `since` on; old output of a talkative one may be gone."""
        if self.runs.carries(workload_id):
            return self.runs.process.logs(workload_id, since)
        return self._folder(workload_id).log(since)

    def build_steps(self, workload_id: str) -> list[StepSeen]:
        """List the steps of a build, as far as they have come (see `ports.ShowsSteps`)."""
        return building.steps(self._folder(workload_id))

    def stop(self, workload_id: str, grace_seconds: float) -> None:
        """Ask the workload to end, and end it by force after the grace; return at once."""
        folder = self._folder(workload_id)
        if self.runs.carries(workload_id):
            self.runs.process.stop(workload_id, grace_seconds)
            return
        if not folder.exists:
            self.context.engine.signal(specification.application_name(self.options, workload_id), "SIGKILL")
            return
        spec = folder.spec()
        if spec and spec.build:
            building.stop(self.context, folder, grace_seconds)
        elif not folder.read("ended.json"):
            self._observer.ask_to_end(workload_id, folder, grace_seconds, "It was stopped.")

    def ports(self, workload_id: str) -> list[int] | None:
        """List the ports on which its programs listen, without the platform's own; None if it has ended."""
        pid = self.context.companions.pid(specification.companion_name(self.options, workload_id))
        return listening(pid) if pid else None

    def written(self, workload_id: str) -> list[str] | None:
        """List what was made or changed in the container's own file system, as far as the engine can tell."""
        name = specification.application_name(self.options, workload_id)
        found = self.context.engine.inspect(name)
        if not found:
            return None
        if found["HostConfig"].get("ReadonlyRootfs"):
            return []
        with self.context.engine.call() as client:
            return writes.outside(client.diff(name) or [], found)

    def forget(self, workload_id: str) -> None:
        """Remove what is left of an ended workload; one that still runs is left alone."""
        folder = self._folder(workload_id)
        if self.runs.carries(workload_id):
            self.runs.forget(workload_id)
            return
        if not folder.path.exists():
            self.runs.forget(workload_id)
            if self._runs(workload_id) is False:
                self._remove_containers(workload_id)
            return
        with folder.claim(CLAIM_PATIENCE) as held:
            if held and (folder.read("ended.json") or not self._is_at_work(folder, workload_id)):
                self._remove(folder, workload_id)

    def _is_at_work(self, folder: Folder, workload_id: str) -> bool:
        spec = folder.spec()
        if spec and spec.build:
            seen = building.observe(self.context, folder, spec)
            return bool(seen and seen.seen is not Seen.EXITED)
        return bool(self._runs(workload_id))

    def _runs(self, workload_id: str) -> bool | None:
        """Say whether a workload's container runs; None where there is none."""
        found = self.context.engine.inspect(specification.application_name(self.options, workload_id))
        return bool(found["State"]["Running"]) if found else None

    def _remove(self, folder: Folder, workload_id: str) -> None:
        spec = folder.spec()
        if spec and spec.build:
            building.forget(self.context, folder)
        self._remove_containers(workload_id)
        folder.remove()

    def _remove_containers(self, workload_id: str) -> None:
        """Remove the containers, the application first: it lives in the companion's network."""
        for name in specification.names(self.options, workload_id):
            self.context.engine.remove(name)
        self._observer.drop(workload_id)

    def _folder(self, workload_id: str) -> Folder:
        if not ID.fullmatch(workload_id):
            raise RuntimeFault("A workload's id holds lower-case letters, digits and hyphens only.")
        return Folder(self.options.run_directory / workload_id)

    def _folders(self) -> dict[str, Folder]:
        try:
            names = sorted(entry.name for entry in self.options.run_directory.iterdir())
        except FileNotFoundError:
            return {}
        folders = {name: Folder(self.options.run_directory / name) for name in names if ID.fullmatch(name)}
        return {name: folder for name, folder in folders.items() if folder.exists}


def _explain(error: Exception) -> str:
    """Turn what the engine refuses into a sentence."""
    said = str(getattr(error, "explanation", "") or error)
    if "/bin/sh" in said and ("no such file" in said or "not found" in said):
        return NO_SHELL
    with contextlib.suppress(ValueError, TypeError):
        said = json.loads(said)["message"]
    return f"The container could not be started: {said.strip().rstrip('.')[-500:]}."


def _passes(error: Exception) -> bool:
    """Say whether the same start may go well later: an engine's own trouble may pass, a bad request doesn't."""
    return not isinstance(error, APIError) or not error.is_client_error()
