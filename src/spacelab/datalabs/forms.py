"""What a visitor may ask the catalogue, and what an author says of a version."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from spacelab.datalabs import rules
from spacelab.datalabs.queries import SORTS, Filters
from spacelab.feedback import rules as feedback
from spacelab.kit.refusals import Refusal


class FilterForm(forms.Form):
    """The query string of the catalogue; a value that makes no sense counts as not given."""

    q = forms.CharField(required=False, max_length=200, empty_value="")
    tag = forms.CharField(required=False, max_length=100, empty_value="")
    kind = forms.ChoiceField(required=False, choices=[("", ""), *((one, one) for one in rules.KINDS)])
    sort = forms.ChoiceField(required=False, choices=[("", ""), *((one, one) for one in SORTS)])
    mission = forms.CharField(required=False, max_length=200, empty_value="")
    domain = forms.CharField(required=False, max_length=500, empty_value="")
    opens = forms.CharField(required=False, max_length=60, empty_value="")
    official = forms.BooleanField(required=False)

    def filters(self) -> Filters:
        """Return what was asked, without the parts that were invalid."""
        self.is_valid()
        given = self.cleaned_data
        return Filters(
            words=given.get("q", ""),
            tag=given.get("tag", ""),
            kind=given.get("kind", ""),
            sort=given.get("sort") or "name",
            mission=given.get("mission", ""),
            domain=given.get("domain", ""),
            opens=given.get("opens", ""),
            official=given.get("official", False),
        )


class RatingForm(forms.Form):
    """One to five stars, or 0 for none any more."""

    stars = forms.TypedChoiceField(choices=[(number, number) for number in (0, *feedback.STARS)], coerce=int)


class CommentForm(forms.Form):
    """A comment on a datalab, or an answer to one."""

    text = forms.CharField(
        label="Your comment",
        max_length=feedback.LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Everybody who sees this datalab reads it. Markdown is understood.",
        strip=False,
    )

    def __init__(self, *args: Any, label: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = label or self.fields["text"].label

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal at its field, or above the form, whose text stays."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, f"{refusal.message} {refusal.advice}".strip())


class ReportForm(forms.Form):
    """Why somebody reports a datalab or a comment."""

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

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal at its field, or above the form, whose text stays."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, f"{refusal.message} {refusal.advice}".strip())
