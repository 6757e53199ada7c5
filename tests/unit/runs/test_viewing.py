"""What a run looks like, without a database: states, timeline, values, outputs and comparisons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwl_graph import read
from spacelab.runs.viewing import comparing, outputs, timeline, unrun, values
from spacelab.runs.viewing.figures import Span, StepFigures
from spacelab.runs.viewing.page import needs_of
from spacelab.runs.viewing.states import StepView, duration, most_telling, views_of
from spacelab.runs.viewing.timeline import BAR, BINS, LANE, MOST_BARS, Timeline

ZERO = datetime(2026, 6, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Return a moment after the launch."""
    return ZERO + timedelta(seconds=seconds)


def step(name: str, state: str = "succeeded", **values: Any) -> dict[str, Any]:
    """Return a step as a run keeps it."""
    return {"id": name, "label": "", "scatter": False, "state": state, "count": None, "jobs": {}, **values}


def views(*steps: dict[str, Any], figures: dict[str, StepFigures] | None = None) -> list[StepView]:
    """Return steps as pages show them, a minute after the launch."""
    return views_of(steps, figures or {}, now=at(60))


def spans(name: str, *times: tuple[float, float | None], state: str = "succeeded") -> list[Span]:
    """Return jobs of a step that began and ended at these seconds."""
    return [Span(name, f"{name}.{n}", state, at(a), None if b is None else at(b), 1) for n, (a, b) in enumerate(times)]


def drawn(steps: list[StepView], times: list[Span], **needs: list[str]) -> Timeline:
    """Draw a minute."""
    return timeline.draw(steps, times, launched=ZERO, started=at(6), end=at(60), needs=needs)


