"""Decisions about builds: whose turn it is, what a log says of its steps."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spacelab.accounts.rules import USERNAME
from spacelab.builds.rules import (
    FINAL,
    NEXT,
    OWNER_PART,
    State,
    Waiting,
    image_name,
    in_turn,
    steps_in,
)
from spacelab.datalabs.rules import SLUG

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def waiting(*people: int) -> list[Waiting]:
    """Make a queue, in the order in which these people asked."""
    return [Waiting(f"b{at}", person, NOON + timedelta(seconds=at)) for at, person in enumerate(people)]


def test_ten_builds_of_one_do_not_hold_up_the_one_of_another() -> None:
    order = in_turn(waiting(*[1] * 10, 2), {}, {})
    assert order.index("b10") == 1
    assert in_turn(waiting(*[1] * 10, 2), {1: 1}, {1: NOON})[0] == "b10"
    assert in_turn(waiting(1, 2), {}, {1: NOON})[0] == "b1", "who had no turn yet comes first"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, 4), max_size=30))
def test_everybody_has_a_turn_before_anybody_has_a_second(people: list[int]) -> None:
    queue = waiting(*people)
    person_of = {one.id: one.person for one in queue}
    order = in_turn(queue, {}, {})
    assert sorted(order) == sorted(person_of)
    turns = [person_of[one] for one in order]
    for person in set(people):
        mine = [at for at, one in enumerate(turns) if one == person]
        for first, second in pairwise(mine):
            still_waiting = set(turns[second:]) - {person}
            assert still_waiting <= set(turns[first + 1 : second]), "somebody waits while this one has two turns"
        own = [one for one in order if person_of[one] == person]
        assert own == sorted(own, key=lambda one: int(one[1:])), "one person's builds keep their order"


def test_states_lead_to_an_end_and_not_beyond() -> None:
    assert set(NEXT) == set(State)
    assert all(not NEXT[one] for one in FINAL)
    assert all(NEXT[one] >= {State.FAILED, State.CANCELLED} for one in set(State) - FINAL)


def test_a_log_tells_its_steps_and_what_each_took() -> None:
    log = "STEP 1/2 +0.0s: One\nnoise STEP 9/9: no\nSTEP 2/2 +1.5s: Two\nmore\n"
    now = steps_in(log, ended=False, failed=False, total=4.0)
    assert [(one.title, one.state, one.took) for one in now] == [("One", "done", 1.5), ("Two", "now", None)]
    failed = steps_in(log, ended=True, failed=True, total=4.0)
    assert (failed[-1].state, failed[-1].took) == ("bad", 2.5)
    assert [one.title for one in steps_in("STEP 1/3: FROM a\nStep 2/3 : RUN b", ended=True, failed=False)] == [
        "FROM a",
        "RUN b",
    ]


IMAGE_NAME = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII
)  # the grammar of github.com/distribution/reference: one component of a path, and a tag
usernames = st.from_regex(USERNAME, fullmatch=True).map(str.strip)
slugs = st.from_regex(SLUG, fullmatch=True).map(str.strip)
words = usernames | slugs | st.text(max_size=80) | st.text("ab_-.", max_size=12)
owned = st.tuples(words, words)


@given(owned, st.text(max_size=200), st.integers(0, 10**6))
def test_every_image_has_a_legal_name(owner_and_slug: tuple[str, str], version: str, number: int) -> None:
    name = image_name(*owner_and_slug, version, number)
    assert IMAGE_NAME.fullmatch(name)
    assert len(name) < 240


@given(owned, owned)
@example(("ann", "b-c"), ("ann_b", "c"))
@example(("a", "b"), ("a_b", "b"))
@example(("a___b", "c"), ("a_b", "c"))
@example(("Ann", "c"), ("ann", "c"))
def test_no_name_leads_to_another_person_or_datalab(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (image_name(*one, "1", 1) == image_name(*other, "1", 1)) == (one == other)


@given(usernames.filter(OWNER_PART.fullmatch), slugs)
@example("demo-developer", "nearby-stars")
def test_ordinary_names_stay_as_people_know_them(owner: str, slug: str) -> None:
    assert image_name(owner, slug, "0.1.0", 7) == f"{owner}_{slug}:v0.1.0-7"


@given(owned)
def test_a_changed_name_can_not_be_taken_on_purpose(one: tuple[str, str]) -> None:
    path = image_name(*one, "1", 1).partition(":")[0]
    taken = path.rpartition("_")
    assert image_name(taken[0], taken[2], "1", 1).partition(":")[0] != path or (taken[0], taken[2]) == one
