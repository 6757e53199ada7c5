"""What people say about pipelines, for those who may see the pipeline."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from spacelab.accounts.models import Person
from spacelab.feedback import queries as feedback
from spacelab.kit.refusals import Conflict
from spacelab.pipelines.models import Pipeline
from spacelab.pipelines.queries.listing import is_published, pipeline

KIND = "pipeline"
"""What stands before a pipeline's short name where feedback names it."""


def subject_of(entry: Pipeline) -> str:
    """Return how feedback and the audit trail name a pipeline."""
    return f"{KIND}:{entry.slug}"


def subject_named(subject: str) -> Pipeline | None:
    """Find the pipeline that feedback names so, whoever may see it; None for anything else."""
    kind, _, slug = subject.partition(":")
    return Pipeline.objects.select_related("maintainer").filter(slug=slug).first() if kind == KIND else None


def standing_of(entry: Pipeline) -> feedback.Shown:
    """Say of what `pipeline` found how it is rated, how much is written about it, and what the person thinks of it."""
    return feedback.shown(entry)


def discussed(slug: str, person: Person | AnonymousUser) -> Pipeline:
    """Find a pipeline that the person sees and may speak about; raise `NotFound`, or `Conflict` for a mere draft."""
    found = pipeline(slug, person)
    if not is_published(found):
        raise Conflict("It is not published yet.", advice="Tell its author directly what you think of the draft.")
    return found
