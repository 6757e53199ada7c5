"""Every write to the app store."""

from spacelab.datalabs.actions.installing import install_from_manifest, open_version, record_built, replace_made
from spacelab.datalabs.actions.lifecycle import (
    LIFE,
    SYSTEM,
    advance,
    advance_by_platform,
    delete_draft,
    edit_metadata,
    note_people,
    note_start,
    record_evidence,
    share,
)
from spacelab.datalabs.actions.talking import (
    TALK,
    bookmark,
    comment,
    edit_comment,
    hide_comment,
    rate,
    report,
    take_back_comment,
)

__all__ = [
    "LIFE",
    "SYSTEM",
    "TALK",
    "advance",
    "advance_by_platform",
    "bookmark",
    "comment",
    "delete_draft",
    "edit_comment",
    "edit_metadata",
    "hide_comment",
    "install_from_manifest",
    "note_people",
    "note_start",
    "open_version",
    "rate",
    "record_built",
    "record_evidence",
    "replace_made",
    "report",
    "share",
    "take_back_comment",
]
