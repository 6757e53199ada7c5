"""Decisions about datalabs: names, states, and what a version needs to be launched."""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from datalab_package import names
from datalab_package.problems import PackageProblem
from spacelab.kit.refusals import Invalid

SLUG = names.SLUG
SLUG_ADVICE = names.SLUG_ADVICE
KINDS = names.KINDS


def fold(text: str) -> str:
    """Return `text` without case and accents, as the search compares it."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def tag_index(tags: list[str]) -> str:
    """Return the tags folded, each between bars, so that one whole tag can be looked for."""
    return "|" + "".join(f"{fold(tag)}|" for tag in tags)


def refusal_of(problem: PackageProblem) -> Invalid:
    """Say as the platform's own refusal what is wrong with a package."""
    return Invalid(problem.message, advice=problem.advice, field=problem.key or problem.file)


class State(StrEnum):
    """Where a version stands; the life before publishing comes with the authoring pages."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"
