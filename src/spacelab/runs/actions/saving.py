"""Keeping launches for the next time: inputs and choices under a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.kit.refusals import Invalid, OverQuota
from spacelab.pipelines.queries import require_launch
from spacelab.runs import queries
from spacelab.runs.models import SavedLaunch
from spacelab.runs.untrusted import data

LONGEST_NAME = 80
MOST_SAVED = 500


def save_launch(
    *, by: Person, slug: str, version: str, name: str, job: Mapping[str, Any], choices: Mapping[str, Any]
) -> SavedLaunch:
    """Keep inputs and choices of a pipeline under a name; the same name again replaces them."""
    require_launch(by)
    cleaned = " ".join("".join(one for one in name if one.isprintable()).split())
    if not cleaned or len(cleaned) > LONGEST_NAME:
        raise Invalid(f"A name has 1 to {LONGEST_NAME} characters.", advice="Enter another.", field="name")
    if job and not data(job):
        raise Invalid("This job order can't be saved.", advice="Make it smaller.", field="job")
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=by.pk)
        if queries.saved_launches(by).exclude(pipeline_slug=slug, name=cleaned).count() >= MOST_SAVED:
            raise OverQuota(f"You saved {MOST_SAVED} launches already.", advice="Delete one that you don't need.")
        saved, _ = SavedLaunch.objects.update_or_create(
            person=by,
            pipeline_slug=slug,
            name=cleaned,
            defaults={"version_number": version, "job": data(job), "choices": dict(choices)},
        )
        audit.record(by=by, action="runs.save-launch", subject=f"saved-launch:{saved.pk}", pipeline=slug, name=cleaned)
    return saved


def delete_saved(*, by: Person, slug: str, name: str) -> None:
    """Forget a saved launch."""
    saved = queries.find_saved(by, slug, name)
    with transaction.atomic():
        audit.record(by=by, action="runs.delete-saved", subject=f"saved-launch:{saved.pk}", pipeline=slug, name=name)
        saved.delete()
