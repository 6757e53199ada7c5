"""Which address leads to which domain."""

from __future__ import annotations

urlpatterns: list[object] = []
