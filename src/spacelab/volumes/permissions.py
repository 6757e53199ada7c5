"""What a role may allow with volumes."""

from enum import StrEnum


class VolumePermission(StrEnum):
    """Permissions on archive volumes."""

    MANAGE = "volumes.manage"
