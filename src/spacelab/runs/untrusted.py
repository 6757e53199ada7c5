"""Taking over what a workload wrote: whatever it is, what comes out has the expected type and a bounded size."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

LARGEST_DATA = 131_072
"""Characters that one value may have as JSON."""
LARGEST_OUTPUTS = 4 * 2**20
"""Characters that the outputs of a whole run may have as JSON: some fifteen thousand files."""
LONGEST_WHOLE = 2**62
FIRST_YEAR, LAST_YEAR = 2000, 2200


def text(value: Any, longest: int) -> str:
    """Return a text without what databases refuse, cut to so many characters; empty for anything else."""
    if not isinstance(value, str):
        return ""
    fit = value[: longest + 1].replace("\0", "").encode("utf-8", "replace").decode()
    return fit if len(fit) <= longest else f"{fit[: longest - 1]}…"


def whole(value: Any, least: int = 0) -> int | None:
    """Return a whole number from `least` on; None for anything else."""
    fits = isinstance(value, int) and not isinstance(value, bool) and least <= value < LONGEST_WHOLE
    return value if fits else None


def number(value: Any) -> float | None:
    """Return a number that is finite and not negative; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def when(value: Any) -> datetime | None:
    """Return a moment given in seconds since 1970; None for anything that can't be one."""
    seconds = number(value)
    try:
        moment = datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (OverflowError, ValueError, OSError):
        return None
    return moment if moment and FIRST_YEAR <= moment.year <= LAST_YEAR else None


def records(value: Any, most: int) -> Iterator[Mapping[str, Any]]:
    """Yield the mappings of a list, at most so many."""
    if isinstance(value, list):
        yield from (one for one in value[:most] if isinstance(one, Mapping))


def data(value: Any, largest: int = LARGEST_DATA) -> dict[str, Any]:
    """Return a mapping that a database takes as JSON; one that is too large says so instead."""
    if not isinstance(value, Mapping) or not value:
        return {}
    try:
        written = json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return {}
    if len(written) > largest:
        return {"…": f"too large to be shown: {len(written)} characters"}
    try:
        found: dict[str, Any] = _clean(value)
    except RecursionError:
        return {}
    return found


def _clean(value: Any) -> Any:
    """Return JSON data in which every text is one that databases take."""
    if isinstance(value, str):
        return text(value, LARGEST_DATA)
    if isinstance(value, Mapping):
        return {text(str(key), LARGEST_DATA): _clean(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return value
