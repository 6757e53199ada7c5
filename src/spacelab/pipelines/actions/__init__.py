"""Every write to the catalogue of pipelines and steps."""

from spacelab.pipelines.actions.importing import (
    begin_fetch,
    bring_git,
    cancel_import,
    fail_import,
    finish_import,
    let_go,
    stop_fetch,
)
from spacelab.pipelines.actions.installing import install_folder, offer_software
from spacelab.pipelines.actions.lifecycle import (
    LIFE,
    SYSTEM,
    advance,
    advance_by_platform,
    delete_draft,
    edit_metadata,
    note_people,
    record_evidence,
    record_run,
    share,
)
from spacelab.pipelines.actions.saving import create, save
from spacelab.pipelines.actions.talking import (
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
    "begin_fetch",
    "bookmark",
    "bring_git",
    "cancel_import",
    "comment",
    "create",
    "delete_draft",
    "edit_comment",
    "edit_metadata",
    "fail_import",
    "finish_import",
    "hide_comment",
    "install_folder",
    "let_go",
    "note_people",
    "offer_software",
    "rate",
    "record_evidence",
    "record_run",
    "report",
    "save",
    "share",
    "stop_fetch",
    "take_back_comment",
]
