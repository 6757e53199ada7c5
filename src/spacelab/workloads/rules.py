"""What a workload is: its specification, its phases, and what a runtime reports about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from spacelab.kit.refusals import Invalid
from spacelab.volumes.rules import Mount


class Kind(StrEnum):
    """Whether somebody talks to the workload while it runs."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


class Network(StrEnum):
    """What a workload may reach: nothing, or the outside world as the platform's policy allows."""

    NONE = "none"
    OUTBOUND = "outbound"


class Desired(StrEnum):
    """What the web process wants of a workload."""

    RUN = "run"
    STOP = "stop"


class Phase(StrEnum):
    """Where a workload stands. The last three are final."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


FINAL = frozenset({Phase.STOPPED, Phase.SUCCEEDED, Phase.FAILED})

NEXT_PHASES: dict[Phase, frozenset[Phase]] = {
    Phase.QUEUED: frozenset({Phase.STARTING, Phase.STOPPED, Phase.FAILED}),
    Phase.STARTING: frozenset({Phase.RUNNING, Phase.STOPPING, Phase.STOPPED, Phase.SUCCEEDED, Phase.FAILED}),
    Phase.RUNNING: frozenset({Phase.STOPPING, Phase.STOPPED, Phase.SUCCEEDED, Phase.FAILED}),
    Phase.STOPPING: frozenset({Phase.STOPPED, Phase.FAILED}),
    Phase.STOPPED: frozenset(),
    Phase.SUCCEEDED: frozenset(),
    Phase.FAILED: frozenset(),
}
"""From each phase, the phases that may follow; any other change is a mistake of the platform."""


@dataclass(frozen=True)
class Resources:
    """What a workload may use: CPU cores, memory in MiB, GPUs, scratch in MiB, processes and threads."""

    cpu: float = 1.0
    memory_mb: int = 2048
    gpu: int = 0
    scratch_mb: int = 1024
    processes: int = 512


@dataclass(frozen=True)
class Interface:
    """The web interface of a workload. `path` and `health_path` may hold `{id}`, the workload's id."""

    name: str = "main"
    port: int = 10000
    path: str = "/"
    health_path: str = "/"


@dataclass(frozen=True)
class ImageBuild:
    """An image that a workload makes: from the Dockerfile in a folder of the host, named `tag`.

    `arguments` are the Dockerfile's build arguments, `labels` what the image will say about its origin.
    """

    context: str
    tag: str
    dockerfile: str = "Dockerfile"
    arguments: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


RUN_FOLDER = "/run/spacelab-run"
"""Where a pipeline run finds its run folder inside its workload, and leaves its events."""
RUN_CACHE = "/var/cache/spacelab-run"
"""Where it finds the outputs of steps that its owner's runs finished before."""
RUN_PLACES = "/var/spool/spacelab-run"
"""Where it finds the folders in which steps run as containers, by their numbers,"""
RUN_BROKER = "/run/spacelab-broker"
"""and the folder with the socket of the broker that starts those (broker.sock)."""
BROKERS = ".brokers"
"""Where both lie below the platform's run directory: a folder for each workload."""
ENVIRONMENTS = "/opt/environments"
"""Where environments stand inside, each below its own name."""


IMAGE = "image:"
"""Before the name of an image, where the software of steps may be environments or images."""


@dataclass(frozen=True)
class PipelineRun:
    """A pipeline run that a workload carries out: everything it is lies in `folder`, a folder of the host.

    `cache` is the folder of the host that the runs of one person share. `environments` are the software of its steps:
    for each name that documents use, the environment, which appears below `ENVIRONMENTS`. `images` are in the same way
    the container images that its steps may use, where the runtime has an engine; others are refused.
    What comes back in `folder` was in the hands of foreign programs: read it without following links.
    """

    folder: str
    cache: str
    environments: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: str, cache: str, software: Mapping[str, str]) -> PipelineRun:
        """Describe a run with its steps' software by the names in documents: environments, or `IMAGE` and an image."""
        images = {name: one.removeprefix(IMAGE) for name, one in software.items() if one.startswith(IMAGE)}
        environments = {name: one for name, one in software.items() if name not in images}
        return cls(folder, cache, environments, images)


