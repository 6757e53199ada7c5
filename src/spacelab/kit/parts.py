"""Which part of a long list a program asks for."""

from __future__ import annotations

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
