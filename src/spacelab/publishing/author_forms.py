"""What an author says of a version on its pages: a step of its life, and for whom it is."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms

from spacelab.accounts.models import Person
from spacelab.accounts.queries import acting_people, may, teams_of
from spacelab.kit.forms import Refusable
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.rules import SHARED, TRANSITIONS, Visibility


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


class ShareForm(Refusable):
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

    def __init__(self, data: Any = None, *, person: Person, version: PublishedVersion) -> None:
        named = " ".join(version.people.order_by("username").values_list("username", flat=True))
        chosen = list(version.teams.order_by("name"))
        initial = {"visibility": version.visibility, "people": named, "teams": [one.slug for one in chosen]}
        super().__init__(data, initial=initial, label_suffix="")
        self._teams = {one.slug: one for one in [*teams_of(person), *chosen]}
        may_share = may(person, version.family.share)
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
