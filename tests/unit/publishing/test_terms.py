"""Metadata terms: what is kept, what is refused and how, what is missing, and who sees what."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datalab_package import META_KEYS
from spacelab.kit.refusals import Invalid
from spacelab.publishing.rules import exports, terms
from spacelab.publishing.rules.terms import TERMS, Block, Kind, Term, Type, Writer, clean, missing, visible
from support.terms import full, marked, metadata

PRIVATE = [term for term in TERMS.values() if term.private]


def cleaned(**values: Any) -> dict[str, Any]:
    return clean({key.replace("__", "."): value for key, value in values.items()}, writer="author", kind="datalab")


def test_every_term_of_the_conventions_is_declared() -> None:
    named = set(META_KEYS) | {"ESAOfficial", "datalabImage.platform", "datalabImage.id", "datalabImage.keyword"}
    assert named | {"dateCreated", "dateModified", "datePublished"} <= set(TERMS)


def test_the_blocks_of_the_conventions() -> None:
    mandatory = {term.key for term in terms.terms_of("datalab") if term.block is Block.MANDATORY}
    assert mandatory == {
        "title",
        "alternateName",
        "abstract",
        "contactPoint.email",
        "creator.name",
        "version",
        "distribution.license",
    }
    recommended = {term.key for term in TERMS.values() if term.block is Block.RECOMMENDED}
    assert recommended == {"description", "instrument", "mission", "thumbnailUrl", "keywords"}


def test_what_is_private_is_what_the_conventions_say() -> None:
    assert {term.key for term in PRIVATE} == {
        "datalabImage.platform",
        "datalabImage.id",
        "datalabImage.keyword",
        "dateCreated",
    }
    assert [term.key for term in TERMS.values() if term.writer is Writer.MODERATOR] == ["ESAOfficial"]


@pytest.mark.parametrize("term", TERMS.values(), ids=lambda term: term.key)
def test_a_declaration_says_everything(term: Term) -> None:
    assert term.label
    assert term.hint.endswith(".")
    assert term.iri.endswith(term.vocabulary.partition(":")[2])


@pytest.mark.parametrize("term", TERMS.values(), ids=lambda term: term.key)
def test_good_values_are_kept_as_they_are(term: Term) -> None:
    kind = next(iter(sorted(term.kinds)))
    value = full(kind)[term.key]
    assert clean({term.key: value}, writer=term.writer, kind=kind) == {term.key: value}


@pytest.mark.parametrize("term", TERMS.values(), ids=lambda term: term.key)
@pytest.mark.parametrize("writer", Writer)
def test_only_its_writer_writes_a_term(term: Term, writer: Writer) -> None:
    kind = next(iter(sorted(term.kinds)))
    if writer is not term.writer:
        with pytest.raises(Invalid) as caught:
            clean({term.key: full(kind)[term.key]}, writer=writer, kind=kind)
        assert caught.value.field == term.key
        assert term.writer in caught.value.message


@pytest.mark.parametrize("term", TERMS.values(), ids=lambda term: term.key)
@pytest.mark.parametrize("value", ["\u202eevil", "nul\0", "\x1b[31m", "caf\ufffd", "z\u200bero", 7, {"a": "b"}, [[]]])
def test_values_that_deceive_or_break_are_refused_by_every_term(term: Term, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        clean({term.key: value}, writer=term.writer, kind=next(iter(sorted(term.kinds))))
    assert caught.value.field == term.key


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("keywords", " stars , Stars; dust ,", ["stars", "dust"]),
        ("creator.name", "Lovelace, Ada\nCharles Babbage", ["Lovelace, Ada", "Charles Babbage"]),
        ("contactPoint.id", "https://orcid.org/0000-0002-1694-233x", "0000-0002-1694-233X"),
        ("doi.notation", "https://doi.org/10.5281/zenodo.1", "10.5281/zenodo.1"),
        ("distribution.license", "apache-2.0 or mit", "Apache-2.0 OR MIT"),
        ("distribution.license", "https://spdx.org/licenses/MIT.html", "MIT"),
        ("title", "  Two\n lines ", "Two lines"),
        ("description", "a\r\nb", "a\nb"),
        ("description", "<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("title", "Cafe\u0301", "Café"),
        ("version", "1.10", "1.10"),
        ("mission", ["Gaia", "Euclid"], ["Gaia", "Euclid"]),
    ],
)
def test_values_are_kept_in_one_form(key: str, value: Any, kept: Any) -> None:
    assert clean({key: value}, writer="author", kind="datalab") == {key: kept}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("contactPoint.email", "ada"),
        ("contactPoint.email", "a@b.org, c@d.org"),
        ("contactPoint.id", "0000-0002-1825-0098"),
        ("contactPoint.id", "https://orcid.org/me"),
        ("doi.notation", "11.1/x"),
        ("distribution.license", "Free for all"),
        ("version", "latest"),
        ("thumbnailUrl", "javascript:alert(1)"),
        ("thumbnailUrl", "../../etc/passwd"),
        ("thumbnailUrl", "//evil.example.org/x.png"),
        ("thumbnailUrl", "https://user:word@example.org/x.png"),
        ("creator.logo", "data:image/svg+xml,<svg/>"),
        ("domain", "astronomy"),
        ("language", "english please"),
        ("associatedFileType", "<b>"),
        ("title", "x" * 121),
        ("description", "x" * 20_001),
        ("keywords", [str(number) for number in range(51)]),
        ("keywords", ["a, b"]),
        ("keywords", "x" * 101),
    ],
)
def test_bad_values_are_refused_by_name_and_with_advice(key: str, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        clean({key: value}, writer="author", kind="datalab")
    assert caught.value.field == key
    assert caught.value.message.startswith(TERMS[key].label)
    assert caught.value.advice


def test_a_megabyte_is_refused_quickly_with_a_clear_message() -> None:
    begun = time.perf_counter()
    for values in (
        {"description": "x" * 1_000_000},
        {f"more{number}": "y" * 10_000 for number in range(100)},
        {"keywords": ["z"] * 500_000},
    ):
        with pytest.raises(Invalid, match="larger than 200 kB"):
            clean(values, writer="author", kind="datalab")
    assert time.perf_counter() - begun < 30


def test_unknown_terms_are_kept_up_to_a_limit() -> None:
    assert cleaned(wavelength="radio", grants=["A", "B"]) == {"wavelength": "radio", "grants": ["A", "B"]}
    with pytest.raises(Invalid, match="More than 50"):
        cleaned(**{f"x{number}": "y" for number in range(51)})
    with pytest.raises(Invalid, match="no name of a term"):
        clean({"a b": "c"}, writer="author", kind="datalab")
    with pytest.raises(Invalid, match="no such term"):
        clean({"wavelength": "radio"}, writer="moderator", kind="datalab")


def test_either_short_name_is_read_for_either_kind() -> None:
    assert clean({"displayName": "x"}, writer="author", kind="datalab") == {"alternateName": "x"}
    assert clean({"alternateName": "x"}, writer="author", kind="pipeline") == {"displayName": "x"}
    assert "displayName" not in {term.key for term in missing({"alternateName": "x"}, "pipeline")}


def test_missing_names_what_is_mandatory_and_empty() -> None:
    assert not missing(full(), Kind.DATALAB)
    assert not missing(full(Kind.PIPELINE), Kind.PIPELINE)
    assert [term.key for term in missing({**full(), "title": "", "creator.name": []}, "datalab")] == [
        "title",
        "creator.name",
    ]


def test_problems_names_all_that_is_wrong() -> None:
    found = terms.problems({"title": "x" * 200, "version": "?", "abstract": "fine"}, writer="author", kind="datalab")
    assert [one.key for one in found] == ["title", "version"]


def test_changes_of_one_writer_leave_the_terms_of_others() -> None:
    stored = full()
    after = terms.merged(stored, {"title": "New", "citation": ""}, writer="author", kind="datalab")
    assert after["title"] == "New"
    assert "citation" not in after
    assert after["ESAOfficial"] is True
    withdrawn = terms.merged(after, {"ESAOfficial": False}, writer="moderator", kind="datalab")
    assert withdrawn == {**after, "ESAOfficial": False}


@pytest.mark.parametrize("term", PRIVATE, ids=lambda term: term.key)
def test_a_private_term_is_for_insiders_alone(term: Term) -> None:
    values = {**full(), term.key: [marked(term)] if term.is_list else marked(term)}
    outside = visible(values, insider=False)
    assert term.key not in outside
    assert marked(term) not in repr(outside)
    assert visible(values, insider=True) == values
    assert term not in [one.term for one in terms.shown(values, insider=False, kind="datalab")]
    assert term in [one.term for one in terms.shown(values, insider=True, kind="datalab")]


@pytest.mark.parametrize("term", PRIVATE, ids=lambda term: term.key)
@pytest.mark.parametrize("name", exports.FORMATS)
def test_a_private_term_is_in_no_export_for_outsiders(term: Term, name: str) -> None:
    values = {**full(), term.key: [marked(term)] if term.is_list else marked(term)}
    text = exports.export(values, name, kind="datalab")
    assert marked(term) not in text
    assert term.key not in text


@pytest.mark.parametrize("term", [one for one in TERMS.values() if not one.private], ids=lambda term: term.key)
def test_a_public_term_is_for_everybody(term: Term) -> None:
    values = full(next(iter(sorted(term.kinds))))
    assert visible(values, insider=False)[term.key] == values[term.key]


@pytest.mark.parametrize("key", ["dateCREATED", "DatalabImage.id", "datalabImage", "datalabImage.secret", "wavelength"])
def test_what_no_declaration_knows_is_private(key: str) -> None:
    values: dict[str, Any] = {"title": "x", key: {"id": "hidden"}}
    assert visible(values, insider=False) == {"title": "x"}
    for name in exports.FORMATS:
        assert "hidden" not in exports.export(values, name, kind="datalab")


@given(metadata())
def test_cleaning_twice_changes_nothing(values: dict[str, Any]) -> None:
    assert clean(values, writer="author", kind="datalab") == values


nonsense = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(TERMS)) | st.text(max_size=20), nonsense, max_size=5))
def test_whatever_comes_is_kept_or_refused_by_name(values: dict[str, Any]) -> None:
    try:
        kept = clean(values, writer="author", kind="datalab")
    except Invalid:
        kept = {}
    assert all(isinstance(value, str | list | bool) for value in kept.values())


def test_types_all_have_their_check() -> None:
    assert {term.type for term in TERMS.values()} <= set(Type)
