"""Registers the testing domain with Django."""

from django.apps import AppConfig


class TestingConfig(AppConfig):
    """The testing domain."""

    name = "spacelab.testing"
    label = "testing"
