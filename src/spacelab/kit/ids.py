"""Identifiers that are safe in host names, paths and addresses."""

from __future__ import annotations

import secrets

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 characters without look-alikes (no 0, 1, l, o)."""

LENGTH = 12
"""Characters of an id: 60 random bits, and short enough for a host name's label."""


def new_id() -> str:
    """Make an id: 12 lower-case letters and digits, the first of them a letter, so it can start a host name."""
    return secrets.choice(ALPHABET[:24]) + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
