"""Metadata for tests: one good value for every term, and Hypothesis strategies that follow the declaration."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from spacelab.publishing.rules.terms import TERMS, Kind, Term, Type, Value, Writer, clean

GOOD: dict[Type, Value] = {
    Type.TEXT: "Some words",
    Type.LONG: "# Words\n\nand *more*",
    Type.EMAIL: "ada@example.org",
    Type.URL: "https://portal.example.org/datalabs/x",
    Type.PICTURE: "https://example.org/thumbnail.png",
    Type.IRI: "https://example.org/vocabulary#Astronomy",
    Type.PERSON_ID: "0000-0002-1825-0097",
    Type.DOI: "10.5281/zenodo.1234567",
    Type.LICENCE: "Apache-2.0",
    Type.VERSION: "1.10.0",
    Type.WORDS: ["galaxies", "photometry"],
    Type.NAMES: ["Lovelace, Ada", "Charles Babbage"],
    Type.FILE_TYPES: ["FITS", "VOTable"],
    Type.LANGUAGES: ["en", "pt-BR"],
    Type.BOOLEAN: True,
    Type.DATE: "2026-01-31",
}


def full(kind: Kind = Kind.DATALAB) -> dict[str, Value]:
    """Return a value for every term of a kind, each text different from all others."""
    values: dict[str, Value] = {}
    for term in TERMS.values():
        if kind in term.kinds:
            good = GOOD[term.type]
            values[term.key] = f"{good} of {term.key}" if term.type is Type.TEXT else good
    return values


def marked(term: Term) -> str:
    """Return a text that stands nowhere else."""
    return f"secret-of-{term.key.replace('.', '-')}"


def words(longest: int, *, lines: bool = False) -> st.SearchStrategy[str]:
    """Make texts that the checks let through unchanged, of up to `longest` characters."""
    letters = st.characters(categories=("L", "N", "P", "S", "Zs"), include_characters="\n\t" if lines else "")
    return st.text(letters, max_size=longest)


def _of_type(term: Term) -> st.SearchStrategy[Any]:
    names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,20}", fullmatch=True)
    pick: dict[Type, st.SearchStrategy[Any]] = {
        Type.TEXT: words(min(term.longest, 100)),
        Type.LONG: words(500, lines=True),
        Type.EMAIL: names.map(lambda name: f"{name}@example.org"),
        Type.URL: names.map(lambda name: f"https://example.org/{name}?a=b#c"),
        Type.PICTURE: st.one_of(names.map(lambda name: f"{name}.png"), names.map(lambda name: f"https://e.org/{name}")),
        Type.IRI: st.one_of(names.map(lambda name: f"esado:{name}"), names.map(lambda name: f"https://e.org/{name}")),
        Type.PERSON_ID: st.sampled_from(["0000-0002-1825-0097", "https://example.org/people/ada"]),
        Type.DOI: names.map(lambda name: f"10.5281/{name}.(1)<>"[:-2]),
        Type.LICENCE: st.sampled_from(["MIT", "GPL-3.0-or-later", "MIT OR Apache-2.0", "LicenseRef-Mine"]),
        Type.VERSION: st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,3}){0,3}(-[a-z]{1,5})?", fullmatch=True),
        Type.WORDS: st.lists(words(30).filter(lambda word: not set(",;") & set(word)), max_size=5),
        Type.NAMES: st.lists(words(30).filter(lambda word: ";" not in word), max_size=5),
        Type.FILE_TYPES: st.lists(st.sampled_from(["FITS", "VOTable", "netCDF", "CSV"]), max_size=3),
        Type.LANGUAGES: st.lists(st.sampled_from(["en", "fr", "pt-BR", "zh-Hant"]), max_size=3),
        Type.BOOLEAN: st.booleans(),
        Type.DATE: st.dates().map(str),
    }
    return pick[term.type]


def metadata(kind: Kind = Kind.DATALAB) -> st.SearchStrategy[dict[str, Value]]:
    """Make cleaned metadata that an author may have written."""
    own = {term.key: _of_type(term) for term in TERMS.values() if term.writer is Writer.AUTHOR and kind in term.kinds}
    return st.fixed_dictionaries({}, optional=own).map(lambda raw: clean(raw, writer=Writer.AUTHOR, kind=kind))
