"""Workloads as processes of this machine, each in a sandbox of its own where the host allows it."""

from spacelab.workloads.runtimes.process.egress import EgressPolicy, serve_egress
from spacelab.workloads.runtimes.process.options import Options, egress_socket
from spacelab.workloads.runtimes.process.runtime import ProcessRuntime

__all__ = ["EgressPolicy", "Options", "ProcessRuntime", "egress_socket", "serve_egress"]
