"""Registers the images domain with Django."""

from django.apps import AppConfig


class ImagesConfig(AppConfig):
    """The images domain."""

    name = "spacelab.images"
    label = "images"
