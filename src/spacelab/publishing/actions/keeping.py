"""Keeping what the platform ships: rows that are found or made, and written only where they differ."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Manager, Model

Row = TypeVar("Row", bound=Model)


def keep(
    rows: Manager[Row], key: dict[str, Any], values: dict[str, Any], first: dict[str, Any] | None = None
) -> tuple[Row, bool]:
    """Find or make the row; save it only where it differs. Returns it and whether anything was written."""
    row = rows.select_for_update().filter(**key).first()
    if row is None:
        return rows.create(**key, **values, **(first or {})), True
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save()
    return row, bool(changed)
