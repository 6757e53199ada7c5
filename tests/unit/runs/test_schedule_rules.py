"""When a schedule comes next, what it does about times that it missed, and which files count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from spacelab.runs.schedules import rules
from spacelab.runs.schedules.rules import Known, Missed, Plan, Seen, UnfitError

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURLY = "0 * * * *"


def plan_at(now: datetime, missed: Missed, *, next_at: datetime = NOON, busy: bool = False) -> Plan:
    return rules.plan(cron=HOURLY, zone="UTC", next_at=next_at, now=now, missed=missed, busy=busy)


@pytest.mark.parametrize("text", ["", "* * * *", "61 * * * *", "0 0 31 2 *", "* * * * * *", "a b c d e", "0 0 * * *;x"])
def test_what_is_no_cron_expression_is_refused(text: str) -> None:
    with pytest.raises(UnfitError) as refused:
        rules.cleaned_cron(text)
    assert refused.value.field == "cron"


def test_shorthands_and_spaces_are_taken() -> None:
    assert rules.cleaned_cron("@daily") == "0 0 * * *"
    assert rules.cleaned_cron("  0  6 * *   MON-FRI ") == "0 6 * * MON-FRI"


@pytest.mark.parametrize("name", ["", "Madrid", "europe/madrid", "../../etc/passwd", "/etc/localtime"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(UnfitError, match="no time zone"):
        rules.zone_of(name)


def test_times_are_those_of_a_clock_in_the_zone() -> None:
    before = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    found = rules.times_after("0 6 * * *", "Europe/Madrid", before, 2)
    assert found == [datetime(2026, 3, 29, 4, 0, tzinfo=UTC), datetime(2026, 3, 30, 4, 0, tzinfo=UTC)]
    assert rules.times_after("0 6 * * *", "Europe/Madrid", before - timedelta(days=1), 1)[0].hour == 5


def test_a_time_that_the_clocks_leave_out_comes_right_after_and_one_that_comes_twice_counts_once() -> None:
    spring = rules.times_after("30 2 * * *", "Europe/Madrid", datetime(2026, 3, 28, 12, 0, tzinfo=UTC), 2)
    assert spring == [datetime(2026, 3, 29, 1, 0, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)]
    autumn = rules.times_after("30 2 * * *", "Europe/Madrid", datetime(2026, 10, 24, 12, 0, tzinfo=UTC), 2)
    assert len(autumn) == 2
    assert autumn[1] - autumn[0] >= timedelta(hours=24)


def test_nothing_happens_before_the_time() -> None:
    assert plan_at(NOON - timedelta(seconds=1), Missed.EACH) == Plan(next_at=NOON)


@pytest.mark.parametrize("missed", list(Missed))
def test_on_time_each_way_launches_once(missed: Missed) -> None:
    found = plan_at(NOON + timedelta(seconds=1), missed)
    assert (found.launch, found.skipped, found.next_at) == (NOON, [], NOON + HOUR)


def test_what_was_missed_is_left_out_made_up_for_once_or_each() -> None:
    later = NOON + 3 * HOUR + timedelta(minutes=30)
    times = [NOON + number * HOUR for number in range(4)]
    skip, once, each = (plan_at(later, one) for one in (Missed.SKIP, Missed.ONCE, Missed.EACH))
    assert (skip.launch, list(skip.skipped), skip.next_at) == (None, times, NOON + 4 * HOUR)
    assert (once.launch, list(once.skipped), once.next_at) == (times[-1], times[:-1], NOON + 4 * HOUR)
    assert (each.launch, list(each.skipped), each.next_at) == (times[0], [], times[1])


def test_skipping_still_launches_for_a_time_that_is_just_now() -> None:
    found = plan_at(NOON + 3 * HOUR + timedelta(seconds=5), Missed.SKIP)
    assert found.launch == NOON + 3 * HOUR
    assert len(found.skipped) == 3


def test_a_run_at_work_makes_those_wait_that_catch_up() -> None:
    now = NOON + timedelta(seconds=1)
    assert plan_at(now, Missed.ONCE, busy=True) == Plan(next_at=NOON, waits=True)
    assert plan_at(now, Missed.EACH, busy=True) == Plan(next_at=NOON, waits=True)
    skipped = plan_at(now, Missed.SKIP, busy=True)
    assert (skipped.launch, list(skipped.skipped), skipped.next_at) == (None, [NOON], NOON + HOUR)
    assert "at work" in skipped.why_skipped


def test_after_a_long_time_only_the_last_ones_are_caught_up() -> None:
    found = plan_at(NOON + timedelta(days=3000), Missed.EACH)
    assert found.launch == NOON + timedelta(days=3000) - (rules.MOST_CAUGHT_UP - 1) * HOUR
    assert found.next_at == found.launch + HOUR
    assert len(found.skipped) > rules.MOST_DUE


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    st.sampled_from(list(Missed)),
    st.integers(0, 60 * 24 * 2),
    st.sampled_from(["* * * * *", HOURLY, "30 2 * * *", "0 0 1 * *", "5 4 * * SUN"]),
    st.sampled_from(["UTC", "Europe/Madrid", "America/New_York", "Asia/Kolkata"]),
)
def test_a_controller_that_comes_back_gets_on_and_counts_no_time_twice(
    missed: Missed, minutes: int, cron: str, zone: str
) -> None:
    start = datetime(2026, 3, 10, 0, 0, tzinfo=UTC)
    next_at = rules.times_after(cron, zone, start, 1)[0]
    now = start + timedelta(minutes=minutes)
    counted: list[datetime] = []
    for _ in range(rules.MOST_CAUGHT_UP + 2):
        found = rules.plan(cron=cron, zone=zone, next_at=next_at, now=now, missed=missed, busy=False)
        counted += [*found.skipped, *([found.launch] if found.launch else [])]
        assert found.next_at is not None
        next_at = found.next_at
        if next_at > now:
            break
    assert next_at > now
    assert len(counted) == len(set(counted))
    assert all(at <= now for at in counted)


def seen(path: str, size: int = 1, changed: int = 1) -> Seen:
    return Seen(path, size, changed)


def test_a_file_is_ready_when_it_has_stayed_the_same() -> None:
    settle = timedelta(seconds=30)
    assert rules.compare([seen("a")], {}, NOON, settle).fresh == [seen("a")]
    known = {"a": Known(1, 1, NOON, taken=False)}
    assert rules.compare([seen("a")], known, NOON + timedelta(seconds=29), settle).ready == []
    assert rules.compare([seen("a")], known, NOON + settle, settle).ready == [seen("a")]
    assert rules.compare([seen("a", size=2)], known, NOON + settle, settle).fresh == [seen("a", size=2)]


def test_a_file_that_was_given_to_a_run_counts_again_only_when_it_changes() -> None:
    known = {"a": Known(1, 1, NOON, taken=True), "b": Known(1, 1, NOON, taken=True)}
    news = rules.compare([seen("a")], known, NOON + HOUR, timedelta(seconds=2))
    assert (news.fresh, news.ready, news.gone) == ([], [], ["b"])
    assert rules.compare([seen("a", changed=2)], known, NOON, timedelta(0)).fresh == [seen("a", changed=2)]


@pytest.mark.parametrize(
    ("patterns", "inside", "wanted"),
    [
        (["*"], "a.fits", True),
        (["*.fits"], "deep/er/a.fits", True),
        (["*.fits"], "a.fits.part", False),
        (["*"], ".a.fits", False),
        (["*"], "a.fits~", False),
        (["raw/*.fits"], "raw/a.fits", True),
        (["raw/*.fits"], "raw/deep/a.fits", False),
        (["*.FITS"], "a.fits", False),
        (["a?.txt", "b.*"], "b.csv", True),
        (["[ab].txt"], "c.txt", False),
    ],
)
def test_patterns(patterns: list[str], inside: str, wanted: bool) -> None:  # noqa: FBT001  a table's column
    assert rules.wants(patterns, inside) is wanted


@pytest.mark.parametrize("text", ["/etc/*", "../x", "a/../b", "\n".join(f"x{n}" for n in range(30)), "x" * 300])
def test_patterns_that_lead_out_or_are_too_many_are_refused(text: str) -> None:
    with pytest.raises(UnfitError):
        rules.cleaned_patterns(text)
