"""What an author changes among the files of a version: each change is a new package, planned to be built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from django.db import transaction

from spacelab.accounts.models import Person
from spacelab.builds import packages, planning, queries, rules
from spacelab.builds.actions.following import move
from spacelab.builds.actions.ordering import allow, create
from spacelab.builds.models import Build
from spacelab.builds.packages import Brought
from spacelab.builds.rules import State
from spacelab.datalabs import actions as datalab_actions
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.queries import state_of
from spacelab.datalabs.rules import State as VersionState
from spacelab.kit.refusals import Conflict, Forbidden

Change = Callable[[Path, Path], str]
"""From the folder of the present files and an empty one to the hash of the package that was made of them."""


def put_files(*, by: Person, version: DatalabVersion, files: Sequence[Brought], seen: str = "") -> Build:
    """Add files to those of a version, or put them in their place; plan how it is built with them.

    `seen` is the hash of the package that was looked at: where another is the newest meanwhile, `Conflict` is raised.
    """
    words = rules.words_of([one.path for one in files])
    return _change(by, version, lambda old, room: packages.take_in(files, room, over=old, keep_top=True), words, seen)


def remove_file(*, by: Person, version: DatalabVersion, path: str, seen: str = "") -> Build:
    """Take a file out of those of a version."""
    return _change(by, version, lambda old, room: packages.without(old, path, room), f"without {path}", seen)


def rename_file(*, by: Person, version: DatalabVersion, path: str, to: str, seen: str = "") -> Build:
    """Give a file of a version another name, or place."""
    words = f"{path} as {to}"
    return _change(by, version, lambda old, room: packages.without(old, path, room, renamed=to), words, seen)


@transaction.atomic
def _change(by: Person, version: DatalabVersion, change: Change, words: str, seen: str) -> Build:
    """Make the new package in place of a plan that waits; what was built goes back to a draft.

    Raises `Forbidden` for all but the author, `Conflict` in a state that keeps its files, `Invalid` for files that
    can't be taken or planned. Then nothing has changed.
    """
    if version.datalab.maintainer_id != by.pk:
        raise Forbidden("This is somebody else's datalab.", advice="Ask its author.")
    version = DatalabVersion.objects.select_for_update(of=("self",)).select_related("datalab").get(pk=version.pk)
    state = state_of(version)
    if not version.is_editable:
        raise Conflict(f"The files of a version that is {state.words} stay as they are.", advice="See its history.")
    old, earlier = queries.files_folder(version), queries.working_copy(version)
    if old is None:
        raise Conflict("The files of this version are not kept any more.", advice="Bring them again.")
    if seen and seen != old.name:
        raise Conflict("These files have changed since you looked at them.", advice="Compare, then save again.")
    if earlier and earlier.state == State.PLANNED:
        move(by=by, build=earlier, state=State.CANCELLED, reason="Its files were changed again.")
    allow(by)
    with packages.staging() as room:
        package = change(old, room)
    answers = {
        key: value for key, value in (earlier.answers if earlier else {}).items() if key not in packages.META_KEYS
    }
    planned = planning.plan(package, answers)
    build = create(by, source="upload", brought=words[:200], previous=earlier, answers=answers, package=package)
    move(by=by, build=build, state=State.PLANNED, reason="Ready to be built.", **planned.row())
    if state is not VersionState.DRAFT:
        datalab_actions.advance(by=by, version=version, transition="edit", reason=f"Files: {words}"[:300])
    return build
