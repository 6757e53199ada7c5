"""What a role may allow with sessions."""

from enum import StrEnum


class SessionPermission(StrEnum):
    """Permissions on sessions; everybody may manage her own."""

    LAUNCH = "sessions.launch"
    MANAGE_ANY = "sessions.manage-any"
