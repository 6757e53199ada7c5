"""What a rating, a comment, a reason and an outcome may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacelab.feedback import rules
from spacelab.kit.refusals import Invalid


@given(st.integers())
def test_a_rating_has_one_to_five_stars(stars: int) -> None:
    if 1 <= stars <= 5:
        assert rules.clean_stars(stars) == stars
    else:
        with pytest.raises(Invalid):
            rules.clean_stars(stars)


@given(st.text(max_size=50))
def test_a_text_that_is_kept_can_be_seen_and_kept_again(text: str) -> None:
    try:
        tidy = rules.clean_text(text)
    except Invalid:
        return
    assert any(one.isprintable() and not one.isspace() for one in tidy)
    assert "\0" not in tidy
    assert rules.clean_text(tidy) == tidy


@pytest.mark.parametrize("text", ["", " \n\t ", "\0", "\u200b\u200d", "\ufeff"])
def test_what_cannot_be_seen_is_empty(text: str) -> None:
    with pytest.raises(Invalid, match="empty"):
        rules.clean_text(text)
    assert rules.clean_text(text, needed=False) == ""


def test_lines_stay_and_length_is_said() -> None:
    assert rules.clean_text(" one\r\n\ttwo\x07 ") == "one\n\ttwo"
    assert len(rules.clean_text("x" * rules.LONGEST_COMMENT)) == rules.LONGEST_COMMENT
    with pytest.raises(Invalid, match="too long"):
        rules.clean_text("x" * (rules.LONGEST_COMMENT + 1))


@pytest.mark.parametrize("comment", [True, False])
def test_only_what_fits_is_offered_and_taken(*, comment: bool) -> None:
    for reason in rules.Reason:
        if reason in rules.reasons_for(comment=comment):
            assert rules.clean_reason(reason, comment=comment) is reason
        else:
            with pytest.raises(Invalid):
                rules.clean_reason(reason, comment=comment)
    assert (rules.Outcome.HIDDEN in rules.outcomes_for(comment=comment)) == comment
    with pytest.raises(Invalid):
        rules.clean_outcome("gone", comment=comment)
    assert set(rules.REASON_WORDS) == set(rules.Reason)
    assert set(rules.OUTCOME_WORDS) == set(rules.Outcome)
