"""What a visitor may ask the catalogue, and what an author says of a version."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms

from spacelab.accounts.models import Person
from spacelab.accounts.queries import acting_people, may, teams_of
from spacelab.datalabs import rules
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.datalabs.queries import SORTS, Filters
from spacelab.feedback import rules as feedback
from spacelab.kit.refusals import Refusal
from spacelab.publishing.rules import SHARED, TRANSITIONS, Visibility


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


class StepForm(forms.Form):
    """A step of a version's life: which one, the revision that was looked at, and the reason."""

    transition = forms.ChoiceField(choices=[(one, one) for one in TRANSITIONS])
    revision = forms.IntegerField(required=False, min_value=0)
    reason = forms.CharField(required=False)


MEANINGS = {
    Visibility.PRIVATE: "Private: you alone, and those who review it",
    Visibility.PEOPLE: "People: those named below, as soon as it is built",
    Visibility.TEAMS: "Teams: the members of those chosen below, as soon as it is built",
    Visibility.EVERYBODY: "Everybody, once it is published",
}


class ShareForm(forms.Form):
    """For whom a version is; people are named by their usernames, teams are the author's own."""

    use_required_attribute = False
    visibility = forms.ChoiceField(label="Who sees it", widget=forms.RadioSelect)
    people = forms.CharField(
        label="People",
        required=False,
        max_length=10_000,
        widget=forms.Textarea({"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text="Usernames, with spaces, commas or lines between.",
    )
    teams = forms.MultipleChoiceField(label="Teams", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: Any = None, *, person: Person, version: DatalabVersion) -> None:
        named = " ".join(version.people.order_by("username").values_list("username", flat=True))
        chosen = list(version.teams.order_by("name"))
        initial = {"visibility": version.visibility, "people": named, "teams": [one.slug for one in chosen]}
        super().__init__(data, initial=initial, label_suffix="")
        self._teams = {one.slug: one for one in [*teams_of(person), *chosen]}
        may_share = may(person, DatalabPermission.SHARE)
        offered = [(one.value, text) for one, text in MEANINGS.items() if may_share or one not in SHARED]
        cast("forms.ChoiceField", self.fields["visibility"]).choices = offered
        cast("forms.ChoiceField", self.fields["teams"]).choices = [(key, one.name) for key, one in self._teams.items()]
        if not may_share:
            del self.fields["people"], self.fields["teams"]
        elif not self._teams:
            self.fields["teams"].help_text = "You are in no team yet."

    def clean_people(self) -> list[Person]:
        """Find those who are named; an unknown name is an error."""
        names = {one.casefold() for one in re.split(r"[\s,;]+", self.cleaned_data["people"]) if one}
        found = list(acting_people().filter(username__in=names).order_by("username"))
        unknown = sorted(names - {one.username for one in found})
        if unknown:
            raise forms.ValidationError(f"Nobody here is called {', '.join(unknown)[:300]}. Check how it is spelled.")
        return found

    def wanted(self) -> dict[str, Any]:
        """Return what `share` takes."""
        given = self.cleaned_data
        teams = [self._teams[slug] for slug in given.get("teams", [])]
        return {"visibility": given["visibility"], "people": given.get("people", []), "teams": teams}

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal of the action at its field."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, f"{refusal.message} {refusal.advice}".strip())


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
