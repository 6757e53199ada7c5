"""What becomes of titles, texts and addresses, and when mail goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacelab.notifications.rules import (
    BACK_OFF,
    GATHER,
    KINDS,
    LONGEST_URL,
    Kind,
    Mail,
    mail_due_at,
    next_attempt,
    one_line,
    path_inside,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("TOPCAT is published", "TOPCAT is published"),
        ("a\r\nBcc: eve@example.org", "a Bcc: eve@example.org"),
        ("a\u2028b\u2029c\u0085d", "a b c d"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("a\u2066b\u2069\u200e\u200b\ufeff\x00\x1b[31mc", "ab[31mc"),
        ("  many \t spaces  ", "many spaces"),
        ("\u0646\u0645\u06cc\u200c\u062e", "\u0646\u0645\u06cc\u200c\u062e"),
        ("\u202e \u202c", ""),
    ],
)
def test_a_line_is_one_line_without_what_hides(written: str, kept: str) -> None:
    assert one_line(written, 200) == kept


@given(st.text(), st.integers(min_value=2, max_value=300))
def test_a_line_never_breaks_and_never_grows(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert len(line.splitlines()) <= 1
    assert one_line(line, longest) == line


def test_a_long_line_is_cut_with_a_mark() -> None:
    assert one_line("star " * 100, 20) == "star star star star…"


@pytest.mark.parametrize("path", ["/", "/builds/abc", "/catalogue/?q=a%20b#top"])
def test_a_path_of_the_portal_stays(path: str) -> None:
    assert path_inside(path) == path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "builds",
        "//evil.example.org",
        "/\\evil.example.org",
        "/a\\b",
        "https://evil.example.org/",
        "javascript:alert(1)",
        "/a b",
        "/a\n/b",
        "/a\n",
        "/\u202eb",
        "/" + "a" * LONGEST_URL,
    ],
)
def test_what_might_lead_elsewhere_goes(url: str) -> None:
    assert path_inside(url) == ""


def test_mail_goes_never_soon_or_in_the_morning() -> None:
    assert mail_due_at(Mail.NEVER, NOON) is None
    assert mail_due_at(Mail.SOON, NOON) == NOON + GATHER
    assert mail_due_at(Mail.DAILY, NOON) == datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    assert mail_due_at(Mail.DAILY, NOON.replace(hour=3)) == datetime(2026, 3, 1, 7, 0, tzinfo=UTC)


def test_mail_is_tried_again_ever_later_and_then_given_up() -> None:
    times = [next_attempt(failures, NOON) for failures in range(1, len(BACK_OFF) + 1)]
    waits = [one - NOON for one in times if one is not None]
    assert waits == sorted(set(waits))
    assert sum(waits, timedelta()) > timedelta(days=1)
    assert next_attempt(len(BACK_OFF) + 1, NOON) is None


def test_every_kind_says_what_it_is() -> None:
    assert set(KINDS) == set(Kind)
    assert all(facts.title and facts.hint for facts in KINDS.values())
