"""Terms as CodeMeta 3 (codemeta.json) and back; https://codemeta.github.io/terms/ names what it knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spacelab.publishing.rules.exports.documents import (
    DOI_ADDRESS,
    Found,
    Path,
    bare,
    found_at,
    left_over,
    licence_address,
    one_or_many,
    place,
    read_json,
)
from spacelab.publishing.rules.term_list import TERMS
from spacelab.publishing.rules.term_types import Kind, Type

CONTEXT = "https://w3id.org/codemeta/3.0"

PATHS: dict[str, Path] = {
    "title": ("name",),
    "alternateName": ("schema:alternateName",),
    "displayName": ("schema:alternateName",),
    "abstract": ("schema:abstract",),
    "contactPoint.email": ("maintainer", "email"),
    "contactPoint.id": ("maintainer", "id"),
    "contactPoint.organisation-name": ("maintainer", "affiliation", "name"),
    "contactPoint.role": ("maintainer", "schema:jobTitle"),
    "creator.name": ("author", "name"),
    "version": ("version",),
    "distribution.license": ("license",),
    "description": ("description",),
    "thumbnailUrl": ("schema:thumbnailUrl",),
    "keywords": ("keywords",),
    "citation": ("citation",),
    "funder": ("funder", "name"),
    "doi.notation": ("identifier",),
    "domain": ("applicationCategory",),
    "language": ("schema:inLanguage",),
    "audienceType": ("schema:audience", "schema:audienceType"),
    "dateModified": ("dateModified",),
    "datePublished": ("datePublished",),
    "url": ("url",),
}
"""Term → where it stands. What CodeMeta has no place for is left out."""

TYPES = {
    "maintainer": "Person",
    "affiliation": "Organization",
    "funder": "Organization",
    "schema:audience": "schema:Audience",
}
PERSON_PARTS = (("givenName",), ("familyName",))


def write(values: Mapping[str, Any], *, kind: Kind, concepts: Mapping[str, str]) -> str:  # noqa: ARG001  all formats' form
    """Write terms as CodeMeta 3."""
    document: dict[str, Any] = {"@context": CONTEXT, "type": "SoftwareSourceCode"}
    for key, value in values.items():
        if key == "creator.name":
            document["author"] = [{"type": "Person", "name": name} for name in value]
        elif key in PATHS and kind in TERMS[key].kinds:
            place(document, PATHS[key], _written(TERMS[key].type, value), TYPES, "type")
    if values.get("abstract") and not values.get("description"):
        document["description"] = values["abstract"]
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _written(kind: Type, value: Any) -> Any:
    if kind is Type.LICENCE:
        return licence_address(value)
    if kind is Type.DOI:
        return DOI_ADDRESS + value
    if kind is Type.PERSON_ID and not value.startswith("http"):
        return f"https://orcid.org/{value}"
    return value


def read(text: str, name: str, *, kind: Kind) -> Found:
    """Read terms from CodeMeta, of version 2 or 3."""
    document = bare(read_json(text, name))
    found = Found()
    for key, path in PATHS.items():
        bare_path = tuple(step.removeprefix("schema:") for step in path)
        if kind in TERMS[key].kinds and (values := found_at(document, bare_path)):
            found.values[key] = one_or_many(values)
    maintainer = document.get("maintainer")
    if isinstance(maintainer, dict) and "@id" in maintainer:
        found.values.setdefault("contactPoint.id", maintainer["@id"])
    authors = document.get("author", document.get("creator", []))
    if names := [name for one in (authors if isinstance(authors, list) else [authors]) if (name := _name(one))]:
        found.values["creator.name"] = names
    _share_description(found)
    known = {path[0].removeprefix("schema:") for path in PATHS.values()} | {"creator"}
    found.strange += left_over(document, known)
    return found


def _name(author: Any) -> str:
    if isinstance(author, str):
        return author
    whole = found_at(author, ("name",))
    parts = whole[:1] or [part for path in PERSON_PARTS for part in found_at(author, path)]
    return " ".join(str(part) for part in parts)


def _share_description(found: Found) -> None:
    """Read a lone description as the abstract if it is short enough to be one."""
    values = found.values
    description = values.get("description")
    if isinstance(description, str):
        if "abstract" not in values and len(description) <= TERMS["abstract"].longest:
            values["abstract"] = description
        if " ".join(description.split()) == values.get("abstract"):
            del values["description"]
