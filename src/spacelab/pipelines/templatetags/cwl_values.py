"""Values of CWL as pages write them."""

from __future__ import annotations

import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """Write a value as it stands in a job order."""
    return json.dumps(value, ensure_ascii=False, default=str)
