"""Removing what nothing needs any more, one thing after the other, each looked at again at the last moment."""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.builds import queries, rules, unneeded
from spacelab.builds.clearing import remove
from spacelab.builds.permissions import BuildPermission
from spacelab.builds.rules import Unneeded
from spacelab.images import actions as images
from spacelab.kit.refusals import Refusal

GOING = f"{unneeded.GOING}*"
logger = logging.getLogger(__name__)


def prunable() -> list[Unneeded]:
    """List what `prune` would remove now, the oldest first."""
    found = unneeded.find()
    return rules.to_remove(found, unneeded.retention(), free=unneeded.free_bytes(), now=timezone.now())


def prune(*, by: audit.Actor) -> list[Unneeded]:
    """Remove what nothing needs and what the settings don't keep; return what went, the oldest first.

    What can't be removed now, e.g. because the engine still uses it, stays for the next time.
    """
    if isinstance(by, Person):
        require(by, BuildPermission.MANAGE_ANY)
    for going in [*settings.ENVIRONMENTS_DIRECTORY.glob(GOING), *queries.cache_folder("").glob(GOING)]:
        remove(going)  # what an earlier removal left that was interrupted
    gone = []
    for one in prunable():
        try:
            if _remove(by, one):
                gone.append(one)
                _note(by, one)
        except (Refusal, OSError) as error:
            logger.info("%s %s stays, it can't be removed now: %s", one.kind, one.name, error)
    return gone


def _note(by: audit.Actor, one: Unneeded) -> None:
    with transaction.atomic():
        audit.record(by=by, action="builds.prune", subject=f"{one.kind}:{one.name}", bytes=one.size)


def _remove(by: audit.Actor, one: Unneeded) -> bool:
    if one.kind == "image":
        return one not in unneeded.needed() and images.remove_image(by=by, name=one.name, image_id=one.mark)
    if one.kind == "papers":
        images.remove_papers(by=by, key=one.name)
        return True
    roots = {
        "environment": settings.ENVIRONMENTS_DIRECTORY,
        "package": queries.package_folder(""),
        "cache": queries.cache_folder(""),
    }
    return _remove_folder(one, roots[one.kind] / one.name)


def _remove_folder(one: Unneeded, folder: Path) -> bool:
    """Take a folder out of sight first, so that whoever needs it from then on makes it anew; bring it back if late."""
    going = folder.with_name(f"{unneeded.GOING}{folder.name}")
    remove(going)
    young = timezone.now() - unneeded.moment(folder) < rules.YOUNGEST_REMOVED  # somebody has just brought the same
    if young or one in unneeded.needed():
        return False
    folder.rename(going)
    if one in unneeded.needed() and not folder.exists():
        going.rename(folder)
        return False
    remove(going)
    return True
