"""What a visitor may ask the catalogue of pipelines."""

from __future__ import annotations

from django import forms

from spacelab.pipelines.queries import SORTS, Filters
from spacelab.pipelines.rules import Kind

WHOSE = {"": "anybody's", "system": "the platform's", "own": "mine", "bookmarked": "bookmarked by me"}
SORT_WORDS = {
    "modified": "last modified",
    "oldest": "longest unmodified",
    "name": "name",
    "author": "author",
    "popularity": "most used",
}


class FilterForm(forms.Form):
    """The query string of the catalogue; a value that makes no sense counts as not given."""

    q = forms.CharField(required=False, max_length=200, empty_value="")
    tag = forms.CharField(required=False, max_length=100, empty_value="")
    whose = forms.ChoiceField(required=False, choices=list(WHOSE.items()))
    author = forms.CharField(required=False, max_length=120, empty_value="")
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    sort = forms.ChoiceField(required=False, choices=[("", ""), *((one, one) for one in SORTS)])

    def filters(self, kind: Kind) -> Filters:
        """Return what was asked, without the parts that were invalid."""
        self.is_valid()
        given = self.cleaned_data
        return Filters(
            words=given.get("q", ""),
            tag=given.get("tag", ""),
            kind=kind.value,
            whose=given.get("whose", ""),
            author=given.get("author", ""),
            since=given.get("since"),
            until=given.get("until"),
            sort=given.get("sort") or "modified",
        )
