"""Registers the site domain with Django."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site domain."""

    name = "spacelab.site"
    label = "site"
