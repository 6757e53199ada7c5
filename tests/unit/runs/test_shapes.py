"""Inputs as fields: whatever a job order holds, the form gives back the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import cwl_graph
from spacelab.runs.job_order import UnfitJobError, named_files, normalised
from spacelab.runs.shapes import job_of, rest_of, shapes_of, texts_of
from support.runs import MANY

INPUTS = cwl_graph.read({"main.cwl": MANY}, "main.cwl").inputs
NAMES = [one.name for one in INPUTS]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t:-#'\"{[&*!|>%@`"), max_size=20)
SCALAR = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
FILE = st.fixed_dictionaries(
    {"class": st.sampled_from(["File", "Directory"]), "location": TEXT.map(lambda one: f"/{one}")}
)
VALUE = st.recursive(
    SCALAR | TEXT | FILE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT.filter(bool), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=4))
@example({"words": "", "exposures": "3", "flag": "true", "tables": [], "place": {"ra": 1}})
@example({"words": " a\n b ", "scale": 1.0, "place": {"ra": 1.5, "dec": 2, "more": [1]}})
def test_a_job_order_survives_the_form(job: dict[str, Any]) -> None:
    shapes = shapes_of(INPUTS, job)
    found, entered = job_of(INPUTS, texts_of(shapes, job))
    assert found == {name: value for name, value in job.items() if value is not None}
    assert [one.key for one in entered] == [one.key for one in shapes]


def test_what_is_no_input_is_kept_apart() -> None:
    assert rest_of(INPUTS, {"exposures": 1, "cwl:tool": "x"}) == {"cwl:tool": "x"}


@pytest.mark.parametrize(
    ("given_as", "path"),
    [
        ({"class": "File", "path": "/media/user/a"}, "/media/user/a"),
        ({"class": "File", "location": "file:///media/user/a%20b"}, "/media/user/a b"),
        ({"class": "Directory", "location": "/data/euclid", "path": "/etc"}, "/data/euclid"),
    ],
)
def test_a_file_is_named_in_one_way(given_as: dict[str, str], path: str) -> None:
    job = normalised({"a": [{"b": given_as}]})
    assert job == {"a": [{"b": {"class": given_as["class"], "location": path}}]}
    assert [(one.path, one.input) for one in named_files(job)] == [(path, "a")]


@pytest.mark.parametrize(
    "value",
    [
        {"class": "File", "location": "https://example.org/a"},
        {"class": "File", "location": "a.txt"},
        {"class": "File", "location": 7},
        {"class": "File"},
        {"class": "File", "secondaryFiles": [{"class": "File", "location": "ftp://example.org/a"}], "location": "/a"},
    ],
    ids=range(5),
)
def test_any_other_address_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(UnfitJobError) as refused:
        normalised({"a": value})
    assert refused.value.where.startswith("a")
