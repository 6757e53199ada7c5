"""Registers the pipelines domain with Django."""

from django.apps import AppConfig


class PipelinesConfig(AppConfig):
    """The pipelines domain."""

    name = "spacelab.pipelines"
    label = "pipelines"
