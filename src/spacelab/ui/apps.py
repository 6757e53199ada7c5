"""Registers the ui domain with Django."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """The ui domain."""

    name = "spacelab.ui"
    label = "ui"
