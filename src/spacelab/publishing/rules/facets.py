"""What a catalogue is filtered by besides words: facets, made from a version's public terms and the files it opens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spacelab.publishing.rules.terms import visible

MOST_VALUES = 100
"""Values of one facet that one entry is found by."""
NOTHING = frozenset({"", "none", "any", "all", "n/a", "-"})
"""What people write where a term does not apply."""
PACKED = (".gz", ".bz2", ".xz", ".zst")
"""Endings of a packed file, below which stands what it is."""


@dataclass(frozen=True)
class FileType:
    """A type of file: what it is called, and the endings and names that mean it, in small letters."""

    title: str
    names: frozenset[str]


FILE_TYPES: Mapping[str, FileType] = {
    key: FileType(title, frozenset({key, *names.split()}))
    for key, title, names in (
        ("fits", "FITS", "fit fts fz"),
        ("votable", "VOTable", "vot"),
        ("csv", "CSV", ""),
        ("ecsv", "ECSV", ""),
        ("tsv", "TSV", "tab"),
        ("netcdf", "netCDF", "nc nc4"),
        ("cdf", "CDF", ""),
        ("hdf5", "HDF5", "h5 hdf he5"),
        ("tiff", "TIFF, GeoTIFF", "tif geotiff"),
        ("parquet", "Parquet", "pq"),
        ("asdf", "ASDF", ""),
        ("notebook", "Jupyter notebook", "ipynb"),
        ("jpeg", "JPEG", "jpg"),
        ("png", "PNG", ""),
        ("json", "JSON", ""),
        ("geojson", "GeoJSON", ""),
        ("xml", "XML", ""),
        ("text", "Text", "txt"),
    )
}
"""Key → type, for the types that go by several names; any other type is known by its own."""
_KEYS = {name: key for key, one in FILE_TYPES.items() for name in one.names}


def file_type(name: str) -> str:
    """Return the key of a file type that is given by its name or by an ending, such as GeoTIFF or `.tif`."""
    plain = _plain(name).casefold().lstrip(".")
    return _KEYS.get(plain, plain)


def file_type_of(path: str) -> str:
    """Return the key of the type that a file's name tells; empty if it has no ending."""
    name = path.rpartition("/")[2].casefold()
    for ending in PACKED:
        name = name.removesuffix(ending)
    stem, dot, ending = name.rpartition(".")
    return file_type(ending) if dot and stem else ""


def facets_of(metadata: Mapping[str, Any], formats: Iterable[str] = ()) -> dict[str, list[str]]:
    """Return what a version is found by: facet → values, made of what everybody may see of its terms.

    `formats` are endings of files that it opens. `official` has the value `yes`, or is missing.
    """
    seen = visible(metadata, insider=False)
    types = [file_type(one) for one in (*formats, *_texts(seen.get("associatedFileType")))]
    found = {
        "mission": _texts(seen.get("mission")),
        "domain": _texts(seen.get("domain")),
        "opens": [one for one in types if one not in NOTHING],
        "official": ["yes"] if seen.get("ESAOfficial") is True else [],
    }
    return {facet: _once(values)[:MOST_VALUES] for facet, values in found.items() if values}


def facet_index(facets: Mapping[str, Iterable[str]]) -> str:
    """Return all facets as one text, in which `facet_entry` of one of them is found."""
    return "|" + "".join(facet_entry(facet, value)[1:] for facet, values in facets.items() for value in values)


def facet_entry(facet: str, value: str) -> str:
    """Return what a facet's value is looked for by in `facet_index`."""
    return f"|{facet}:{_plain(value).casefold()}|"


def facet_title(facet: str, value: str) -> str:
    """Return a facet's value as people read it."""
    if facet == "opens":
        return FILE_TYPES[value].title if value in FILE_TYPES else value.upper()
    if facet == "domain":
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.split(r"[:/#]", value.rstrip("/#"))[-1])
        return words.replace("_", " ").replace("-", " ").capitalize() or value
    return value


def _texts(value: object) -> list[str]:
    parts = value if isinstance(value, list) else str(value or "").split(",")
    texts = (_plain(str(one)) for one in parts)
    return [text for text in texts if text.casefold() not in NOTHING]


def _plain(text: str) -> str:
    return text.replace("|", " ").replace("\0", " ").strip()


def _once(values: Iterable[str]) -> list[str]:
    kept: dict[str, str] = {}
    for value in values:
        kept.setdefault(value.casefold(), value)
    return list(kept.values())
