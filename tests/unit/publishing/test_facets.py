"""What versions are found by: facets from public terms, and file types by their many names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacelab.publishing.rules.facets import (
    FILE_TYPES,
    facet_entry,
    facet_index,
    facet_title,
    facets_of,
    file_type,
    file_type_of,
)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/data/euclid/VIS.FITS", "fits"),
        ("image.fits.gz", "fits"),
        ("image.fits.fz", "fits"),
        ("/media/user/a.b/table.vot", "votable"),
        ("map.tif", "tiff"),
        ("notes.ipynb", "notebook"),
        ("/data/a.fits/README", ""),
        (".hidden", ""),
        ("odd.Xyz", "xyz"),
    ],
)
def test_a_file_s_name_tells_its_type(path: str, key: str) -> None:
    assert file_type_of(path) == key


def test_a_type_has_one_key_whatever_it_is_called() -> None:
    assert {file_type(one) for one in ("GeoTIFF", ".tif", "TIFF")} == {"tiff"}
    names = [name for one in FILE_TYPES.values() for name in one.names]
    assert len(names) == len(set(names)), "a name that means two types"


@pytest.mark.parametrize(
    ("metadata", "formats", "facets"),
    [
        ({}, (), {}),
        ({"mission": "Gaia, Euclid"}, (), {"mission": ["Gaia", "Euclid"]}),
        ({"mission": ["Gaia", "gaia", "none"]}, (), {"mission": ["Gaia"]}),
        ({"associatedFileType": "FITS, any"}, ("fit", "csv"), {"opens": ["fits", "csv"]}),
        ({"ESAOfficial": True}, (), {"official": ["yes"]}),
        ({"ESAOfficial": False}, (), {}),
        ({"ESAOfficial": "true"}, (), {}),
        ({"domain": "esado:PlanetaryScience"}, (), {"domain": ["esado:PlanetaryScience"]}),
        ({"datalabImage.keyword": ["secret"], "unknown.term": "secret"}, (), {}),
    ],
)
def test_facets_come_from_public_terms(metadata: dict[str, Any], formats: tuple[str, ...], facets: object) -> None:
    assert facets_of(metadata, formats) == facets


@given(st.lists(st.text(min_size=1)), st.text(min_size=1))
def test_a_value_is_found_if_and_only_if_it_is_there(values: list[str], other: str) -> None:
    facets = facets_of({"mission": values})
    index = facet_index(facets)
    kept = facets.get("mission", [])
    assert all(facet_entry("mission", one) in index for one in kept)
    if facet_entry("mission", other) in index:
        entry = facet_entry("mission", other)
        assert entry in {facet_entry("mission", one) for one in kept}


@pytest.mark.parametrize(
    ("facet", "value", "title"),
    [
        ("opens", "fits", "FITS"),
        ("opens", "xyz", "XYZ"),
        ("domain", "esado:PlanetaryScience", "Planetary science"),
        ("domain", "https://example.org/fields#solar-physics", "Solar physics"),
        ("mission", "XMM-Newton", "XMM-Newton"),
    ],
)
def test_values_are_shown_in_words(facet: str, value: str, title: str) -> None:
    assert facet_title(facet, value) == title
