"""Workloads as containers of an engine with the Docker API: Podman's or Docker's."""

from spacelab.workloads.runtimes.container.options import Options
from spacelab.workloads.runtimes.container.runtime import ContainerRuntime

__all__ = ["ContainerRuntime", "Options"]
