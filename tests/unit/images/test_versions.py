"""The order of versions, and whether one lies in a range of the OSV schema."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from spacelab.images.rules.advisories import in_range
from spacelab.images.rules.versions import UnknownVersionError, read_version, same_version

ORDERED = {
    "PyPI": ["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.10", "2!0.1"],
    "Debian:12": ["1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u1", "1.0-1+deb12u10", "1.0-2", "1.0.1-1", "1:0.1-1"],
    "npm": ["1.0.0-alpha", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0-beta", "1.0.0", "1.0.1", "1.10.0", "2.0.0"],
}
ECOSYSTEMS = some.sampled_from(sorted(ORDERED))


@pytest.mark.parametrize("ecosystem", ORDERED)
def test_versions_are_ordered_as_their_ecosystem_says(ecosystem: str) -> None:
    read = [read_version(ecosystem, text) for text in ORDERED[ecosystem]]
    assert all(one < other for one, other in pairwise(read))


@pytest.mark.parametrize(
    ("ecosystem", "text"), [("PyPI", "not a version"), ("npm", "1.2.3.4"), ("Debian:12", ""), ("Hackage", "2.0")]
)
def test_what_is_no_version_is_said_to_be_none(ecosystem: str, text: str) -> None:
    with pytest.raises(UnknownVersionError):
        read_version(ecosystem, text)
    assert not same_version(ecosystem, text, "1.0")
    assert same_version(ecosystem, text, text)


@given(ecosystem=ECOSYSTEMS, data=some.data())
def test_a_range_holds_what_lies_between_its_ends(ecosystem: str, data: some.DataObject) -> None:
    order = ORDERED[ecosystem]
    low, version, high = (data.draw(some.integers(0, len(order) - 1)) for _ in range(3))
    if low > high:
        low, high = high, low
    fixed = {"events": [{"introduced": order[low]}, {"fixed": order[high]}]}
    last = {"events": [{"last_affected": order[high]}, {"introduced": order[low]}]}
    assert in_range(ecosystem, order[version], fixed) == (low <= version < high)
    assert in_range(ecosystem, order[version], last) == (low <= version <= high)


@given(ecosystem=ECOSYSTEMS, data=some.data())
def test_events_may_stand_in_any_order_and_several_ranges_in_one_list(ecosystem: str, data: some.DataObject) -> None:
    order = ORDERED[ecosystem]
    a, b, c = sorted(data.draw(some.lists(some.integers(1, len(order) - 1), min_size=3, max_size=3, unique=True)))
    events = data.draw(
        some.permutations([{"introduced": "0"}, {"fixed": order[a]}, {"introduced": order[b]}, {"fixed": order[c]}])
    )
    for place, version in enumerate(order):
        assert in_range(ecosystem, version, {"events": events}) == (place < a or b <= place < c)


@given(ecosystem=ECOSYSTEMS, data=some.data())
def test_nothing_at_or_above_every_limit_is_in_a_range(ecosystem: str, data: some.DataObject) -> None:
    order = ORDERED[ecosystem]
    limit, version = (data.draw(some.integers(0, len(order) - 1)) for _ in range(2))
    limited = {"events": [{"introduced": "0"}, {"limit": order[limit]}]}
    assert in_range(ecosystem, order[version], limited) == (version < limit)
    assert in_range(ecosystem, order[version], {"events": [{"introduced": "0"}, {"limit": "*"}]})
