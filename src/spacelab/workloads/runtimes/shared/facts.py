"""What a runtime finds out about its host, for `spacelab doctor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One thing about this host: whether it is as wished, what was found, and what would mend it."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
