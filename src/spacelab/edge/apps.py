"""Registers the edge domain with Django."""

from django.apps import AppConfig


class EdgeConfig(AppConfig):
    """The edge domain."""

    name = "spacelab.edge"
    label = "edge"
