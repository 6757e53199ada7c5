"""Registers the notifications domain with Django."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """The notifications domain."""

    name = "spacelab.notifications"
    label = "notifications"
