"""Registers the moderation domain with Django."""

from django.apps import AppConfig


class ModerationConfig(AppConfig):
    """The moderation domain."""

    name = "spacelab.moderation"
    label = "moderation"
