"""Every write to accounts, one verb each; the modules here group them, this one is what others import."""

from spacelab.accounts.actions.access import decline_access, grant_access, request_access
from spacelab.accounts.actions.people import (
    add_person,
    change_profile,
    deactivate_person,
    reactivate_person,
    set_roles,
)
from spacelab.accounts.actions.roles import install_demo_people, install_roles, reset_role, set_role_permissions
from spacelab.accounts.actions.sign_in import (
    change_password,
    make_password_link,
    set_password_by_link,
    sign_in_as_demo,
    verify_password,
)
from spacelab.accounts.actions.teams import (
    accept_invitation,
    create_team,
    decline_invitation,
    invite,
    leave_team,
    remove_member,
    rename_team,
    set_owner,
    withdraw_invitation,
)
from spacelab.accounts.actions.tokens import (
    create_token,
    end_workload_tokens,
    issue_workload_token,
    note_token_use,
    revoke_token,
)

__all__ = [
    "accept_invitation",
    "add_person",
    "change_password",
    "change_profile",
    "create_team",
    "create_token",
    "deactivate_person",
    "decline_access",
    "decline_invitation",
    "end_workload_tokens",
    "grant_access",
    "install_demo_people",
    "install_roles",
    "invite",
    "issue_workload_token",
    "leave_team",
    "make_password_link",
    "note_token_use",
    "reactivate_person",
    "remove_member",
    "rename_team",
    "request_access",
    "reset_role",
    "revoke_token",
    "set_owner",
    "set_password_by_link",
    "set_role_permissions",
    "set_roles",
    "sign_in_as_demo",
    "verify_password",
    "withdraw_invitation",
]
