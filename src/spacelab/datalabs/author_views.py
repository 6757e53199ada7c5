"""The authoring pages of datalabs: those that every published thing has."""

from __future__ import annotations

from spacelab.datalabs import actions, queries
from spacelab.publishing.author_views import AuthorPages

PAGES = AuthorPages(
    life=actions.LIFE,
    context=queries.authoring_context,
    steps_of=queries.steps_of,
    terms_of=queries.terms_of,
    uses_of=queries.uses_of,
)
