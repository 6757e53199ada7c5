"""What a role may allow in accounts."""

from enum import StrEnum


class AccountPermission(StrEnum):
    """Permissions on people, teams and tokens."""

    CREATE_TEAM = "accounts.create-team"
    MANAGE_OWN_TOKENS = "accounts.manage-own-tokens"
    MANAGE_PEOPLE = "accounts.manage-people"
    DECIDE_ACCESS_REQUESTS = "accounts.decide-access-requests"
