"""The forms to launch and to run a processing thread, and the small forms of a session's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.template.defaultfilters import filesizeformat

from spacelab.accounts.models import Person
from spacelab.accounts.queries import teams_of
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.queries import trouble_of
from spacelab.datalabs.rules import OFFERED, Opens, State, Thread, ThreadInput
from spacelab.kit.forms import Refusable
from spacelab.kit.refusals import Invalid
from spacelab.sessions import queries, rules
from spacelab.volumes.queries import suggested_files, visible_to
from spacelab.volumes.rules import Entry, volume_and_team

MORE_FILES = 5
"""Empty fields for files beyond those in use; who opens more than that at once uses the API."""


class AnyChoice(forms.ChoiceField):
    """One of several; the action, not the form, refuses what is not offered, so pages and API say the same."""

    def valid_value(self, value: Any) -> bool:  # noqa: ARG002  Django's signature
        return True


class AnyChoices(forms.MultipleChoiceField):
    """Some of several; refused by the action as well."""

    def valid_value(self, value: Any) -> bool:  # noqa: ARG002  Django's signature
        return True


class FileInput(forms.TextInput):
    """A field for a path, with files to choose from in a list beside it."""

    template_name = "sessions/_file_input.html"

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(attrs={"spellcheck": "false", "autocomplete": "off"})
        self.files = files

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["files"] = self.files
        context["widget"]["attrs"]["list"] = context["list"] = f"files-{name}"
        return context


class FilesInput(FileInput):
    """Several such fields, of which a person sees those in use and one more; further ones unfold."""

    template_name = "sessions/_files_input.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        del files
        return list(data.getlist(name))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        given = [one for one in value or () if one]
        context = super().get_context(name, None, attrs)
        seen = max(1, len(given))
        rows = [*given, *[""] * (seen + MORE_FILES - len(given))]
        context["rows"] = [{"number": number, "value": row} for number, row in enumerate(rows, start=1)]
        context["seen"] = f":{seen}"
        context["folded"] = f"{seen}:"
        context["invalid"] = "aria-invalid" in context["widget"]["attrs"]
        return context


class FilesField(forms.Field):
    """Paths of any number of files."""

    def clean(self, value: Any) -> list[str]:
        """Return the paths that were entered, each once."""
        return list(dict.fromkeys(path for one in value or () if (path := str(one).strip())))


class Chosen(Refusable):
    """A form whose fields the action checks: what it refuses is shown at the field at fault."""

    def choose(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        """Give a field its choices."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  tells the type checker what stands above
        field.choices = list(choices)


def profile_choices(person: Person) -> list[tuple[str, str]]:
    """List the profiles with their sizes, and which are beyond the person's quota."""
    quota, used = queries.quota(), queries.used_by(person)
    return [
        (one.name, f"{one.title}: {one.summary}{'' if rules.fits(quota, used, one) else ' (over your quota)'}")
        for one in queries.profiles()
    ]