@dataclass(frozen=True)
class WorkloadSpec:
    """Everything a runtime needs to start a workload; what is secret is handed over apart, and never stored."""

    id: str
    owner: str
    kind: Kind
    command: tuple[str, ...]
    environment: str = ""
    image: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    resources: Resources = field(default_factory=Resources)
    interface: Interface | None = None
    network: Network = Network.NONE
    deadline_seconds: int | None = None
    activity_probe: str = ""
    build: ImageBuild | None = None
    """The image to make; such a workload has no command of its own, and only a runtime of images can carry it."""
    run: PipelineRun | None = None
    """The pipeline run to carry out; such a workload is batch, and has no command of its own."""

    def to_json(self) -> dict[str, Any]:
        """Return the specification as plain JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> WorkloadSpec:
        """Read back what `to_json` made; raise `KeyError` or `TypeError` on data that it did not make."""
        interface, build, run = data["interface"], data.get("build"), data.get("run")
        return cls(
            **{
                **data,
                "kind": Kind(data["kind"]),
                "network": Network(data["network"]),
                "command": tuple(data["command"]),
                "mounts": tuple(Mount(**mount) for mount in data["mounts"]),
                "resources": Resources(**data["resources"]),
                "interface": Interface(**interface) if interface else None,
                "build": ImageBuild(**build) if build else None,
                "run": PipelineRun(**run) if run else None,
            }
        )


class Trouble(StrEnum):
    """What went wrong with a workload, where that can be told: pages say for each what to do next."""

    IMAGE_MISSING = "image-missing"
    OUT_OF_MEMORY = "out-of-memory"
    CRASHED = "crashed"
    """It ended before its interface answered."""
    UNANSWERED = "unanswered"
    """It went on, and its interface did not answer in time."""
    MISPLACED = "misplaced"
    """Its interface answers, and finds nothing at the path where it is opened."""
    DISK_FULL = "disk-full"
    """It wrote more to the platform's disk than its scratch may hold."""
    RUNTIME_AWAY = "runtime-away"
    """What carries workloads does not answer itself, e.g. the container engine."""
    LOST = "lost"
    """It is gone with all that watched it: its machine was restarted, or everything of it was killed."""


@dataclass(frozen=True)
class Usage:
    """What a workload uses: CPU seconds since its start, memory in bytes now, scratch in bytes now, processes now."""

    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    scratch_bytes: int = 0
    processes: int = 0


class Seen(StrEnum):
    """What a runtime sees of a workload: coming up, answering or at work, or ended."""

    STARTING = "starting"
    RUNNING = "running"
    EXITED = "exited"


@dataclass(frozen=True)
class Observation:
    """A runtime's report on one workload. `address` is what the edge dials; `reason` is for a person to read."""

    seen: Seen
    address: str = ""
    exit_code: int | None = None
    reason: str = ""
    usage: Usage = field(default_factory=Usage)
    busy: bool = False
    """Whether the activity probe saw the application at work, e.g. a busy kernel."""
    trouble: str = ""
    """The `Trouble` that ended it, where the runtime can tell."""
    result: str = ""
    """What it made, where that is not a file: the id of an image."""


@dataclass(frozen=True)
class Capabilities:
    """What a runtime can do here. `isolation` is "sandbox", "container" or "none"; `limits` says how they bind."""

    images: bool
    isolation: str
    limits: str
    gpu: bool = False
    warnings: tuple[str, ...] = ()


def datalab_name(spec: WorkloadSpec) -> str:
    """Name the folder of what a person keeps for a workload's datalab alone."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", spec.variables.get("DATALAB_NAME") or spec.environment or spec.image)


def personal_environment(spec: WorkloadSpec) -> str:
    """Say where in her home a person's own packages for this datalab lie; `-py<major>.<minor>` follows."""
    return f".spacelab/environments/{datalab_name(spec)}"


@dataclass(frozen=True)
class Profile:
    """A size that a workload can have: CPU cores, memory and scratch in MiB, and whether it reaches the network."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    name: str
    title: str
    cpu: float
    memory_mb: int
    scratch_mb: int = 4096
    network: str = "outbound"

    @property
    def memory_gib(self) -> float:
        """Memory in GiB, as people read it."""
        return round(self.memory_mb / 1024, 1)

    @property
    def summary(self) -> str:
        """The profile in one line."""
        cores = "1 core" if self.cpu == 1 else f"{self.cpu:g} cores"
        return f"{cores}, {self.memory_gib:g} GiB memory, {self.scratch_mb / 1024:g} GiB scratch"


PROFILES: tuple[Profile, ...] = (
    Profile("small", "Small", cpu=1, memory_mb=2048, scratch_mb=4096),
    Profile("medium", "Medium", cpu=2, memory_mb=4096, scratch_mb=8192),
    Profile("large", "Large", cpu=4, memory_mb=8192, scratch_mb=16384),
)
"""The profiles of a fresh install, smallest first; the setting `profiles` replaces them."""


def profile_named(name: str, profiles: Sequence[Profile]) -> Profile:
    """Return the profile called `name`; raise `Invalid` if there is none."""
    for profile in profiles:
        if profile.name == name:
            return profile
    offered = ", ".join(profile.name for profile in profiles)
    raise Invalid(f"There is no resource profile “{name[:40]}”.", advice=f"Choose one of: {offered}.", field="profile")
