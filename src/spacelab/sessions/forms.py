"""The launch form and the small forms of a session's page."""

from __future__ import annotations

from typing import Any

from django import forms

from spacelab.accounts.models import Person
from spacelab.accounts.queries import teams_of
from spacelab.datalabs.models import Datalab
from spacelab.kit.refusals import Refusal
from spacelab.sessions import queries, rules
from spacelab.volumes.queries import visible_to


class AnyChoice(forms.ChoiceField):
    """One of several; the action, not the form, refuses what is not offered, so pages and API say the same."""

    def valid_value(self, value: Any) -> bool:  # noqa: ARG002  Django's signature
        return True


class AnyChoices(forms.MultipleChoiceField):
    """Some of several; refused by the action as well."""

    def valid_value(self, value: Any) -> bool:  # noqa: ARG002  Django's signature
        return True


class LaunchForm(forms.Form):
    """What a person chooses for a session."""

    profile = AnyChoice(label="Resources", widget=forms.RadioSelect)
    volumes = AnyChoices(
        label="Data",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Archive volumes stand below /data in the session, read-only.",
    )
    teams = AnyChoices(
        label="Team areas",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="They stand below /media/team_workspaces; what you write there, your team sees.",
    )
    version = AnyChoice(label="Version", required=False)
    title = forms.CharField(
        label="Title", required=False, help_text="How you recognise this session; empty: the datalab's name."
    )

    def __init__(self, *args: Any, person: Person, datalab: Datalab, wanted: list[str], **kwargs: Any) -> None:
        versions = queries.published_versions(datalab)
        volumes = list(visible_to(person))
        teams = list(teams_of(person))
        last = queries.last_choice(person, datalab)
        offered = {volume.name for volume in volumes}
        chosen = last.volumes if last else versions[0].default_volumes
        names = [profile.name for profile in queries.profiles()]
        kwargs["initial"] = {
            "version": versions[0].version,
            "profile": last.profile if last and last.profile in names else names[0],
            "volumes": [name for name in dict.fromkeys([*chosen, *wanted]) if name in offered],
            "teams": last.teams if last else [],
        }
        super().__init__(*args, **kwargs)
        self._choose("version", [(one.version, one.version) for one in versions])
        self._choose("profile", [(one.name, self._profile_label(person, one)) for one in queries.profiles()])
        self._choose("volumes", [(one.name, f"{one.title or one.name} · /data/{one.name}") for one in volumes])
        self._choose("teams", [(one.slug, one.name) for one in teams])
        for name, empty in (("volumes", not volumes), ("teams", not teams), ("version", len(versions) == 1)):
            if empty:
                del self.fields[name]

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  tells the type checker what stands above
        field.choices = choices

    @staticmethod
    def _profile_label(person: Person, profile: rules.Profile) -> str:
        label = f"{profile.title}: {profile.summary}"
        return label if rules.fits(queries.quota(), queries.used_by(person), profile) else f"{label} (over your quota)"

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal at the field at fault, or above the form."""
        text = f"{refusal.message} {refusal.advice}".strip()
        self.add_error(refusal.field if refusal.field in self.fields else None, text)


class ExtendForm(forms.Form):
    """For how many hours a session is kept."""

    hours = forms.IntegerField(min_value=1, max_value=int(rules.LONGEST_EXTENSION.total_seconds() // 3600))
