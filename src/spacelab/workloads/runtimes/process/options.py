"""What the process runtime needs to know about its platform."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from django.conf import settings

from spacelab.workloads.runtimes.shared.places import egress_socket


@dataclass(frozen=True)
class Options:
    """The runtime's settings: where sockets and environments live, how to isolate, and as which user."""

    run_directory: Path
    environments: Path
    sandbox: Literal["auto", "bubblewrap", "plain"] = "auto"
    workload_uid: int = 64200
    interpreter: str = ""
    """The Python that supervises workloads; empty: the one that runs the platform, outside its virtual environment."""
    limits: Literal["auto", "cgroup", "rlimit"] = "auto"

    warm: bool = False
    """Whether a loaded coordinator is kept for pipeline runs."""
    standby: bool = False
    """Whether it waits in a sandbox that is made already, where that is possible."""

    slurm: bool = False
    """Whether steps of pipeline runs are jobs of a Slurm cluster."""
    slurm_conf: str = ""
    slurm_options: tuple[str, ...] = ()

    @classmethod
    def from_settings(cls) -> Options:
        """Read the platform's settings."""
        platform = settings.SPACELAB
        return cls(
            run_directory=platform.run_directory,
            environments=settings.ENVIRONMENTS_DIRECTORY,
            sandbox=platform.sandbox,
            workload_uid=platform.workload_uid,
            warm=platform.warm_pipelines,
            standby=platform.warm_pipelines,
            slurm=platform.pipeline_steps == "slurm",
            slurm_conf=str(platform.slurm_conf or ""),
            slurm_options=tuple(platform.slurm_options),
        )

    @property
    def python(self) -> Path:
        """The real path of the interpreter that supervises workloads."""
        return Path(self.interpreter or sys.executable).resolve()

    @property
    def egress_socket(self) -> Path:
        """Where workloads find the way out: in a folder of its own, which survives the socket's renewal."""
        return egress_socket(self.run_directory)
