"""What a visitor may ask the catalogue."""

from __future__ import annotations

from django import forms

from spacelab.datalabs import rules
from spacelab.datalabs.queries import SORTS, Filters


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