class LaunchForm(Chosen):
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
    open = FilesField(label="Files to open", required=False)
    version = AnyChoice(label="Version", required=False)
    title = forms.CharField(
        label="Title", required=False, help_text="How you recognise this session; empty: the datalab's name."
    )

    def __init__(
        self,
        *args: Any,
        person: Person,
        datalab: Datalab,
        version: DatalabVersion,
        wanted: Sequence[str],
        opens: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        volumes = list(visible_to(person))
        teams = list(teams_of(person))
        last = queries.last_choice(person, datalab)
        named = [volume for path in opens for volume in _volume_of(path)]
        chosen = [*(last.volumes if last else version.default_volumes), *wanted, *named]
        names = [profile.name for profile in queries.profiles()]
        offered = [one.name for one in volumes if one.name in chosen]
        files = Opens.from_json(version.opens)
        kwargs["initial"] = {
            "version": version.version,
            "profile": last.profile if last and last.profile in names else names[0],
            "volumes": offered,
            "teams": last.teams if last else [],
            "open": list(opens) or [path for path in files.default if _usable(path, offered)],
        }
        self.by_itself = [] if opens else kwargs["initial"]["open"]
        super().__init__(*args, **kwargs)
        versions = queries.launchable_versions(person, datalab)
        self.choose("version", [(one.version, _version_label(one)) for one in versions])
        self.choose("profile", profile_choices(person))
        self.choose("volumes", [(one.name, f"{one.title or one.name} · /data/{one.name}") for one in volumes])
        self.choose("teams", [(one.slug, one.name) for one in teams])
        self._offer_files(person, files, offered)
        closed = not (opens or files.formats or files.default)
        for name, empty in (("volumes", not volumes), ("teams", not teams), ("open", closed)):
            if empty:
                del self.fields[name]
        if len(versions) == 1:
            del self.fields["version"]

    def _offer_files(self, person: Person, files: Opens, volumes: Sequence[str]) -> None:
        field = self.fields["open"]
        field.widget = FilesInput(suggested_files(person, volumes, files.formats))
        field.help_text = _where(files.formats)

    @property
    def opens(self) -> list[str] | None:
        """The files to open; None for what the datalab opens by itself."""
        if "open" not in self.fields or (self.by_itself and self.cleaned_data["open"] == self.by_itself):
            return None
        return list(self.cleaned_data["open"])


def _where(formats: Sequence[str]) -> str:
    kinds = f" ({', '.join(formats)})" if formats else ""
    return f"A file{kinds} below /data, /media/user or /media/team_workspaces."


def _volume_of(path: str) -> list[str]:
    try:
        return [volume_and_team(path)[0]]
    except Invalid:
        return []


def _usable(path: str, volumes: Sequence[str]) -> bool:
    """Say whether a path needs no other archive volume than these."""
    return set(_volume_of(path)) <= {"", *volumes}


def _version_label(version: DatalabVersion) -> str:
    trouble = trouble_of(version)
    state = State(version.state)
    draft = "" if state in OFFERED else f" ({state.words})"
    return f"{version.version}{draft}{' (it cannot run here)' if trouble else ''}"


class LinkForm(Chosen):
    """What a launch link leaves open: the resources."""

    profile = AnyChoice(label="Resources", widget=forms.RadioSelect)

    def __init__(self, *args: Any, person: Person, datalab: Datalab, **kwargs: Any) -> None:
        names = [profile.name for profile in queries.profiles()]
        last = queries.last_choice(person, datalab)
        kwargs["initial"] = {"profile": last.profile if last and last.profile in names else names[0]}
        super().__init__(*args, **kwargs)
        self.choose("profile", profile_choices(person))


class ThreadForm(Chosen):
    """The inputs of a predefined processing thread, and the resources it gets."""

    def __init__(self, *args: Any, person: Person, version: DatalabVersion, thread: Thread, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.thread = thread
        for one in thread.inputs:
            self.fields[f"inputs.{one.name}"] = _input_field(person, version, one)
        names = queries.profiles()
        self.fields["profile"] = AnyChoice(label="Resources", widget=forms.RadioSelect, initial=names[0].name)
        self.choose("profile", profile_choices(person))

    @property
    def inputs(self) -> dict[str, str]:
        """The values entered, by the input's name."""
        return {one.name: self.cleaned_data[f"inputs.{one.name}"] for one in self.thread.inputs}


def _input_field(person: Person, version: DatalabVersion, wanted: ThreadInput) -> forms.Field:
    facts: dict[str, Any] = {
        "label": wanted.title,
        "required": not wanted.optional,
        "initial": wanted.default,
        "help_text": wanted.hint,
    }
    if wanted.type == "choice":
        empty = [("", "")] if wanted.optional or not wanted.default else []
        return AnyChoice(**facts, choices=[*empty, *((one, one) for one in wanted.choices)])
    if wanted.type == "file":
        facts["help_text"] = f"{wanted.hint} {_where(wanted.formats)}".strip()
        files = suggested_files(person, version.default_volumes, wanted.formats)
        return forms.CharField(**facts, widget=FileInput(files))
    if wanted.type == "number":
        limits = {"min": wanted.minimum, "max": wanted.maximum}
        shown = {name: f"{value:g}" for name, value in limits.items() if value is not None}
        return forms.CharField(**facts, widget=forms.NumberInput(attrs={"step": "any", **shown}))
    return forms.CharField(**facts)


class ExtendForm(forms.Form):
    """For how many hours a session is kept."""

    hours = forms.IntegerField(min_value=1, max_value=int(rules.LONGEST_EXTENSION.total_seconds() // 3600))


class SaveForm(Refusable):
    """The names of a datalab that is made of a session, and the notebooks that go along."""

    use_required_attribute = False
    title = forms.CharField(max_length=rules.TITLE_LENGTH, label="Title")
    short_name = forms.CharField(
        max_length=60, label="Short name", help_text="Becomes part of its address: lower-case letters, digits, hyphens."
    )
    notebooks = AnyChoices(label="Notebooks of your workspace", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: Any = None, *, notebooks: Sequence[Entry], initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        field = self.fields["notebooks"]
        assert isinstance(field, AnyChoices)  # noqa: S101  tells the type checker what stands above
        field.choices = [(one.inside, f"{one.inside} ({filesizeformat(one.size)})") for one in notebooks]
        if not notebooks:
            field.help_text = "There is none yet."
