"""The pages of pipelines that every published thing has: for its author, and for what people say about it."""

from __future__ import annotations

from spacelab.feedback.views import FeedbackPages
from spacelab.pipelines import actions, queries
from spacelab.pipelines.models import PipelineVersion
from spacelab.publishing.author_views import AuthorPages


def _uses_of(_version: PipelineVersion) -> list[object]:
    """Name nothing on the page: whoever deletes a version that runs is told by the action."""
    return []


PAGES = AuthorPages(
    life=actions.LIFE,
    context=queries.authoring_context,
    steps_of=queries.steps_of,
    terms_of=queries.terms_of,
    uses_of=_uses_of,
)
FEEDBACK = FeedbackPages(actions.TALK)
