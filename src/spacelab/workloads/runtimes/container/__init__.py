"""Workloads as containers of an engine with the Docker API: Podman's or Docker's."""
