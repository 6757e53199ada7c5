"""What a visitor may ask the catalogue, and what an author says of a version."""

from __future__ import annotations

from django import forms

from spacelab.datalabs import rules
from spacelab.datalabs.queries import SORTS, Filters
from spacelab.publishing.rules import TRANSITIONS


class FilterForm(forms.Form):
    """The query string of the catalogue; a value that makes no sense counts as not given."""

    q = forms.CharField(required=False, max_length=200, empty_value="")
    tag = forms.CharField(required=False, max_length=100, empty_value="")
    kind = forms.ChoiceField(required=False, choices=[("", ""), *((one, one) for one in rules.KINDS)])
    sort = forms.ChoiceField(required=False, choices=[("", ""), *((one, one) for one in SORTS)])

    def filters(self) -> Filters:
        """Return what was asked, without the parts that were invalid."""
        self.is_valid()
        given = self.cleaned_data
        return Filters(
            words=given.get("q", ""),
            tag=given.get("tag", ""),
            kind=given.get("kind", ""),
            sort=given.get("sort") or "name",
        )


class StepForm(forms.Form):
    """A step of a version's life: which one, the revision that was looked at, and the reason."""

    transition = forms.ChoiceField(choices=[(one, one) for one in TRANSITIONS])
    revision = forms.IntegerField(required=False, min_value=0)
    reason = forms.CharField(required=False)
