"""Registers the workloads domain with Django."""

from django.apps import AppConfig


class WorkloadsConfig(AppConfig):
    """The workloads domain."""

    name = "spacelab.workloads"
    label = "workloads"
