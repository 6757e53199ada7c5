"""Workloads as processes of this machine, each in a sandbox of its own where the host allows it."""

from spacelab.workloads.runtimes.process.options import Options
from spacelab.workloads.runtimes.process.runtime import ProcessRuntime

__all__ = ["Options", "ProcessRuntime"]
