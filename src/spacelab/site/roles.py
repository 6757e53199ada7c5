"""Which role may do what on a fresh install: the table that the documentation and the tests are made from."""

from __future__ import annotations

from spacelab.accounts.permissions import AccountPermission
from spacelab.audit.permissions import AuditPermission
from spacelab.builds.permissions import BuildPermission
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.sessions.permissions import SessionPermission
from spacelab.volumes.permissions import VolumePermission

SCIENTIST: tuple[str, ...] = (
    AccountPermission.CREATE_TEAM,
    AccountPermission.MANAGE_OWN_TOKENS,
    DatalabPermission.VIEW,
    DatalabPermission.LAUNCH_ARCHIVED,
    SessionPermission.LAUNCH,
)
DEVELOPER = (*SCIENTIST, DatalabPermission.AUTHOR, DatalabPermission.SHARE)
ADVANCED_DEVELOPER = (*DEVELOPER, DatalabPermission.AUTHOR_DOCKERFILE)
MODERATOR = (*SCIENTIST, DatalabPermission.MODERATE)
OPERATOR = (
    *SCIENTIST,
    AccountPermission.MANAGE_PEOPLE,
    AccountPermission.DECIDE_ACCESS_REQUESTS,
    AuditPermission.VIEW,
    BuildPermission.MANAGE_ANY,
    DatalabPermission.ARCHIVE_ANY,
    SessionPermission.MANAGE_ANY,
    VolumePermission.MANAGE,
)

ROLE_MATRIX: dict[str, list[str]] = {
    "scientist": [str(one) for one in SCIENTIST],
    "developer": [str(one) for one in DEVELOPER],
    "advanced-developer": [str(one) for one in ADVANCED_DEVELOPER],
    "moderator": [str(one) for one in MODERATOR],
    "operator": [str(one) for one in OPERATOR],
}
