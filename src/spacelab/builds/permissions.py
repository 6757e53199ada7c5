"""What a role may allow with builds; who may author at all is said by the datalabs' permissions."""

from enum import StrEnum


class BuildPermission(StrEnum):
    """Permissions on builds; everybody may see and cancel her own."""

    MANAGE_ANY = "builds.manage-any"
