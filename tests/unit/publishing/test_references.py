"""References to published versions: who, when, what and where; signs of LaTeX are written as signs."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spacelab.publishing.rules.exports.references import reference_of

TERMS: dict[str, Any] = {
    "title": "Stars & dust_2",
    "alternateName": "stars",
    "creator.name": ["Lovelace, Ada", "The Survey Team"],
    "version": "1.2",
    "datePublished": "2026-03-01",
    "url": "https://example.org/catalogue/stars/",
}


def test_a_reference_says_who_when_what_and_where() -> None:
    made = reference_of(TERMS)
    assert made.text == (
        "Lovelace, Ada; The Survey Team (2026). Stars & dust_2, version 1.2. Software. https://example.org/catalogue/stars/"
    )
    assert made.asked == ""
    assert made.bibtex.splitlines() == [
        "@software{stars-1.2,",
        "  author = {Lovelace, Ada and {The Survey Team}},",
        r"  title = {{Stars \& dust\_2}},",
        "  version = {1.2},",
        "  year = {2026},",
        "  url = {https://example.org/catalogue/stars/}",
        "}",
    ]


def test_a_doi_is_the_place_and_the_author_s_wish_stands_by_itself() -> None:
    made = reference_of({**TERMS, "doi.notation": "10.5281/zenodo.1", "citation": "Lovelace 2025, A&A 1, 2"})
    assert made.text.endswith("https://doi.org/10.5281/zenodo.1")
    assert "doi = {10.5281/zenodo.1}" in made.bibtex
    assert made.asked == "Lovelace 2025, A&A 1, 2"


def test_little_is_enough_and_many_authors_are_shortened() -> None:
    assert reference_of({}).text == "Unknown. Untitled. Software."
    many = reference_of({**TERMS, "creator.name": [f"Author {number}" for number in range(20)]})
    assert "Author 7 et al." in many.text
    assert "Author 19" in many.bibtex


@given(st.text(max_size=40), st.lists(st.text(min_size=1, max_size=20), max_size=3))
def test_braces_stay_balanced_whatever_is_written(title: str, names: list[str]) -> None:
    bibtex = reference_of({"title": title, "creator.name": names}).bibtex
    plain = bibtex.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")


def test_private_terms_are_in_no_reference() -> None:
    made = reference_of({**TERMS, "datalabImage.id": "sha256:secret", "dateCreated": "1999-01-01"})
    assert "secret" not in made.text + made.bibtex
    assert "1999" not in made.text + made.bibtex
