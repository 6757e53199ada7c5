"""Which pipelines and steps exist for whom, and finding one of them."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.kit.refusals import Conflict, NotFound
from spacelab.pipelines.models import PipelineVersion
from spacelab.pipelines.permissions import PipelinePermission
from spacelab.publishing import queries as publishing
from spacelab.publishing.rules import KEPT, RUNNABLE

VISITOR = AnonymousUser()


def seen_by(person: Person | AnonymousUser) -> QuerySet[PipelineVersion]:
    """List the versions that exist for the person: her own, those shared with her, those for everybody."""
    return publishing.seen_by(PipelineVersion, person)


def launchable_by(person: Person | AnonymousUser) -> QuerySet[PipelineVersion]:
    """List the versions that the person may run: published ones first, then what she may try."""
    return publishing.launchable_by(PipelineVersion, person)


def inside_for(person: Person | AnonymousUser) -> QuerySet[PipelineVersion]:
    """List the versions of which the person sees all: her own, a moderator's to judge, an operator's to archive."""
    return publishing.inside_for(PipelineVersion, person)


def require_launch(person: Person | AnonymousUser) -> None:
    """Raise `NotSignedIn` or `Forbidden` unless the person may run pipelines."""
    require(person, PipelinePermission.LAUNCH)


def find_seen(by: Person | AnonymousUser, slug: str, version: str = "") -> PipelineVersion:
    """Find a version that the person may see, or raise `NotFound` as if there were none.

    Without a version it is the newest published one, else the newest draft that she may see.
    """
    return _found(seen_by(by), slug, version)


def find_launchable(by: Person | AnonymousUser, slug: str, version: str = "") -> PipelineVersion:
    """Find a version that the person may run; raise `NotFound`, or `Conflict` for one that she sees and can't run.

    Without a version it is the newest published one, else the newest draft that she may try.
    """
    try:
        return _found(launchable_by(by), slug, version)
    except NotFound:
        seen = find_seen(by, slug, version)
        words = seen.family.words_of(publishing.state_of(seen))
        advice = "Mend its document first." if seen.state not in RUNNABLE | KEPT else "Ask its author."
        raise Conflict(f"{seen} can't be run: it is {words}.", advice=advice) from None


def _found(rows: QuerySet[PipelineVersion], slug: str, version: str) -> PipelineVersion:
    wanted = rows.filter(pipeline__slug=slug).select_related("pipeline", "pipeline__maintainer")
    found = (wanted.filter(version=version) if version else wanted).first()
    if found is None:
        which = f" with a version “{version[:40]}”" if version else ""
        raise NotFound(f"There is no pipeline “{slug[:60]}”{which}.", advice="Look for it in the catalogue.")
    return found
