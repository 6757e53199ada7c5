"""Metadata in the formats of others: round trips, the shape that each format asks for, and files of others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, RDF, SDO, SKOS

from datalab_package import read_manifest
from spacelab.kit.refusals import Invalid, NotFound
from spacelab.publishing.rules import exports
from spacelab.publishing.rules.exports.codemeta import PATHS as CODEMETA_PATHS
from spacelab.publishing.rules.terms import TERMS, Kind, Writer, clean
from support.terms import full, metadata
from support.tree import ROOT

CFF_TERMS = {"title", "abstract", "version", "doi.notation", "keywords", "creator.name", "contactPoint.email"}
CONCEPT = "http://astrothesaurus.org/uat/573"


def authored(kind: Kind = Kind.DATALAB) -> dict[str, Any]:
    """Return a value for every term that an author writes."""
    return {key: value for key, value in full(kind).items() if TERMS[key].writer is Writer.AUTHOR}


def again(values: dict[str, Any], name: str, kind: Kind = Kind.DATALAB, *, insider: bool = True) -> exports.Imported:
    """Write and read."""
    text = exports.export(values, name, kind=kind, insider=insider)
    return exports.read(text.encode(), exports.FORMATS[name].file, kind=kind)


@pytest.mark.parametrize("name", ["datalab-meta", "json-ld"])
@pytest.mark.parametrize("kind", Kind)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(data=metadata())
def test_formats_that_hold_everything_give_back_what_was_written(name: str, kind: Kind, data: dict[str, Any]) -> None:
    if kind is Kind.PIPELINE and "alternateName" in data:
        data["displayName"] = data.pop("alternateName")
    imported = again(data, name, kind)
    assert imported.values == data
    assert not imported.not_understood


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(data=metadata())
def test_codemeta_gives_back_what_it_has_a_place_for(data: dict[str, Any]) -> None:
    expected = {key: value for key, value in data.items() if key in CODEMETA_PATHS}
    if expected.get("description") and not expected.get("abstract"):
        expected.pop("description")
    values = again(data, "codemeta").values
    if values.get("description") != expected.get("description"):  # said twice, it is said once
        expected.pop("description", None)
    if "abstract" not in data:
        values.pop("abstract", None)
        values.pop("description", None)
    assert values == expected


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(data=metadata())
def test_a_citation_file_gives_back_what_it_has_a_place_for(data: dict[str, Any]) -> None:
    values = again({"title": "T", **data}, "cff").values
    for key in CFF_TERMS - {"creator.name"}:
        assert values.get(key) == {"title": "T", **data}.get(key)


@pytest.mark.parametrize("name", exports.FORMATS)
@pytest.mark.parametrize("kind", Kind)
def test_what_only_others_write_is_reported_not_taken(name: str, kind: Kind) -> None:
    imported = again(full(kind), name, kind)
    assert {TERMS[key].writer for key in imported.values} == {Writer.AUTHOR}
    for one in imported.not_understood:
        assert re.search("Only the (platform|moderator) writes it", one.message)


def test_an_unknown_term_comes_back_for_its_author() -> None:
    values = {"title": "T", "wavelength": "radio", "grant.number": ["1", "2"]}
    assert again(values, "datalab-meta").values == values
    assert again(values, "json-ld").values == values


def graph(**more: Any) -> Graph:
    """Return the graph of everything's JSON-LD, for everybody."""
    values = {**full(), "keywords": ["Galaxies", "mine"], **more}
    text = exports.export(values, "json-ld", kind="datalab", concepts={"Galaxies": CONCEPT})
    return Graph().parse(data=text, format="json-ld")


SHAPE = [
    (SDO.name, 1, Literal),
    (SDO.alternateName, 1, Literal),
    (SDO.abstract, 1, Literal),
    (SDO.version, 1, Literal),
    (SDO.softwareVersion, 1, Literal),
    (SDO.license, 1, Literal),
    (SDO.creator, 2, None),
    (SDO.contactPoint, 1, None),
    (SDO.funder, 1, None),
    (SDO.inLanguage, 2, Literal),
    (SDO.datePublished, 1, Literal),
    (SDO.keywords, 2, Literal),
    (DCAT.keyword, 2, Literal),
    (DCAT.landingPage, 1, URIRef),
    (DCTERMS.title, 1, Literal),
    (DCTERMS.description, 1, Literal),
    (SKOS.notation, 1, Literal),
]
"""Property, how often, and what its value is."""


