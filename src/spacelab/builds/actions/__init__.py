"""Every write of builds: environments of the catalogue, people's orders, and what the controller notes of them."""

from spacelab.builds.actions.changing import put_files, remove_file, rename_file
from spacelab.builds.actions.deriving import derive
from spacelab.builds.actions.environments import build_environment
from spacelab.builds.actions.following import (
    SYSTEM,
    begin,
    fail,
    mark_cleaned,
    move,
    release_workload,
    save_checks,
    save_steps,
    stop_overfull,
    stop_workload,
)
from spacelab.builds.actions.ordering import again, bring_files, bring_git, cancel, start
from spacelab.builds.actions.pruning import prunable, prune
from spacelab.builds.actions.restoring import absent_versions, build_absent, build_again

__all__ = [
    "SYSTEM",
    "absent_versions",
    "again",
    "begin",
    "bring_files",
    "bring_git",
    "build_absent",
    "build_again",
    "build_environment",
    "cancel",
    "derive",
    "fail",
    "mark_cleaned",
    "move",
    "prunable",
    "prune",
    "put_files",
    "release_workload",
    "remove_file",
    "rename_file",
    "save_checks",
    "save_steps",
    "start",
    "stop_overfull",
    "stop_workload",
]
