"""What builds need from whatever makes something runnable of a package, and from what checks the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from datalab_package import Manifest, Plan, PlannedStep
from spacelab.workloads.rules import WorkloadSpec


@dataclass(frozen=True)
class Order:
    """What is to be built, and where. Every folder is on this host."""

    build_id: str
    workload_id: str
    owner: str
    """Username; it names images and the person's own cache."""
    slug: str
    version: str
    number: int
    package: Path
    """The package's files, which nobody changes any more."""
    package_hash: str
    manifest: Manifest
    plan: Plan
    work: Path
    """A folder of this build alone; it is removed when the build has ended."""
    git_url: str = ""
    git_commit: str = ""
    """The repository that the package was fetched from, if it was."""
    origin_image: str = ""
    """The image of the version that the package is based on, where the plan builds on it."""


@dataclass(frozen=True)
class Result:
    """What came out: an environment's name or an image's tag, and how a session starts from it."""

    environment: str = ""
    image: str = ""
    image_id: str = ""
    base: str = ""
    size_bytes: int = 0
    command: list[str] = field(default_factory=list)
    interface: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    activity_probe: str = ""
    folder: str = ""
    """The environment's folder on this host."""


class Builder(Protocol):
    """Makes something runnable. Every method may be called again with the same order, e.g. after a crash."""

    def provided(self, kind: str) -> frozenset[str] | None:
        """Name the Python packages that a datalab of this kind finds there anyhow; None: those of the base images."""

    def steps(self, plan: Plan) -> tuple[PlannedStep, ...]:
        """Say in a few steps, each with its reason, how this builder follows a plan."""

    def check(self, order: Order) -> None:
        """Raise a refusal if this platform can't build that."""

    def pins(self, environment: str, kind: str) -> list[str]:
        """List what an environment has beyond the base of its kind, as requirements; empty where images carry it."""

    def ready_made(self, order: Order) -> Result | None:
        """Return what an earlier build made of the same content, if it can be used as it is."""

    def spec(self, order: Order) -> WorkloadSpec:
        """Return the workload that builds; its folders are prepared."""

    def finish(self, order: Order) -> Result:
        """Take over what the workload made, once it has succeeded; raise a refusal if that can't be used."""


@dataclass(frozen=True)
class BuildFacts:
    """What a check is told of a build that has come out; it may write its report into `reports`."""

    build_id: str
    owner: str
    slug: str
    version: str
    number: int
    package: Path
    package_hash: str
    result: Result
    reports: Path


@dataclass(frozen=True)
class CheckResult:
    """What a check found. A build with a check that is not `passed` fails; `report_file` is a name in `reports`."""

    title: str
    passed: bool
    summary: str
    report_file: str = ""


class Check(Protocol):
    """One check, named in the setting `BUILD_CHECKS`; a refusal that it raises fails the build with its words."""

    def __call__(self, facts: BuildFacts) -> CheckResult:
        """Look at what was built."""
