"""What operations of the API share: which part of a long list is asked for, and answers that are no JSON."""

from __future__ import annotations

from typing import Any

from ninja import Schema
from pydantic import Field

MOST = 200
"""Entries of one answer at most."""
LARGEST_NUMBER = 2**63 - 1
"""What every database can still count to, and so the largest id and offset."""


class Part(Schema):
    """The entries from `offset` on, `limit` of them at most."""

    offset: int = Field(default=0, ge=0, le=LARGEST_NUMBER)
    limit: int = Field(default=50, ge=1, le=MOST)


def sends(*media_types: str, **statuses: str) -> dict[str, Any]:
    """Describe an operation whose answer has no schema of its own; give it as `openapi_extra`.

    More statuses are named as `s206="A range"`.
    """
    content = {one: {"schema": {} if one.endswith("json") else {"type": "string"}} for one in media_types}
    more = {int(name.removeprefix("s")): {"description": words} for name, words in statuses.items()}
    described: dict[int, Any] = {200: {"content": content}, **more}
    return {"responses": described}
