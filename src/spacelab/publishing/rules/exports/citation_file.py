"""Terms as CITATION.cff (Citation File Format 1.2.0) and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from datalab_package import yaml_of
from spacelab.publishing.rules.exports.documents import Found
from spacelab.publishing.rules.term_types import Kind

MESSAGE = "If you use this software, please cite it as below."
"""What stands there when the author says nothing else."""
CITE = "Please cite: "

PLAIN: dict[str, str] = {
    "title": "title",
    "abstract": "abstract",
    "version": "version",
    "doi.notation": "doi",
    "url": "url",
    "keywords": "keywords",
}
"""Term → key, for what is written as it is."""
ORCID_ADDRESS = "https://orcid.org/"
KNOWN = frozenset({"cff-version", "message", "type", "license", "authors", "contact", "date-released", *PLAIN.values()})


def write(values: Mapping[str, Any], *, kind: Kind, concepts: Mapping[str, str]) -> str:  # noqa: ARG001  all formats' form
    """Write the terms that a citation needs."""
    citation = values.get("citation")
    names = values.get("creator.name") or [values.get("contactPoint.organisation-name") or "Unknown"]
    document: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": f"{CITE}{citation}" if citation else MESSAGE,
        "type": "software",
        "title": values.get("title") or "Untitled",
        "authors": [_agent(name) for name in names],
    }
    document |= {name: values[key] for key, name in PLAIN.items() if values.get(key)}
    if licences := _licences(values.get("distribution.license", "")):
        document["license"] = licences[0] if len(licences) == 1 else licences
    if contact := _contact(values):
        document["contact"] = [contact]
    if values.get("datePublished"):
        document["date-released"] = values["datePublished"][:10]
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _agent(name: str) -> dict[str, str]:
    """Write a name: as a person if it says which part is the family's, else whole, for nobody can tell."""
    family, comma, given = (part.strip() for part in name.partition(","))
    return {"family-names": family, "given-names": given} if comma and family and given else {"name": name}


def _contact(values: Mapping[str, Any]) -> dict[str, str]:
    contact = {}
    if values.get("contactPoint.organisation-name"):
        contact["affiliation"] = values["contactPoint.organisation-name"]
    if values.get("contactPoint.email"):
        contact["email"] = values["contactPoint.email"]
    identifier = values.get("contactPoint.id", "")
    if re.fullmatch(r"[\dX-]{19}", identifier):
        contact["orcid"] = ORCID_ADDRESS + identifier
    return contact


def _licences(expression: str) -> list[str]:
    """Return the identifiers of an expression that offers a choice; the format knows no other expressions."""
    parts = re.split(r"\s+OR\s+", expression.strip("()")) if expression else []
    plain = [part for part in parts if re.fullmatch(r"[A-Za-z0-9.+-]+", part) and not part.startswith("LicenseRef-")]
    return plain if len(plain) == len(parts) else []


def read(text: str, name: str, *, kind: Kind) -> Found:  # noqa: ARG001  all formats' form
    """Read the terms of a CITATION.cff."""
    document = yaml_of(text, name)
    found = Found()
    found.values = {key: document[name] for key, name in PLAIN.items() if document.get(name)}
    message = document.get("message")
    if isinstance(message, str) and message.startswith(CITE):
        found.values["citation"] = message.removeprefix(CITE)
    licence = document.get("license")
    if isinstance(licence, list):
        licence = " OR ".join(str(one) for one in licence)
    if licence:
        found.values["distribution.license"] = licence
    authors = document.get("authors")
    if isinstance(authors, list):
        found.values["creator.name"] = [name for one in authors if isinstance(one, dict) and (name := _name(one))]
    _read_contact(document.get("contact"), found)
    if document.get("date-released"):
        found.values["datePublished"] = document["date-released"]
    found.strange += [str(key)[:100] for key in document if key not in KNOWN]
    return found


def _name(agent: dict[str, Any]) -> str:
    if agent.get("name"):
        return str(agent["name"])
    family = " ".join(str(agent[part]) for part in ("name-particle", "family-names", "name-suffix") if agent.get(part))
    given = agent.get("given-names")
    return f"{family}, {given}" if family and given else family or str(given or agent.get("alias") or "")


def _read_contact(contacts: Any, found: Found) -> None:
    contact = contacts[0] if isinstance(contacts, list) and contacts else {}
    if isinstance(contact, dict):
        places = {"contactPoint.email": "email", "contactPoint.id": "orcid"}
        places["contactPoint.organisation-name"] = "affiliation"
        found.values |= {key: contact[name] for key, name in places.items() if contact.get(name)}
