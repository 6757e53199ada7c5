"""Job orders are checked against the form of a document, with the line in their own text."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cwl_graph import Problem, check_job, job_text, read, read_job

FORM = """cwlVersion: v1.2
class: CommandLineTool
baseCommand: "true"
requirements:
  SchemaDefRequirement:
    types:
      - name: place
        type: record
        fields: {ra: double, dec: double, label: string?}
inputs:
  count: int?
  big: long?
  ratio: double?
  name: string?
  really: boolean?
  mode: {type: ["null", {type: enum, symbols: [fast, careful]}]}
  names: string[]?
  nested: {type: ["null", {type: array, items: {type: array, items: int}}]}
  place: place?
  either: [ "null", int, string, File ]
  image: {type: File?, secondaryFiles: [.fai, ^.hdr, .opt?]}
  folder: Directory?
  anything: Any?
outputs: []
"""
FILES = {
    "/data/a.fits": "File",
    "/data/a.fits.fai": "File",
    "/data/a.hdr": "File",
    "/data/b.fits": "File",
    "/data": "Directory",
}


def checked(text: str, *, roots: tuple[str, ...] = ()) -> list[Problem]:
    """Return what is wrong with a job order for the form above."""
    document = read({"tool.cwl": FORM}, "tool.cwl")
    assert document.problems == ()
    job, problems = read_job(text)
    assert problems == []
    return check_job(document, job, text=text, exists=lambda path: FILES.get(path, ""), roots=roots)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "count: 3\nbig: 9000000000\nratio: 3\nname: x\nreally: true\nmode: fast\n",
        "names: [a, b]\nnested: [[1, 2], []]\nplace: {ra: 1, dec: 2.5}\neither: 3\nanything: {a: 1}\n",
        "either: {class: File, location: /data/a.fits}\nfolder: {class: Directory, path: /data}\n",
        "image: {class: File, location: 'file:///data/a.fits'}\ncwl:requirements: []\n",
        "image: {class: File, basename: x, contents: y}\nfolder: {class: Directory, listing: []}\n",
        "count: null\nname: null\n",
    ],
    ids=["nothing", "empty", "simple", "nested", "files", "companions", "literals", "null"],
)
def test_good_job_orders_pass(text: str) -> None:
    assert checked(text) == []


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("name: x\ncount: three\n", '`count` is "three", text; int', 2),
        ("count: 3.5\n", "`count` is 3.5", 1),
        ("count: true\n", "`count` is true", 1),
        ("count: 3000000000\n", "too large for int", 1),
        ("name: 3\n", "`name` is 3", 1),
        ("really: yes\n", '`really` is "yes"', 1),
        ("mode: fats\n", "`mode` can't be", 1),
        ("names: a\n", "`names` is", 1),
        ("names:\n- a\n- 3\n", "`names[1]` is 3", 3),
        ("nested:\n- [1]\n- [x]\n", "`nested[1][0]`", 3),
        ("place: {ra: 1}\n", "lacks `dec`", 1),
        ("place:\n  ra: 1\n  dec: north\n", "`place.dec`", 3),
        ("place:\n  ra: 1\n  dec: 2\n  lable: x\n", "no field `lable`", 4),
        ("image: /data/a.fits\n", "a File is wanted", 1),
        ("image: {location: /data/a.fits}\n", "names no class", 1),
        ("image: {class: Directory, location: /data}\n", "is a Directory", 1),
        ("image: {class: File}\n", "nowhere", 1),
        ("image: {class: File, location: /data/none}\n", "is not there", 1),
        ("image: {class: File, location: /data}\n", "is a Directory, not a File", 1),
        ("image: {class: File, location: /data/b.fits}\n", "needs `/data/b.fits.fai`", 1),
        ("image: {class: File, location: 'https://e.org/x'}\n", "nothing is fetched", 1),
        ("nmae: x\n", "no input `nmae`", 1),
        ("either: [1]\n", "`either` is", 1),
    ],
    ids=lambda each: each if isinstance(each, str) and "\n" not in each else "",
)
def test_a_wrong_value_is_told_at_its_line(text: str, words: str, line: int) -> None:
    found = checked(text)
    assert any(words in each.message and each.line == line for each in found), found
    assert all(each.node == text.partition(":")[0] or line > 1 for each in found)


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "/etc/passwd", "/data/../etc/passwd", "file://host/etc/passwd", "/database/x", "a.txt"],
)
def test_files_outside_of_what_a_run_sees_are_refused(location: str) -> None:
    found = checked(f"either: {{class: File, location: '{location}'}}\n", roots=("/data", "/media"))
    assert ["outside" in each.message for each in found] == [True]
    assert checked("either: {class: File, location: /data/a.fits}\n", roots=("/data",)) == []


def test_required_inputs_are_asked_for() -> None:
    document = read({"t.cwl": FORM.replace("count: int?", "count: int")}, "t.cwl")
    assert [(each.message, each.node) for each in check_job(document, {})] == [("`count` (int) is missing.", "count")]
    assert len(check_job(document, {"count": None})) == 1


def test_what_is_no_job_order() -> None:
    assert read_job("- a\n")[1][0].message.startswith("A job order is a map")
    assert read_job("a: [\n")[1][0].line == 2
    assert read_job("a: &a [*a]\n")[0] == {}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_a_job_order_written_and_read_is_the_same(job: dict[str, object]) -> None:
    text = job_text(job)
    assert read_job(text) == (job, [])
    assert repr(read_job(text)[0]) == repr(job)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs", "Cc"])),
        st.integers() | st.text("aZ: #-'\"\n\t,[]{}yesno01."),
        max_size=5,
    )
)
def test_other_readers_of_yaml_read_the_same(job: dict[str, object]) -> None:
    assert yaml.safe_load(job_text(job)) == job


@pytest.mark.parametrize(
    "text", [".", "..", ".5", ".5E1", "1e3", "0o7", "012", "0x1F", "1:30", "yes", "~", "2001-01-01", "=", "<<", "-0b1"]
)
def test_texts_that_look_like_something_else_stay_texts(text: str) -> None:
    written = job_text({"a": text, "b": [text, {text: text}]})
    assert read_job(written)[0] == yaml.safe_load(written) == {"a": text, "b": [text, {text: text}]}
    loader = pytest.importorskip("schema_salad.utils", reason="the reference implementation is not installed")
    assert loader.yaml_no_ts().load(written)["a"] == text


@pytest.mark.parametrize(
    "text",
    ["1", "-1_000", "0o17", "0x1f", "1.5", "1e3", ".5", "true", "yes", "on", "2001-01-01", "null", "1:30", ".5E1"],
)
def test_plain_values_are_read_as_the_reference_reads_them(text: str) -> None:
    loader = pytest.importorskip("schema_salad.utils", reason="the reference implementation is not installed")
    assert read_job(f"a: {text}\n")[0]["a"] == loader.yaml_no_ts().load(f"a: {text}\n")["a"]
