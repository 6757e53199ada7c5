"""Registers the datalabs domain with Django."""

from django.apps import AppConfig


class DatalabsConfig(AppConfig):
    """The datalabs domain."""

    name = "spacelab.datalabs"
    label = "datalabs"
