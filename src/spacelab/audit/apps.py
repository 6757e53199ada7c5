"""Registers the audit domain with Django."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The audit domain."""

    name = "spacelab.audit"
    label = "audit"
