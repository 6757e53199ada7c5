"""Where a person wants to hear news: a row of fields for each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms import BoundField

from spacelab.notifications.rules import KINDS, MAIL_MEANINGS, Choice, Facts, Kind, Mail

MAIL_CHOICES = [(str(mail), meaning) for mail, meaning in MAIL_MEANINGS.items()]


class ChoicesForm(forms.Form):
    """For each kind: the bell, the mail, the feed."""

    def __init__(self, choices: Mapping[Kind, Choice], data: Any = None) -> None:
        super().__init__(data)
        self._kinds = list(choices)
        for kind, choice in choices.items():
            title = KINDS[kind].title
            box = forms.CheckboxInput
            self.fields[f"{kind}-bell"] = forms.BooleanField(
                required=False, initial=choice.bell, widget=box({"aria-label": f"{title}: bell"})
            )
            self.fields[f"{kind}-mail"] = forms.ChoiceField(
                choices=MAIL_CHOICES,
                initial=str(choice.mail),
                widget=forms.Select({"aria-label": f"{title}: mail", "class": "input"}),
            )
            self.fields[f"{kind}-feed"] = forms.BooleanField(
                required=False, initial=choice.feed, widget=box({"aria-label": f"{title}: feed"})
            )

    def rows(self) -> Iterator[tuple[Facts, BoundField, BoundField, BoundField]]:
        """Yield each kind's facts with its three fields."""
        for kind in self._kinds:
            yield KINDS[kind], self[f"{kind}-bell"], self[f"{kind}-mail"], self[f"{kind}-feed"]

    def chosen(self) -> dict[Kind, Choice]:
        """Return what was chosen; ask `is_valid` before."""
        data = self.cleaned_data
        return {
            kind: Choice(data[f"{kind}-bell"], Mail(data[f"{kind}-mail"]), data[f"{kind}-feed"]) for kind in self._kinds
        }