def test_json_ld_has_the_shape_of_an_application_and_of_a_resource() -> None:
    found = graph()
    subject = URIRef(str(full()["url"]))
    assert (subject, RDF.type, SDO.SoftwareApplication) in found
    assert (subject, RDF.type, DCAT.Resource) in found
    for name, times, kind in SHAPE:
        values = list(found.objects(subject, name))
        assert len(values) == times, name
        assert kind is None or all(isinstance(value, kind) for value in values), name
    contact = next(found.objects(subject, SDO.contactPoint))
    assert (contact, RDF.type, SDO.ContactPoint) in found
    assert (contact, SDO.email, Literal("ada@example.org")) in found
    for person in found.objects(subject, SDO.creator):
        assert (person, RDF.type, SDO.Person) in found
        assert list(found.objects(person, SDO.name))


def test_json_ld_names_the_concepts_of_a_thesaurus() -> None:
    found = graph()
    assert (URIRef(CONCEPT), SKOS.prefLabel, Literal("Galaxies")) in found
    assert list(found.subjects(RDF.type, SKOS.Concept)) == [URIRef(CONCEPT)]


def test_every_public_term_is_in_the_json_ld() -> None:
    text = exports.export(full(), "json-ld", kind="datalab")
    for key, value in full().items():
        if not TERMS[key].private and isinstance(value, str):
            assert json.dumps(value, ensure_ascii=False)[1:-1] in text, key


def test_a_citation_file_has_the_shape_of_version_1_2() -> None:
    document = yaml.safe_load(exports.export(full(), "cff", kind="datalab"))
    assert document["cff-version"] == "1.2.0"
    assert document["type"] == "software"
    assert document["message"].startswith("Please cite: ")
    assert document["authors"] == [{"family-names": "Lovelace", "given-names": "Ada"}, {"name": "Charles Babbage"}]
    assert document["license"] == "Apache-2.0"
    assert str(document["date-released"]) == "2026-01-31"
    assert document["contact"][0]["orcid"] == "https://orcid.org/0000-0002-1825-0097"
    assert isinstance(document["version"], str)


def test_a_citation_file_of_next_to_nothing_is_still_one() -> None:
    document = yaml.safe_load(exports.export({}, "cff", kind="datalab"))
    assert {"cff-version", "message", "title", "authors"} <= document.keys()
    assert document["authors"]


@pytest.mark.parametrize(
    ("licence", "written"),
    [("MIT OR Apache-2.0", ["MIT", "Apache-2.0"]), ("LicenseRef-Mine", None), ("MIT AND Apache-2.0", None)],
)
def test_a_citation_file_names_only_licences_it_can(licence: str, written: Any) -> None:
    text = exports.export({"distribution.license": licence}, "cff", kind="datalab")
    assert yaml.safe_load(text).get("license") == written


def test_codemeta_says_its_context_and_type() -> None:
    document = json.loads(exports.export(full(), "codemeta", kind="datalab"))
    assert document["@context"] == "https://w3id.org/codemeta/3.0"
    assert document["type"] == "SoftwareSourceCode"
    assert document["license"] == "https://spdx.org/licenses/Apache-2.0"
    assert document["author"][0] == {"type": "Person", "name": "Lovelace, Ada"}
    assert document["identifier"] == "https://doi.org/10.5281/zenodo.1234567"


def test_codemeta_of_another_program_is_read() -> None:
    text = """{"@context": "https://doi.org/10.5063/schema/codemeta-2.0", "@type": "SoftwareSourceCode",
      "name": "Photometer", "description": "Measures stars.", "version": 2.5, "codeRepository": "https://e.org/x",
      "license": "https://spdx.org/licenses/MIT", "funder": {"@type": "Organization", "name": "ESA"},
      "author": [{"@type": "Person", "givenName": "Ada", "familyName": "Lovelace", "@id": "x"}]}"""
    imported = exports.read(text.encode(), "codemeta.json", kind="datalab")
    assert imported.format.name == "codemeta"
    assert imported.values == {
        "title": "Photometer",
        "abstract": "Measures stars.",
        "version": "2.5",
        "distribution.license": "MIT",
        "funder": "ESA",
        "creator.name": ["Ada Lovelace"],
    }
    assert [one.key for one in imported.not_understood] == ["codeRepository"]


