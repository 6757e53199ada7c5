"""Registers the runs domain with Django."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """The runs domain."""

    name = "spacelab.runs"
    label = "runs"
