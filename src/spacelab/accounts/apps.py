"""Registers the accounts domain with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts domain."""

    name = "spacelab.accounts"
    label = "accounts"
