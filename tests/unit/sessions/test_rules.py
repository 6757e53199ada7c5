"""Decisions about sessions: quota, titles, and the rule for idle sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacelab.kit.refusals import Invalid, OverQuota
from spacelab.sessions.rules import (
    Amount,
    IdlePolicy,
    Verdict,
    check_quota,
    clean_title,
    end_of_idleness,
    idle_deadline,
    in_words,
    verdict,
)
from spacelab.workloads.rules import PROFILES, Profile, profile_named

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICY = IdlePolicy(limit=8 * HOUR, warning=HOUR / 2)
SMALL, MEDIUM, LARGE = PROFILES


@pytest.mark.parametrize(
    ("idle", "keep", "warned", "expected"),
    [
        (0 * HOUR, None, None, Verdict.KEEP),
        (7 * HOUR, None, None, Verdict.KEEP),
        (7.5 * HOUR, None, None, Verdict.WARN),
        (7.9 * HOUR, None, 0.4 * HOUR, Verdict.WARN),
        (8 * HOUR, None, 0.5 * HOUR, Verdict.STOP),
        (8 * HOUR, None, None, Verdict.WARN),
        (20 * HOUR, None, None, Verdict.WARN),
        (20 * HOUR, None, 0.2 * HOUR, Verdict.WARN),
        (20 * HOUR, None, 0.5 * HOUR, Verdict.STOP),
        (20 * HOUR, 2 * HOUR, None, Verdict.KEEP),
        (20 * HOUR, 0.2 * HOUR, None, Verdict.WARN),
        (20 * HOUR, -HOUR, 0.5 * HOUR, Verdict.STOP),
        (8 * HOUR, None, 9 * HOUR, Verdict.WARN),
    ],
)
def test_the_rule_for_idle_sessions(
    idle: timedelta, keep: timedelta | None, warned: timedelta | None, expected: Verdict
) -> None:
    decided = verdict(
        NOON,
        active_at=NOON - idle,
        keep_until=None if keep is None else NOON + keep,
        warned_at=None if warned is None else NOON - warned,
        policy=POLICY,
    )
    assert decided is expected


lengths = st.timedeltas(timedelta(), timedelta(days=30))


@given(
    idle=lengths,
    keep=st.none() | st.timedeltas(timedelta(days=-30), timedelta(days=30)),
    warned=st.none() | lengths,
    limit=st.timedeltas(timedelta(minutes=1), timedelta(days=3)),
    warning=st.timedeltas(timedelta(), timedelta(days=1)),
)
def test_nothing_is_stopped_that_was_active_within_the_limit_or_not_warned(
    idle: timedelta, keep: timedelta | None, warned: timedelta | None, limit: timedelta, warning: timedelta
) -> None:
    active_at = NOON - idle
    keep_until = None if keep is None else NOON + keep
    warned_at = None if warned is None else NOON - warned
    policy = IdlePolicy(limit, warning)
    decided = verdict(NOON, active_at=active_at, keep_until=keep_until, warned_at=warned_at, policy=policy)
    if idle < limit or (keep is not None and keep > timedelta()) or warned is None:
        assert decided is not Verdict.STOP
    if decided is Verdict.STOP:
        assert warned is not None
        assert active_at <= NOON - warned <= NOON - warning
        assert end_of_idleness(active_at, keep_until, warned_at, policy) <= NOON
        assert idle_deadline(active_at, keep_until, limit) <= NOON


@given(idle=lengths, limit=st.timedeltas(timedelta(minutes=1), timedelta(days=3)))
def test_an_idle_session_ends_after_a_warning_and_its_time(idle: timedelta, limit: timedelta) -> None:
    policy = IdlePolicy(limit, HOUR / 2)
    active_at = NOON - limit - idle
    assert verdict(NOON, active_at=active_at, keep_until=None, warned_at=None, policy=policy) is Verdict.WARN
    later = NOON + policy.warning
    assert verdict(later, active_at=active_at, keep_until=None, warned_at=NOON, policy=policy) is Verdict.STOP


def test_the_rule_is_told_in_words() -> None:
    for part in ("8 h", "30 min", "browser tab", "busy kernel", "5%", "never while it computes"):
        assert part in POLICY.in_words


@pytest.mark.parametrize(
    ("used", "profile", "said"),
    [
        (Amount(4, 4, 8192), SMALL, "4 of 4 sessions"),
        (Amount(2, 6, 4096), LARGE, "2 of 8 are free"),
        (Amount(2, 2, 12288), LARGE, "4 of 16 GiB are free"),
    ],
)
def test_a_refused_quota_says_what_is_short(used: Amount, profile: Profile, said: str) -> None:
    with pytest.raises(OverQuota) as caught:
        check_quota(Amount(4, 8, 16384), used, profile)
    assert said in caught.value.message
    assert caught.value.field == "profile"


@given(
    used=st.builds(Amount, st.integers(0, 6), st.floats(0, 10), st.integers(0, 20000)),
    profile=st.sampled_from(PROFILES),
)
def test_what_passes_the_quota_is_within_it(used: Amount, profile: Profile) -> None:
    quota = Amount(4, 8, 16384)
    try:
        check_quota(quota, used, profile)
    except OverQuota:
        return
    assert used.sessions < quota.sessions
    assert used.cpu <= quota.cpu
    assert used.memory_mb <= quota.memory_mb


@pytest.mark.parametrize("title", ["Εὐκλείδης", "銀河", "مجرة", "Gaia's parallaxes 🛰"])
def test_a_title_in_any_script_is_fine(title: str) -> None:
    assert clean_title(f"  {title} ") == title


@pytest.mark.parametrize("title", ["x" * 300, "two\nlines", "bell\x07"])
def test_a_title_too_long_or_unprintable_is_refused(title: str) -> None:
    with pytest.raises(Invalid) as caught:
        clean_title(title)
    assert caught.value.field == "title"


def test_an_unknown_profile_names_those_on_offer() -> None:
    with pytest.raises(Invalid, match="enormous") as caught:
        profile_named("enormous", PROFILES)
    assert "small, medium, large" in caught.value.advice


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(), "0 s"),
        (timedelta(minutes=30), "30 min"),
        (8 * HOUR, "8 h"),
        (timedelta(days=1, hours=2, minutes=3), "1 d 2 h"),
    ],
)
def test_lengths_of_time_in_words(length: timedelta, words: str) -> None:
    assert in_words(length) == words
