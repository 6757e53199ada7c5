"""Registers the builds domain with Django."""

from django.apps import AppConfig


class BuildsConfig(AppConfig):
    """The builds domain."""

    name = "spacelab.builds"
    label = "builds"
