"""The thesaurus: files in every form, what is found as one types, and how quickly."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import pytest

from spacelab.kit.refusals import Invalid
from spacelab.publishing.rules.thesaurus import Concept, Thesaurus
from spacelab.publishing.skos import read_skos
from support.thesaurus import FORMS, write_thesaurus


@pytest.mark.parametrize("ending", FORMS)
def test_every_form_says_the_same(ending: str, tmp_path: Path) -> None:
    found = read_skos(write_thesaurus(tmp_path, ending))
    assert (found.title, found.version, found.licence) == ("Sky words", "3", "CC0-1.0")
    assert [concept.label for concept in found.concepts] == [
        "Active galaxies",
        "Čerenkov telescopes",
        "Galaxies",
        "Galaxy clusters",
        "X-ray <b>stars</b>",
    ]
    assert found.concept_of("galaxies") == Concept("https://example.org/sky/1", "Galaxies", ("Island universes",))


def test_another_language(tmp_path: Path) -> None:
    assert [concept.label for concept in read_skos(write_thesaurus(tmp_path), "de").concepts] == ["Galaxien"]


@pytest.fixture
def sky(tmp_path: Path) -> Thesaurus:
    return read_skos(write_thesaurus(tmp_path))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("gal", ["Galaxies", "Galaxy clusters", "Active galaxies"]),
        ("GALAXIES", ["Galaxies", "Active galaxies"]),
        ("universe", ["Galaxies"]),
        ("agn", ["Active galaxies"]),
        ("clus gal", ["Galaxy clusters"]),
        ("cerenkov", ["Čerenkov telescopes"]),
        ("x ray", ["X-ray <b>stars</b>"]),
        ("alaxies", []),
        ("", []),
        ("  ,;-", []),
        ("ether", []),
    ],
)
def test_what_is_found(sky: Thesaurus, typed: str, found: list[str]) -> None:
    assert [one.concept.label for one in sky.suggest(typed)] == found


def test_the_label_that_fitted_is_named(sky: Thesaurus) -> None:
    assert [one.matched for one in sky.suggest("island")] == ["Island universes"]
    assert [one.matched for one in sky.suggest("galaxies")] == ["", ""]


def test_a_keyword_is_a_concept_by_either_label(sky: Thesaurus) -> None:
    assert sky.concept_of("ISLAND universes") is sky.concept_of("Galaxies")
    assert sky.concept_of("galax") is None


def test_a_large_thesaurus_answers_quickly_with_at_most_twenty() -> None:
    large = Thesaurus(
        Concept(f"https://example.org/{number}", f"Star of kind {number}", (f"Sun {number}", f"Stellar thing {number}"))
        for number in range(2500)
    )
    times = []
    for typed in ("s", "star of kind 24", "stellar", "nothing"):
        begun = time.perf_counter()
        assert len(large.suggest(typed)) <= 20
        times.append(time.perf_counter() - begun)
    assert median(times) < 5  # measured: 2 to 6 ms


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("words.txt", b"a", "no form that is known"),
        ("words.rdf", b"<html>", "can't be read"),
        ("words.ttl", "s:ö".encode("latin-1"), "can't be read"),
        ("words.ttl", b"", "holds no concepts"),
        ("words.jsonld", b'{"@context": "http://127.0.0.1:9/x", "@id": "a"}', "context elsewhere"),
        ("words.jsonld", b"{", "can't be read"),
        (
            "words.rdf",
            (
                b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
                b' xmlns:s="http://www.w3.org/2004/02/skos/core#">'
                b'<s:Concept rdf:about="http://e.org/1">'
                b'<s:prefLabel xml:lang="en">&x;</s:prefLabel></s:Concept></rdf:RDF>'
            ),
            "holds no concepts",
        ),
    ],
)
def test_files_that_are_no_thesaurus_say_why(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(Invalid, match=said):
        read_skos(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No such file"):
        read_skos(tmp_path / "none.ttl")
