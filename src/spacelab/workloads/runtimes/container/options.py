"""What the container runtime needs to know about its platform."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from django.conf import settings

from spacelab.workloads.runtimes.shared.places import egress_socket


@dataclass(frozen=True)
class Options:
    """The runtime's settings: where its sockets live, which engine it talks to, what it may hand out."""

    run_directory: Path
    engine: str = ""
    """The engine's address; empty: the usual sockets are tried."""
    companion_image: str = "localhost/datalabs/datalabs_base:latest"
    """The image of the companions: any with Python at /usr/bin/python3."""
    workload_uid: int = 64200
    """The user of workloads where both the engine and the platform run as root."""
    disk_reserve_mb: int = 512
    """Free MiB of the engine's disk at which a build is ended."""
    gpu_devices: tuple[str, ...] = ()
    """The GPUs of this machine by their CDI names, e.g. nvidia.com/gpu=0."""

    environments: Path | None = None
    """Where the environments of pipelines' steps are."""
    warm: bool = False
    """Whether a loaded coordinator is kept for pipeline runs."""

    @classmethod
    def from_settings(cls) -> Options:
        """Read the platform's settings."""
        platform = settings.SPACELAB
        return cls(
            run_directory=platform.run_directory,
            engine=platform.container_engine,
            companion_image=platform.companion_image or f"{platform.image_registry}/datalabs/datalabs_base:latest",
            workload_uid=platform.workload_uid,
            disk_reserve_mb=platform.disk_reserve_mb,
            gpu_devices=tuple(platform.gpu_devices),
            environments=settings.ENVIRONMENTS_DIRECTORY,
            warm=platform.warm_pipelines,
        )

    @property
    def platform(self) -> str:
        """A mark by which this platform knows its own containers among those of others on the same engine."""
        return blake2b(str(self.run_directory.absolute()).encode(), digest_size=5).hexdigest()

    @property
    def egress_socket(self) -> Path:
        """Where workloads find the way out: in a folder of its own, which survives the socket's renewal."""
        return egress_socket(self.run_directory)
