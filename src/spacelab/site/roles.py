"""Which permissions there are, and which role has which of them unless an operator changes it.

The page of roles, the documentation and the tests are made from these two tables.
"""

from __future__ import annotations

from spacelab.accounts.permissions import AccountPermission
from spacelab.audit.permissions import AuditPermission
from spacelab.builds.permissions import BuildPermission
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.feedback.permissions import FeedbackPermission
from spacelab.pipelines.permissions import PipelinePermission
from spacelab.runs.permissions import RunPermission
from spacelab.sessions.permissions import SessionPermission
from spacelab.volumes.permissions import VolumePermission

SCIENTIST: tuple[str, ...] = (
    AccountPermission.CREATE_TEAM,
    AccountPermission.MANAGE_OWN_TOKENS,
    DatalabPermission.VIEW,
    DatalabPermission.LAUNCH_ARCHIVED,
    FeedbackPermission.BOOKMARK,
    FeedbackPermission.RATE,
    FeedbackPermission.COMMENT,
    FeedbackPermission.REPORT,
    PipelinePermission.LAUNCH,
    PipelinePermission.AUTHOR,
    SessionPermission.LAUNCH,
)
DEVELOPER = (*SCIENTIST, DatalabPermission.AUTHOR, DatalabPermission.SHARE, PipelinePermission.PUBLISH)
ADVANCED_DEVELOPER = (*DEVELOPER, DatalabPermission.AUTHOR_DOCKERFILE)
MODERATOR = (*SCIENTIST, DatalabPermission.MODERATE, FeedbackPermission.MODERATE, PipelinePermission.MODERATE)
OPERATOR = (
    *SCIENTIST,
    AccountPermission.MANAGE_PEOPLE,
    AccountPermission.DECIDE_ACCESS_REQUESTS,
    AuditPermission.VIEW,
    BuildPermission.MANAGE_ANY,
    DatalabPermission.ARCHIVE_ANY,
    PipelinePermission.ARCHIVE_ANY,
    RunPermission.MANAGE_ANY,
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

PERMISSION_MEANINGS: dict[str, str] = {
    AccountPermission.CREATE_TEAM: "make a team and invite people into it",
    AccountPermission.MANAGE_OWN_TOKENS: "make and revoke personal API tokens",
    AccountPermission.MANAGE_PEOPLE: "add and deactivate people, change roles, make password links",
    AccountPermission.DECIDE_ACCESS_REQUESTS: "grant or decline requests for an account",
    AuditPermission.VIEW: "read the audit trail",
    BuildPermission.MANAGE_ANY: "see and cancel anybody's builds",
    DatalabPermission.VIEW: "see the catalogue when signed in",
    DatalabPermission.AUTHOR: "write datalabs",
    DatalabPermission.AUTHOR_DOCKERFILE: "write datalabs with a Dockerfile of their own",
    DatalabPermission.MODERATE: "decide about what is published",
    DatalabPermission.ARCHIVE_ANY: "archive anybody's datalabs",
    DatalabPermission.LAUNCH_ARCHIVED: "launch versions that are in the archive",
    DatalabPermission.SHARE: "let named people and teams see and try versions before they are published",
    FeedbackPermission.BOOKMARK: "bookmark datalabs, and hear of their new versions",
    FeedbackPermission.RATE: "rate what others made",
    FeedbackPermission.COMMENT: "comment on datalabs, answer, and change one's own words",
    FeedbackPermission.REPORT: "tell the moderators that something is wrong",
    FeedbackPermission.MODERATE: "hide comments, and settle reports whatever they are about",
    PipelinePermission.LAUNCH: "run pipelines, and stop, pause, resume and repeat one's own runs",
    PipelinePermission.AUTHOR: "write pipelines and steps, and run one's own drafts",
    PipelinePermission.PUBLISH: "hand pipelines and steps in for review, publish them, and share drafts",
    PipelinePermission.MODERATE: "decide about which pipelines and steps are published",
    PipelinePermission.ARCHIVE_ANY: "archive anybody's pipelines and steps",
    RunPermission.MANAGE_ANY: "see and stop anybody's runs",
    SessionPermission.LAUNCH: "launch sessions, and stop, restart and extend one's own",
    SessionPermission.MANAGE_ANY: "see and stop anybody's sessions",
    VolumePermission.MANAGE: "add, change and retire archive volumes",
}
"""What each permission allows to do, after “allows to …”; one without a line here fails a test."""
