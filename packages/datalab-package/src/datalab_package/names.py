"""The names of a package: what kinds there are, and how the short name becomes an address."""

from __future__ import annotations

import re
import unicodedata

SLUG = r"^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$"
SLUG_ADVICE = "Use 2 to 60 lower-case letters, digits or hyphens."

KINDS = ("jupyter", "desktop", "web")
"""What a person sees when a datalab opens."""


def slug_of(name: str) -> str:
    """Return the address made of a name, or an empty text if none can be made."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    slug = re.sub(r"[^a-z0-9]+", "-", kept).strip("-")
    return slug if re.match(SLUG, slug) else ""
