"""The lifecycle's table: nothing is a dead end that should not be, nobody decides alone, and refusals say why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacelab.kit.refusals import Conflict, Forbidden, Invalid
from spacelab.publishing.rules import (
    KEPT,
    RUNNABLE,
    TRANSITIONS,
    Facts,
    Need,
    State,
    Viewer,
    Visibility,
    Who,
    check,
    may_launch,
    may_see,
    open_to,
)

AUTHOR = Facts(frozenset({Who.AUTHOR}))
MODERATOR = Facts(frozenset({Who.MODERATOR}))
EVERYBODY_ELSE = Facts(frozenset())

VIEWERS = st.builds(Viewer, st.booleans(), st.booleans(), st.booleans())
STATES, VISIBILITIES = st.sampled_from(State), st.sampled_from(Visibility)


def reachable(start: State) -> set[State]:
    """Follow the table from a state."""
    found, left = {start}, [start]
    while left:
        here = left.pop()
        for row in TRANSITIONS.values():
            if here in row.sources and row.target not in found:
                found.add(row.target)
                left.append(row.target)
    return found


def test_every_state_is_reached_from_a_draft() -> None:
    assert reachable(State.DRAFT) == set(State)


def test_what_was_published_never_becomes_a_draft_again() -> None:
    for state in KEPT:
        assert reachable(state) <= KEPT


def test_only_a_rejected_version_ends_before_the_archive() -> None:
    assert {state for state in State if reachable(state) == {state}} == {State.REJECTED}


def test_nothing_is_published_without_another_persons_eyes() -> None:
    without = {name: row for name, row in TRANSITIONS.items() if name != "approve"}
    assert not any(row.target is State.APPROVED for row in without.values())
    assert TRANSITIONS["approve"].who == {Who.MODERATOR}
    assert Need.OTHER_EYES in TRANSITIONS["approve"].needs
    assert {row.name for row in TRANSITIONS.values() if row.target is State.PUBLISHED} == {"publish"}
    assert TRANSITIONS["publish"].sources == {State.APPROVED}


@given(state=STATES, name=st.sampled_from(sorted(TRANSITIONS)), acting=st.frozensets(st.sampled_from(Who)))
def test_the_check_agrees_with_what_is_offered(state: State, name: str, acting: frozenset[Who]) -> None:
    facts = Facts(acting)
    offered = name in {row.name for row in open_to(state, facts)}
    try:
        check(name, state, facts)
    except (Conflict, Forbidden):
        assert not offered
    else:
        assert offered


@given(name=st.sampled_from(sorted(TRANSITIONS)))
def test_each_need_hinders_and_is_told(name: str) -> None:
    row = TRANSITIONS[name]
    for need in row.needs:
        with pytest.raises(Conflict) as refused:
            check(name, next(iter(row.sources)), Facts(row.who, frozenset({need}), ((need, "More on it."),)))
        assert refused.value.message == f"{need.value} More on it."


def test_refusals_tell_strangers_nothing_of_the_state() -> None:
    for state in State:
        with pytest.raises(Forbidden, match="for the moderator"):
            check("approve", state, AUTHOR)
    with pytest.raises(Conflict, match="the version is draft"):
        check("approve", State.DRAFT, MODERATOR)
    with pytest.raises(Invalid, match="no step"):
        check("explode", State.DRAFT, AUTHOR)
    assert open_to(State.DRAFT, EVERYBODY_ELSE) == []


@given(state=STATES, visibility=VISIBILITIES)
def test_who_has_no_part_in_it_sees_only_what_is_for_everybody(state: State, visibility: Visibility) -> None:
    seen = may_see(state, visibility, Viewer())
    assert seen == (visibility is Visibility.EVERYBODY and state in KEPT)


@given(state=STATES, visibility=VISIBILITIES, viewer=VIEWERS, archived=st.booleans())
def test_who_launches_also_sees(state: State, visibility: Visibility, viewer: Viewer, archived: bool) -> None:  # noqa: FBT001  hypothesis
    launches = may_launch(state, visibility, viewer, archived=archived)
    assert not launches or may_see(state, visibility, viewer)
    assert not launches or state in RUNNABLE | KEPT


def test_the_archive_is_opened_by_those_who_may() -> None:
    anybody = Viewer()
    assert not may_launch(State.ARCHIVED, Visibility.EVERYBODY, anybody, archived=False)
    assert may_launch(State.ARCHIVED, Visibility.EVERYBODY, anybody, archived=True)
    assert may_launch(State.ARCHIVED, Visibility.PRIVATE, Viewer(author=True), archived=False)
    assert not may_launch(State.ARCHIVED, Visibility.PRIVATE, anybody, archived=True)
