"""Registers the volumes domain with Django."""

from django.apps import AppConfig


class VolumesConfig(AppConfig):
    """The volumes domain."""

    name = "spacelab.volumes"
    label = "volumes"
