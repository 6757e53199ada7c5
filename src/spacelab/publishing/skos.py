"""Reads a thesaurus from a SKOS file: RDF/XML, Turtle, N-Triples or JSON-LD."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rdflib import Graph, Literal
from rdflib.namespace import DC, DCTERMS, OWL, RDF, RDFS, SKOS
from rdflib.term import Node, URIRef

from spacelab.kit.refusals import Invalid
from spacelab.publishing.rules.term_checks import clean_text, is_web_address
from spacelab.publishing.rules.term_types import Flaw
from spacelab.publishing.rules.thesaurus import Concept, Thesaurus

LARGEST_FILE = 50_000_000
"""Bytes; the Unified Astronomy Thesaurus has three million as RDF/XML."""
MOST_CONCEPTS = 20_000
"""More would make suggestions slow: they are looked for in memory, one label after the other."""
LONGEST_LABEL = 100
"""Characters: as long as a keyword may be."""

ENDINGS = {
    ".rdf": "xml",
    ".xml": "xml",
    ".owl": "xml",
    ".ttl": "turtle",
    ".nt": "nt",
    ".json": "json-ld",
    ".jsonld": "json-ld",
}
TITLES = (DCTERMS.title, DC.title, RDFS.label, SKOS.prefLabel)


def read_skos(file: Path, language: str = "en") -> Thesaurus:
    """Return the concepts of a file with their labels in one language.

    Concepts that are deprecated or have no label are left out. Nothing is fetched. Raises `Invalid`.
    """
    graph = _graph(file)
    concepts = []
    for subject in set(graph.subjects(RDF.type, SKOS.Concept)):
        if isinstance(subject, URIRef) and is_web_address(str(subject)) and not _is_deprecated(graph, subject):
            label, *_ = [*_labels(graph, subject, SKOS.prefLabel, language), ""]
            if label:
                others = {one for one in _labels(graph, subject, SKOS.altLabel, language) if one != label}
                concepts.append(Concept(str(subject), label, tuple(sorted(others))))
    if not concepts:
        raise Invalid(
            f"{file.name} holds no concepts with a preferred label in “{language}”.",
            advice="Is it a SKOS file? Its concepts are of the type skos:Concept.",
        )
    if len(concepts) > MOST_CONCEPTS:
        raise Invalid(f"{file.name} holds {len(concepts):,} concepts, at most {MOST_CONCEPTS:,} are kept.")
    scheme = min(graph.subjects(RDF.type, SKOS.ConceptScheme), key=str, default=None)
    return Thesaurus(
        concepts,
        title=_first(graph, scheme, TITLES) or file.stem,
        version=_first(graph, scheme, (OWL.versionInfo, DCTERMS.hasVersion)),
        licence=_first(graph, scheme, (DCTERMS.license, DCTERMS.rights, DC.rights)),
    )


def _graph(file: Path) -> Graph:
    form = ENDINGS.get(file.suffix.lower())
    if form is None:
        raise Invalid(f"{file.name} is in no form that is known.", advice=f"Known are {', '.join(ENDINGS)}.")
    try:
        size = file.stat().st_size
        content = file.read_bytes() if size <= LARGEST_FILE else b""
    except OSError as error:
        raise Invalid(f"{file} can't be read: {error.strerror}.", advice="Name a SKOS file.") from error
    if size > LARGEST_FILE:
        raise Invalid(f"{file.name} is larger than {LARGEST_FILE // 1_000_000} MB.")
    try:
        fetches = form == "json-ld" and _fetches(json.loads(content))
        graph = Graph() if fetches else Graph().parse(data=content, format=form)
    except Exception as error:  # rdflib's parsers raise whatever their libraries do
        said = " ".join(str(error).split())[:200]
        raise Invalid(f"{file.name} can't be read: {said}", advice="Check it with another program.") from error
    if fetches:
        raise Invalid(
            f"{file.name} leaves its context elsewhere, and nothing is fetched.",
            advice="Write the context into the file, or take the RDF/XML or Turtle form.",
        )
    return graph


def _fetches(node: Any) -> bool:
    """Say whether a JSON-LD document names a context that would have to be fetched."""
    if isinstance(node, list):
        return any(_fetches(one) for one in node)
    if not isinstance(node, dict):
        return False
    contexts = node.get("@context", [])
    named = contexts if isinstance(contexts, list) else [contexts]
    imports = any(isinstance(one, str) or (isinstance(one, dict) and "@import" in one) for one in named)
    return imports or any(_fetches(one) for one in node.values())


def _is_deprecated(graph: Graph, subject: Node) -> bool:
    return any(str(value).lower() in {"true", "1"} for value in graph.objects(subject, OWL.deprecated))


def _labels(graph: Graph, subject: Node, name: URIRef, language: str) -> list[str]:
    """Return the labels in a language, those without one after them; what can't be a keyword is left out."""
    found: list[tuple[bool, str]] = []
    for value in graph.objects(subject, name):
        if isinstance(value, Literal) and (value.language or language).lower().split("-")[0] == language:
            try:
                text = clean_text(str(value))
            except Flaw:
                continue
            if text and len(text) <= LONGEST_LABEL and not set(",;") & set(text):
                found.append((value.language is None, text))
    return [text for _, text in sorted(found)]


def _first(graph: Graph, subject: Node | None, names: tuple[URIRef, ...]) -> str:
    values = [str(value) for name in names for value in graph.objects(subject, name)] if subject else []
    return next((" ".join(value.split())[:200] for value in values if value.strip()), "")
