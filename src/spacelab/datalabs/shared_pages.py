"""The pages of datalabs that every published thing has: for its author, and for what people say about it."""

from __future__ import annotations

from spacelab.datalabs import actions, queries
from spacelab.feedback.views import FeedbackPages
from spacelab.publishing.author_views import AuthorPages

PAGES = AuthorPages(
    life=actions.LIFE,
    context=queries.authoring_context,
    steps_of=queries.steps_of,
    terms_of=queries.terms_of,
    uses_of=queries.uses_of,
)
FEEDBACK = FeedbackPages(actions.TALK)