def test_what_an_ended_run_never_came_to_says_so_and_why() -> None:
    steps = views(
        step("a", "failed", label="Read it"), step("b", "waiting"), step("c", "waiting"), step("d", "waiting")
    )
    needs = {"b": frozenset({"a"}), "c": frozenset({"b"}), "d": frozenset[str]()}
    found = unrun.settle(steps, needs, "failed")
    blamed = "It needs what “Read it” makes, which failed."
    assert [one.words for one in found] == ["failed", "not run", "not run", "not run"]
    assert [one.why for one in found] == ["", blamed, blamed, "The run failed before it could begin."]
    assert [one.words for one in unrun.settle(steps, needs, "running")] == ["failed", *["waiting"] * 3]
    assert unrun.settle(steps, needs, "cancelled")[3].why == "The run was stopped before it began."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (12, "12 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_scatter_counts_and_a_step_takes_from_its_first_start_to_its_last_end() -> None:
    jobs = {"succeeded": 30, "reused": 7, "failed": 1, "running": 2}
    figures = {
        "count": StepFigures(40, 30.0, 10**6, at(10), at(30)),
        "other": StepFigures(1, 10.0, 10**9, at(10), at(12), first_job="other"),
    }
    scatter, other = views(step("count", "running", scatter=True, count=100, jobs=jobs), step("other"), figures=figures)
    assert scatter.words == "37 of 100, 1 failed"
    assert scatter.line == "▶ 37 of 100, 1 failed · 50 s"
    assert (scatter.cpu_share, other.cpu_share) == (0.75, 0.25)
    assert other.line == "✓ succeeded · 2.0 s"
    assert (scatter.only_job, other.only_job) == ("", "other")


def test_a_step_inside_a_scattered_subworkflow_has_many_jobs() -> None:
    figures = {"inner/say": StepFigures(2, 1.0, 0, at(1), at(2), first_job="inner/say.0")}
    jobs = {"succeeded": 2}
    outer, inner = views(step("inner", scatter=True, count=2), step("inner/say", jobs=jobs), figures=figures)
    assert (outer.words, outer.only_job, outer.count) == ("succeeded", "", 0)
    assert (inner.words, inner.only_job) == ("2 of 2", "")


def test_of_many_steps_those_that_fail_and_run_are_shown_first() -> None:
    long = {f"s{n}": StepFigures(1, 1.0, 0, at(0), at(n)) for n in range(50)}
    many = views(*(step(f"s{n}") for n in range(50)), step("bad", "failed"), step("now", "running"), figures=long)
    assert [one.id for one in most_telling(many, 4)] == ["s48", "s49", "bad", "now"]


def test_bars_stand_where_their_times_are() -> None:
    found = drawn(views(step("a"), step("b")), [*spans("a", (6, 12)), *spans("b", (15, 30), (20, 60))], b=["a"])
    first, second = found.lanes
    assert [(bar.x, bar.width) for bar in first.bars] == [(10, 10)]
    assert [(bar.x, bar.width) for bar in second.bars] == [(25, 25), (33.333, 66.667)]
    assert len({bar.y for bar in second.bars}) == 2
    assert (second.waited, second.most_at_once) == (3, 2)
    assert found.queued == 6
    assert second.y - first.y == LANE


def test_many_jobs_become_a_band_with_marks_of_failures() -> None:
    times = [*spans("a", *((n / 20, n / 20 + 2) for n in range(1000))), *spans("a", (50, 55), state="failed")]
    (lane,) = drawn(views(step("a", scatter=True, count=1001)), times).lanes
    assert lane.folded
    assert len(lane.bars) <= BINS
    assert lane.most_at_once == 40
    assert lane.failures == [91.667]
    assert max(bar.height for bar in lane.bars) == BAR
    assert "at most 40 at once" in lane.words


@given(
    st.lists(st.tuples(st.floats(-5, 100), st.one_of(st.none(), st.floats(-5, 100))), max_size=3 * MOST_BARS),
    st.sampled_from(["succeeded", "running", "failed"]),
)
def test_nothing_is_drawn_outside(times: list[tuple[float, float | None]], state: str) -> None:
    (lane,) = drawn(views(step("a", state)), spans("a", *times, state=state)).lanes
    for bar in lane.bars:
        assert 0 <= bar.x <= 100
        assert bar.width >= 0
        assert bar.x + bar.width <= 100.5
        assert lane.y <= bar.y
        assert bar.y + bar.height <= lane.y + LANE


def test_steps_of_a_subworkflow_wait_for_what_it_waits_for() -> None:
    tool = "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: cat\ninputs: {x: File}\noutputs: {y: stdout}\n"
    head = "cwlVersion: v1.2\nclass: Workflow\ninputs: {x: File}\noutputs: {}\n"
    head += "requirements: {SubworkflowFeatureRequirement: {}}\n"
    inner = head + "steps:\n  c: {run: t.cwl, in: {x: x}, out: [y]}\n  d: {run: t.cwl, in: {x: c/y}, out: [y]}\n"
    outer = head + "steps:\n  a: {run: t.cwl, in: {x: x}, out: [y]}\n  b: {run: inner.cwl, in: {x: a/y}, out: []}\n"
    graph = read({"main.cwl": outer, "inner.cwl": inner, "t.cwl": tool}, "main.cwl").graph
    needs = needs_of(graph)
    assert needs["b"] == {"a"}
    assert needs["b/c"] == {"a"}
    assert needs["b/d"] == {"a", "b/c"}


def file(name: str, checksum: str = "", **more: Any) -> dict[str, Any]:
    """Return a file as CWL writes it."""
    return {"class": "File", "location": f"file:///media/user/results/x/{name}", "checksum": checksum, **more}


def test_files_are_found_in_whatever_holds_them() -> None:
    held = {"a": [file("1", secondaryFiles=[file("2")])], "b": {"class": "Directory", "listing": [file("3%20c")]}}
    found = list(values.files_in(held))
    assert [values.name_of(one) for one in found] == ["1", "2", "Directory", "3 c"]
    assert values.inside(found[3], "results/x") == "3 c"
    assert values.inside(found[3], "results/y") == ""
    assert values.inside({"location": "/media/user/results/x/../y"}, "results/x") == ""
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    assert list(values.files_in(deep)) == []
    assert values.words([[1, 2], "x", None]) == "1, 2, x, nothing"


def test_outputs_name_their_files_and_the_rest_is_listed_apart() -> None:
    there = {"a.txt": 3, "inner/b.txt": 5, "rest.log": 7}
    given_ = {"one": file("a.txt", "sha1$1"), "all": {"class": "Directory", "location": "/media/user/results/x/inner"}}
    listed, others = outputs.list_outputs({**given_, "n": 4, "gone": file("gone.txt")}, "results/x", there)
    assert [[one.path for one in output.files] for output in listed] == [["a.txt"], ["inner/b.txt"], [], ["gone.txt"]]
    assert listed[2].words == "4"
    assert not listed[3].files[0].there
    assert [one.path for one in others] == ["rest.log"]


def side(**changed: Any) -> comparing.Side:
    """Return what is compared of a run."""
    plain = comparing.Side(
        "P 1", {"main.cwl": "a: 1\n"}, "main.cwl", {"n": 1}, {}, "succeeded", "", "small", 10.0, {}, []
    )
    return comparing.Side(**{**plain.__dict__, **changed})


def test_the_same_content_elsewhere_is_the_same() -> None:
    here = {"o": [file("a.txt", "sha1$1")]}
    there = {"o": [{**file("a.txt", "sha1$1"), "location": "/media/user/results/y/a.txt"}]}
    assert comparing.compare(side(outputs=here), side(outputs=there, seconds=30.0)).different == 0
    other = {"o": [file("a.txt", "sha1$2")]}
    assert comparing.compare(side(outputs=here), side(outputs=other)).different == 1


def test_differences_stand_first_and_lines_of_documents_with_their_signs() -> None:
    found = comparing.compare(side(job={"a": 1, "n": 1}), side(job={"a": 1, "n": 2}, files={"main.cwl": "a: 2\n"}))
    inputs = next(one for one in found.sections if one.title == "Inputs")
    assert [(row.label, row.same) for row in inputs.rows] == [("n", False), ("a", True)]
    assert [(sign, text) for sign, _, text in found.documents[0].lines if sign != "place"] == [
        ("removed", "a: 1"),
        ("added", "a: 2"),
    ]


def test_a_reused_step_came_out_as_well_as_one_that_ran() -> None:
    ran, reused = views(step("a")), views(step("a", "reused"))
    assert comparing.compare(side(steps=ran), side(steps=reused)).different == 0
    assert comparing.compare(side(steps=ran), side(steps=views(step("a", "failed")))).different == 1


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (10, 30, "3.0 times as long"),
        (30, 10, "3.0 times as fast"),
        (10, 10.5, "about as long"),
        (0.1, 0.3, ""),
        (None, 1, ""),
    ],
)
def test_how_much_longer(left: float | None, right: float | None, words: str) -> None:
    assert comparing.ratio(left, right) == words
