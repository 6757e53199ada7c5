"""What a role may allow with runs."""

from enum import StrEnum


class RunPermission(StrEnum):
    """Permissions on runs; everybody may control her own."""

    MANAGE_ANY = "runs.manage-any"
