"""What is written about a version: its metadata, term by term, by whoever writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.datalabs import queries
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.rules import KEPT
from spacelab.kit.refusals import Conflict, Forbidden, Invalid
from spacelab.publishing.rules import State, terms


@transaction.atomic
def edit_metadata(*, by: Person, version: DatalabVersion, values: Mapping[str, Any]) -> DatalabVersion:
    """Write terms of a version: its author those of hers while it is editable, a moderator those of the moderators.

    An empty value takes its term away; terms that are not among `values` stay. The catalogue's entry follows until a
    version is published. Raises `Forbidden`, `Conflict` where the state does not allow it, `Invalid` with the term as
    its field.
    """
    version = DatalabVersion.objects.select_for_update(of=("self",)).select_related("datalab").get(pk=version.pk)
    writer = queries.writer_of(by, version)
    if writer is None:
        if not queries.inside_for(by).filter(pk=version.pk).exists():
            raise Forbidden("This is somebody else's datalab.", advice="Ask its author.")
        raise Conflict(
            f"You can't change the metadata of a version that is {State(version.state).words}.",
            advice="Its author changes them before she submits it, moderators while they review it.",
        )
    same = {"alternateName": version.datalab.slug, "version": version.version}
    for key, value in same.items():
        if values.get(key, value) != value:
            raise Invalid("It names this version, and stays.", advice="Bring a new version instead.", field=key)
    before = version.metadata
    changes = {key: value for key, value in values.items() if key not in same}
    after = {**terms.merged(before, changes, writer=writer, kind=terms.Kind.DATALAB), **same}
    changed = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    if not changed:
        return version
    version.metadata = after
    version.save(update_fields=["metadata"])
    if not version.datalab.versions.filter(state__in=KEPT).exists():
        follow(version)
    audit.record(
        by=by,
        action="datalabs.edit-metadata",
        subject=version.subject,
        version=version.version,
        terms=changed,
    )
    return version


def follow(version: DatalabVersion) -> None:
    """Have the catalogue's entry say what the version says."""
    datalab = version.datalab
    for name, value in queries.entry_of(version).items():
        setattr(datalab, name, value)
    datalab.save()
