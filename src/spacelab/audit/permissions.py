"""What a role may allow in the audit trail."""

from enum import StrEnum


class AuditPermission(StrEnum):
    """Permissions on the trail; nobody may write it by hand."""

    VIEW = "audit.view"
