"""How something published is cited: a reference as a paper prints it, and an entry for BibTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spacelab.publishing.rules.exports.documents import DOI_ADDRESS
from spacelab.publishing.rules.terms import visible

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{one: f"\\{one}" for one in "&%$#_{}"},
}
"""What LaTeX takes for something else, and how the sign itself is written."""
MOST_NAMES = 8
"""Authors that the reference names; BibTeX gets all."""


@dataclass(frozen=True)
class Reference:
    """What one copies to cite a version: `asked` is what its author asks for, word by word, or empty."""

    asked: str
    text: str
    bibtex: str


def reference_of(values: Mapping[str, Any]) -> Reference:
    """Make the reference of a version from its public terms; `url` is where it is found."""
    seen = visible(values, insider=False)
    names = [one for one in _texts(seen.get("creator.name")) if one] or ["Unknown"]
    year = str(seen.get("datePublished") or "")[:4]
    doi = str(seen.get("doi.notation") or "")
    place = f"{DOI_ADDRESS}{doi}" if doi else str(seen.get("url") or "")
    title, version = str(seen.get("title") or "Untitled"), str(seen.get("version") or "")
    who = "; ".join(names[:MOST_NAMES]) + (" et al." if len(names) > MOST_NAMES else "")
    parts = [f"{who} ({year})" if year else who, f"{title}, version {version}" if version else title, "Software"]
    text = ". ".join(one.rstrip(".") for one in parts) + "." + (f" {place}" if place else "")
    fields = {
        "author": " and ".join(_whole(one) for one in names),
        "title": f"{{{_plain(title)}}}",
        "version": _plain(version),
        "year": year,
        "doi": doi,
        "url": place,
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    key = re.sub(r"[^A-Za-z0-9.:-]+", "-", f"{seen.get('alternateName') or title}-{version}").strip("-")
    return Reference(str(seen.get("citation") or ""), text, f"@software{{{key},\n" + ",\n".join(lines) + "\n}")


def _texts(value: object) -> list[str]:
    return [str(one).strip() for one in (value if isinstance(value, list) else [value or ""])]


def _whole(name: str) -> str:
    """Write a name; one without a comma stays whole, since nobody can tell which part of it is the family's."""
    plain = _plain(name)
    return plain if "," in name else f"{{{plain}}}"


def _plain(text: str) -> str:
    return "".join(SPECIAL.get(one, one) for one in text)
