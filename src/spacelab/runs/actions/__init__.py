"""Every write of runs: people's launches and controls, and what the controller notes of them."""

from spacelab.runs.actions.control import delete, pause, rename, resume, show_to, stop, unpause
from spacelab.runs.actions.following import (
    cut_off,
    end_by_workload,
    go_on_if_lost,
    note_at_work,
    note_disk,
    remove_folder,
    stop_leftover,
    take_over,
    tidy,
)
from spacelab.runs.actions.launching import launch, launch_documents
from spacelab.runs.actions.saving import delete_saved, save_launch
from spacelab.runs.actions.starting import SYSTEM, begin_if_room
from spacelab.runs.actions.unpacking import Unpacked, show_job, unpack_job

__all__ = [
    "SYSTEM",
    "Unpacked",
    "begin_if_room",
    "cut_off",
    "delete",
    "delete_saved",
    "end_by_workload",
    "go_on_if_lost",
    "launch",
    "launch_documents",
    "note_at_work",
    "note_disk",
    "pause",
    "remove_folder",
    "rename",
    "resume",
    "save_launch",
    "show_job",
    "show_to",
    "stop",
    "stop_leftover",
    "take_over",
    "tidy",
    "unpack_job",
    "unpause",
]
