"""The vocabulary for programs: the declared metadata terms, and the concepts that keywords are picked from."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest
from ninja import Router, Schema

from spacelab.publishing import queries
from spacelab.publishing.rules import terms
from spacelab.publishing.rules.terms import Term
from spacelab.publishing.rules.thesaurus import Suggestion

router = Router(tags=["vocabulary"])
"""Stands at `/vocabulary` of the API."""


class TermOut(Schema):
    """One metadata term; `longest` counts characters, of each entry where the value is a list of up to `most`."""

    key: str
    label: str
    vocabulary: str
    iri: str
    block: str
    hint: str
    type: str
    longest: int
    most: int
    writer: str
    private: bool


class ConceptOut(Schema):
    """One concept; `matched` is the other label that fitted, if the preferred one did not."""

    iri: str
    label: str
    matched: str

    @staticmethod
    def resolve_iri(suggestion: Suggestion) -> str:
        """Take it from the concept."""
        return suggestion.concept.iri

    @staticmethod
    def resolve_label(suggestion: Suggestion) -> str:
        """Take it from the concept."""
        return suggestion.concept.label


@router.get("/terms", response=list[TermOut])
def list_terms(request: HttpRequest, kind: Literal["datalab", "pipeline"] = "datalab") -> list[Term]:  # noqa: ARG001  a handler's form
    """List the metadata terms of a datalab or pipeline: what they hold, who writes them, who sees them."""
    return terms.terms_of(kind)


@router.get("/concepts", response=list[ConceptOut])
def list_concepts(request: HttpRequest, q: str) -> list[Suggestion]:  # noqa: ARG001  a handler's form
    """List at most twenty concepts of the thesaurus whose labels fit what was typed."""
    return queries.thesaurus().suggest(q)
