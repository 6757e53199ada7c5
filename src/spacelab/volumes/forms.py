"""What an operator enters about an archive volume; the action judges it, the form shows what it says at the field."""

from __future__ import annotations

from typing import Any

from django import forms

from spacelab.kit.forms import Refusable
from spacelab.volumes.models import Volume
from spacelab.volumes.rules import Access

WHO = [(str(Access.EVERYONE), "everyone, visitors included"), (str(Access.RESTRICTED), "only these people and teams")]
ROWS = 3
"""Lines of a field for a few sentences."""


class DeclarationForm(Refusable):
    """The fields of a declaration file, with people and teams as names with commas between."""

    name = forms.CharField(label="Name", help_text="The folder below /data, such as euclid_q1. It stays for good.")
    path = forms.CharField(label="Folder on this machine", help_text="An absolute path; mount it there first.")
    title = forms.CharField(label="Title")
    domain = forms.CharField(label="Domain", required=False, help_text="Such as Astronomy or Heliophysics.")
    mission = forms.CharField(label="Mission", required=False)
    summary = forms.CharField(label="Summary", required=False, widget=forms.Textarea(attrs={"rows": ROWS}))
    licence = forms.CharField(label="Licence", required=False)
    source = forms.CharField(label="Source", required=False)
    access = forms.ChoiceField(label="Who may mount it", choices=WHO, widget=forms.RadioSelect)
    people = forms.CharField(label="People", required=False, help_text="Usernames, with commas between.")
    teams = forms.CharField(label="Teams", required=False, help_text="Their short names, with commas between.")

    def __init__(self, *args: Any, volume: Volume | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        kwargs["initial"] = _facts(volume) if volume else {"access": str(Access.EVERYONE)}
        super().__init__(*args, **kwargs)
        self.fields["name"].disabled = volume is not None

    def declaration(self) -> dict[str, Any]:
        """Return what was entered as the mapping of a declaration file."""
        entered = dict(self.cleaned_data)
        named = {key: _names(entered.pop(key)) for key in ("people", "teams")}
        return {**entered, "access": named if entered["access"] == Access.RESTRICTED else "everyone"}


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _facts(volume: Volume) -> dict[str, str]:
    return {
        **{key: str(getattr(volume, key)) for key in DeclarationForm.base_fields if key not in {"people", "teams"}},
        "people": ", ".join(volume.people.order_by("username").values_list("username", flat=True)),
        "teams": ", ".join(volume.teams.order_by("slug").values_list("slug", flat=True)),
    }
