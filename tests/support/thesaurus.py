"""A small thesaurus of made-up concepts, as a SKOS file."""

from __future__ import annotations

from pathlib import Path

from rdflib import Graph

TURTLE = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix s: <https://example.org/sky/> .

s:scheme a skos:ConceptScheme ; dct:title "Sky words"@en ; owl:versionInfo "3" ; dct:license "CC0-1.0" .
s:1 a skos:Concept ; skos:prefLabel "Galaxies"@en, "Galaxien"@de ; skos:altLabel "Island universes"@en .
s:2 a skos:Concept ; skos:prefLabel "Active galaxies"@en ; skos:altLabel "AGN"@en .
s:3 a skos:Concept ; skos:prefLabel "Galaxy clusters"@en .
s:4 a skos:Concept ; skos:prefLabel "Čerenkov telescopes"@en .
s:5 a skos:Concept ; skos:prefLabel "Galactic ether"@en ; owl:deprecated true .
s:6 a skos:Concept ; skos:prefLabel "X-ray <b>stars</b>"@en .
s:7 a skos:Concept ; skos:prefLabel "Comma, with"@en .
"""
FORMS = {".ttl": "turtle", ".rdf": "pretty-xml", ".nt": "nt", ".jsonld": "json-ld"}


def write_thesaurus(folder: Path, ending: str = ".ttl") -> Path:
    """Write the thesaurus in one of the forms, and return the file."""
    file = folder / f"sky{ending}"
    Graph().parse(data=TURTLE, format="turtle").serialize(destination=file, format=FORMS[ending])
    return file
