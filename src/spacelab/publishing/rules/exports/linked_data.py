"""Terms as JSON-LD and back: a SoftwareApplication of schema.org that is a resource of DCAT too."""

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
from spacelab.publishing.rules.term_types import NAMESPACES, Kind, Type

CONTEXT = {"@vocab": NAMESPACES["sdo"], **{name: iri for name, iri in NAMESPACES.items() if name != "sdo"}}
"""All that a reader needs: nothing has to be fetched."""

PATHS: dict[str, Path] = {
    "title": ("name",),
    "alternateName": ("alternateName",),
    "displayName": ("alternateName",),
    "abstract": ("abstract",),
    "contactPoint.email": ("contactPoint", "email"),
    "contactPoint.organisation-name": ("contactPoint", "affiliation", "name"),
    "contactPoint.id": ("contactPoint", "identifier"),
    "contactPoint.role": ("contactPoint", "contactType"),
    "creator.name": ("creator", "name"),
    "creator.logo": ("foaf:logo",),
    "version": ("version",),
    "distribution.license": ("license",),
    "description": ("description",),
    "instrument": ("esado:instrument",),
    "mission": ("esado:mission",),
    "thumbnailUrl": ("thumbnailUrl",),
    "keywords": ("keywords",),
    "citation": ("citation",),
    "funder": ("funder", "name"),
    "doi.notation": ("skos:notation",),
    "domain": ("esado:domain",),
    "language": ("inLanguage",),
    "associatedFileType": ("esado:associatedFileType",),
    "audienceType": ("audience", "audienceType"),
    "ESAOfficial": ("esado:ESAOfficial",),
    "dateCreated": ("dateCreated",),
    "dateModified": ("dateModified",),
    "datePublished": ("datePublished",),
    "url": ("url",),
}
"""Term → where it stands. Terms without a path are written as additional properties."""

OTHERWISE: dict[str, list[Path]] = {
    "version": [("softwareVersion",)],
    "creator.name": [("author", "name")],
    "keywords": [("dcat:keyword",)],
    "doi.notation": [("identifier",)],
    "thumbnailUrl": [("image",)],
    "abstract": [("dct:description",)],
    "contactPoint.email": [("email",)],
}
"""Where other programs write the same, read if the first place is empty."""

DERIVED = {
    "dct:title": "title",
    "dct:description": "abstract",
    "dct:issued": "datePublished",
    "dct:modified": "dateModified",
    "dcat:version": "version",
    "dcat:keyword": "keywords",
    "softwareVersion": "version",
}
"""What DCAT and schema.org ask for under names of their own."""

TYPES = {
    "contactPoint": "ContactPoint",
    "affiliation": "Organization",
    "funder": "Organization",
    "audience": "Audience",
}


def write(values: Mapping[str, Any], *, kind: Kind, concepts: Mapping[str, str]) -> str:
    """Write terms as JSON-LD; `concepts` gives the IRI of each keyword that is one of a thesaurus."""
    document: dict[str, Any] = {"@context": CONTEXT, "@type": ["SoftwareApplication", "dcat:Resource"]}
    if values.get("url"):
        document["@id"] = values["url"]
        document["dcat:landingPage"] = {"@id": values["url"]}
    for key, value in values.items():
        if key in PATHS and kind in TERMS[key].kinds:
            _place(document, key, value)
    document |= {name: values[key] for name, key in DERIVED.items() if values.get(key)}
    if about := [_concept(word, concepts) for word in values.get("keywords", []) if word in concepts]:
        document["about"] = about
    if more := [key for key in values if key not in PATHS]:
        document["additionalProperty"] = [
            {"@type": "PropertyValue", "name": key, "value": values[key]} for key in sorted(more)
        ]
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _place(document: dict[str, Any], key: str, value: Any) -> None:
    term = TERMS[key]
    if key == "creator.name":
        document["creator"] = [{"@type": "Person", "name": name} for name in value]
        return
    if term.type is Type.LICENCE:
        value = licence_address(value)
    elif term.type is Type.DOI:
        document["identifier"] = DOI_ADDRESS + value
    elif term.type is Type.IRI:
        value = {"@id": value}
    place(document, PATHS[key], value, TYPES)


def _concept(word: str, concepts: Mapping[str, str]) -> dict[str, str]:
    return {"@id": concepts[word], "@type": "skos:Concept", "skos:prefLabel": word}


def read(text: str, name: str, *, kind: Kind) -> Found:
    """Read terms from JSON-LD in the form that is written here, and from schema.org documents like it.

    Contexts are not fetched: names count by the prefixes in common use.
    """
    document = bare(read_json(text, name))
    found = Found()
    for key, path in PATHS.items():
        if kind in TERMS[key].kinds:
            places = [path, *OTHERWISE.get(key, [])]
            if values := next((values for one in places if (values := found_at(document, one))), []):
                found.values[key] = one_or_many(values)
    _read_more(document, found)
    ways = [*PATHS.values(), *(path for paths in OTHERWISE.values() for path in paths)]
    known = {path[0] for path in ways} | set(DERIVED) | {"about", "additionalProperty", "dcat:landingPage"}
    found.strange += left_over(document, known)
    return found


def _read_more(document: dict[str, Any], found: Found) -> None:
    """Read the additional properties."""
    more = document.get("additionalProperty", [])
    for one in more if isinstance(more, list) else [more]:
        if isinstance(one, dict) and isinstance(one.get("name"), str) and found_at(one.get("value"), ()):
            found.values.setdefault(one["name"], one_or_many(found_at(one["value"], ())))
        else:
            found.strange.append("additionalProperty")
