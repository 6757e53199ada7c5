"""What people say about an entry: stars, comments, reports."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from spacelab.feedback import rules as feedback
from spacelab.kit.forms import Refusable


class RatingForm(forms.Form):
    """One to five stars, or 0 for none any more."""

    stars = forms.TypedChoiceField(choices=[(number, number) for number in (0, *feedback.STARS)], coerce=int)


class CommentForm(Refusable):
    """A comment on an entry, or an answer to one."""

    text = forms.CharField(
        label="Your comment",
        max_length=feedback.LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Everybody who sees it reads this. Markdown is understood.",
        strip=False,
    )

    def __init__(self, *args: Any, label: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = label or self.fields["text"].label


class ReportForm(Refusable):
    """Why somebody reports an entry or a comment."""

    reason = forms.ChoiceField(label="What is wrong", widget=forms.RadioSelect)
    text = forms.CharField(
        label="What you saw",
        max_length=feedback.LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The moderators read it, and your name. The author learns neither.",
    )

    def __init__(self, *args: Any, about_comment: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = feedback.reasons_for(comment=about_comment)
        cast("forms.ChoiceField", self.fields["reason"]).choices = [(str(one), words) for one, words in offered.items()]
