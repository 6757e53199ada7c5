"""Forms of the review pages."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from spacelab.feedback import rules as feedback
from spacelab.kit.forms import Refusable
from spacelab.kit.refusals import Refusal
from spacelab.moderation import rules


class CommentForm(Refusable):
    """A remark, on the whole, a file or a line."""

    path = forms.CharField(label="File", max_length=500, required=False, help_text="Empty for the version as a whole.")
    line = forms.IntegerField(label="Line", min_value=1, max_value=rules.LARGEST_LINE, required=False)
    text = forms.CharField(
        label="Comment",
        max_length=feedback.LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Its author reads it. Markdown is understood.",
    )


class AnswerForm(forms.Form):
    """An answer to a remark."""

    answers = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    text = forms.CharField(max_length=feedback.LONGEST_COMMENT)


class StepForm(forms.Form):
    """A step or decision on the revision that was looked at."""

    transition = forms.ChoiceField(choices=[(name, name) for name in rules.STEPS])
    revision = forms.IntegerField(min_value=0, max_value=2**31)
    reason = forms.CharField(
        label="Reason",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Its author reads it. Needed to ask for changes and to reject.",
    )

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal above the form, whose text stays."""
        self.add_error(None, f"{refusal.message} {refusal.advice}".strip())


class SettleForm(Refusable):
    """What was done about a report."""

    outcome = forms.ChoiceField(label="What is done", widget=forms.RadioSelect)
    note = forms.CharField(
        label="Note",
        max_length=feedback.LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Who reported it reads it; the author as well, if it is passed on to her or her comment is hidden.",
    )

    def __init__(self, *args: Any, about_comment: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = feedback.outcomes_for(comment=about_comment)
        cast("forms.ChoiceField", self.fields["outcome"]).choices = [
            (str(one), words) for one, words in offered.items()
        ]