def test_schema_org_of_a_web_page_is_read_without_fetching_its_context() -> None:
    text = """{"@context": "http://127.0.0.1:9/never", "@graph": [{"@type": "WebPage", "name": "no"},
      {"@type": "schema:SoftwareApplication", "schema:name": {"@value": "Viewer"}, "author": "Ada",
       "http://schema.org/softwareVersion": "1.0", "keywords": "stars, dust", "applicationSuite": "x"}]}"""
    imported = exports.read(text.encode(), "page.jsonld", kind="datalab")
    assert imported.values == {
        "title": "Viewer",
        "creator.name": ["Ada"],
        "version": "1.0",
        "keywords": ["stars", "dust"],
    }
    assert [one.key for one in imported.not_understood] == ["applicationSuite"]


def test_values_that_no_term_holds_are_reported_and_the_rest_is_read() -> None:
    text = "title: T\nversion: newest\ncontactPoint:\n  email: nobody\nESAOfficial: true\nmission: Gaia\n"
    imported = exports.read(text.encode(), "datalab-meta.yml", kind="datalab")
    assert imported.values == {"title": "T", "mission": ["Gaia"]}
    assert {one.key for one in imported.not_understood} == {"version", "contactPoint.email", "ESAOfficial"}
    assert all(one.message for one in imported.not_understood)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"x" * 1_000_000, "datalab-meta.yml", "larger than 200 kB"),
        ("title: Größe".encode("latin-1"), "datalab-meta.yml", "not UTF-8"),
        ('{"name": "x"}'.encode("utf-16"), "codemeta.json", "UTF-16"),
        (b"title: a\0b", "datalab-meta.yml", "zero byte"),
        (b"a: &x 1\nb: *x", "datalab-meta.yml", "aliases"),
        (b"a: [", "CITATION.cff", "not YAML"),
        (b"just words", "x.yml", "keys and values"),
        (b'{"name": ', "codemeta.json", "line 1 is not JSON"),
        (b'{"version": NaN}', "codemeta.json", "not JSON"),
        (b"[" * 100_000, "x.json", "nested too deeply"),
        (b"[1, 2]", "x.json", "describes no application"),
        (b"<html>", "x.html", "no format that is known"),
        (b'{"a":' * 600 + b"1" + b"}" * 600, "x.json", "nested too deeply"),
        (b"a: " + b'{"a":' * 600 + b"1" + b"}" * 600, "x.yml", "nested too deeply"),
        (b"{" * 5000, "x.yml", "nested too deeply|not YAML|not JSON"),
    ],
)
def test_files_that_cant_be_read_say_why(content: bytes, name: str, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        exports.read(content, name, kind="datalab")
    assert caught.value.field == "file"


def test_a_report_stays_short() -> None:
    text = "".join(f"key {number}: x\n" for number in range(1000))
    imported = exports.read(text.encode(), "datalab-meta.yml", kind="datalab")
    assert len(imported.not_understood) == exports.MOST_REPORTED + 1
    assert imported.not_understood[-1].message == "900 more were not understood."


SHIPPED = sorted((ROOT / "catalogue").rglob("datalab-meta.yml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_the_metadata_of_every_package_of_the_catalogue_is_understood(file: Path) -> None:
    imported = exports.read(file.read_bytes(), file.name, kind="datalab")
    assert imported.not_understood == []
    assert imported.values == clean(read_manifest(file.parent).metadata, writer="author", kind="datalab")


def test_a_path_in_a_files_name_is_not_repeated() -> None:
    with pytest.raises(Invalid, match=r"^evil\.html"):
        exports.read(b"", "../../etc\\evil.html", kind="datalab")


def test_a_format_that_there_is_not() -> None:
    with pytest.raises(NotFound, match="no format"):
        exports.export({}, "bibtex", kind="datalab")


@pytest.mark.parametrize(
    "document",
    [
        {"name": [{"@value": {"@value": 3}}], "creator": [[{"name": ["A", {"x": 1}]}]], "contactPoint": "me"},
        {"additionalProperty": [1, {"name": "x"}, {"name": "y", "value": {"z": [1]}}], "funder": [1, None, {}]},
        {"author": [{"givenName": 1}, 7, None], "maintainer": [], "license": {"@id": None}},
        {"cff-version": "1", "authors": [7, {"name": {"a": "b"}}], "contact": {"a": "b"}, "license": {"x": "y"}},
    ],
)
@pytest.mark.parametrize("name", ["x.json", "codemeta.json", "CITATION.cff", "datalab-meta.yml"])
def test_documents_of_an_unexpected_shape_are_read_as_far_as_they_go(document: dict[str, Any], name: str) -> None:
    text = json.dumps(document)
    imported = exports.read(
        (text if name.endswith("json") else yaml.safe_dump(document)).encode(), name, kind="datalab"
    )
    assert all(isinstance(value, str | list | bool) for value in imported.values.values())
