"""How a pipeline run appears inside its workload: its folders, its steps' environments, and the coordinator."""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import RUN_CACHE, RUN_FOLDER, WorkloadSpec
from spacelab.workloads.runtimes.shared.places import INSIDE

RUNNER_PACKAGE = "cwl_runner"
REFERENCE_PACKAGE = "cwltool"
PLATFORM_PACKAGE = "spacelab"
FIXED = ("bundle", "options.json", "job.json")
"""What of a run folder the platform alone writes: read-only inside."""


@dataclass(frozen=True)
class Software:
    """The coordinator's own software on the host: a folder of Python packages, and the runner's package."""

    packages: Path
    runner: Path

    @property
    def hidden(self) -> Path | None:
        """The platform's own source among the packages, where it was installed with them: nothing for a run to see."""
        found = self.packages / PLATFORM_PACKAGE
        return found if found.is_dir() else None


def _folder_of(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.origin:
        raise RuntimeFault(f"The platform's Python has no “{package}”, so it can't run pipelines.")
    return Path(found.origin).resolve().parent


@functools.cache
def software() -> Software:
    """Find the coordinator's software; raise `RuntimeFault` if this platform was installed without it."""
    return Software(_folder_of(REFERENCE_PACKAGE).parent, _folder_of(RUNNER_PACKAGE))


def environments(spec: WorkloadSpec) -> tuple[str, ...]:
    """List all environments that a workload is shown: its own, and those of a run's steps."""
    wanted = [spec.environment, *(spec.run.environments.values() if spec.run else ())]
    return tuple(dict.fromkeys(name for name in wanted if name))


def all_mounts(spec: WorkloadSpec) -> tuple[Mount, ...]:
    """List a workload's mounts, with those of its run; what the platform alone writes comes after what holds it."""
    if spec.run is None:
        return spec.mounts
    folder = Path(spec.run.folder)
    fixed = [
        Mount(str(folder / name), f"{RUN_FOLDER}/{name}")
        for name in FIXED
        if (folder / name).exists() and not (folder / name).is_symlink()
    ]
    shared = Mount(spec.run.cache, RUN_CACHE, read_only=False, volume="cache")
    return (*spec.mounts, Mount(str(folder), RUN_FOLDER, read_only=False, volume="run folder"), *fixed, shared)


def coordinator(python: str, program: str, packages: str, runner: str, root: str = "") -> tuple[str, ...]:
    """Return the command that carries out the run. `root` is where a stand-in for a sandbox's paths begins."""
    return (python, "-I", "-S", "-B", program, packages, runner, f"{root}{RUN_FOLDER}")


def plain_coordinator(python: Path, root: Path) -> tuple[str, ...]:
    """Return the same for a host without a sandbox."""
    found = software()
    return coordinator(
        str(python), str(INSIDE / "coordinator.py"), str(found.packages), str(found.runner.parent), str(root)
    )
