"""Registers the sessions domain with Django."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """The sessions domain."""

    name = "spacelab.sessions"
    label = "lab_sessions"
