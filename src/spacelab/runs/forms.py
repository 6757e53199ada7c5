"""The launcher's form: one field or several for each input, and the choices that every run has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.forms.utils import ErrorDict

from cwl_graph import Problem
from spacelab.accounts.models import Person
from spacelab.accounts.queries import teams_of
from spacelab.kit.refusals import Refusal
from spacelab.runs import queries
from spacelab.runs.browsing import Browser
from spacelab.runs.choosing import TITLE_LENGTH
from spacelab.runs.launchables import Launchable
from spacelab.runs.shapes import PREFIX, Shape, shapes_of, texts_of
from spacelab.volumes.queries import visible_to

CHOICES = ("profile", "volumes", "teams", "results", "title", "shown_to")
"""Fields that are no inputs; they are saved with a launch."""


class AnyChoice(forms.ChoiceField):
    """One of several; the action, not the form, refuses what is not offered, so pages and API say the same."""

    def valid_value(self, value: Any) -> bool:  # noqa: ARG002  Django's signature
        return True


class AnyChoices(forms.MultipleChoiceField):
    """Some of several; refused by the action as well."""

    def valid_value(self, value: Any) -> bool:  # noqa: ARG002  Django's signature
        return True


class Browsable(forms.Widget):
    """What a field for paths has besides: a button that opens a list of the person's files below it."""

    key: str
    kind: str
    browser: Browser | None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        opened = self.browser if self.browser is not None and self.browser.key == self.key else None
        return {**context, "key": self.key, "kind": self.kind, "browser": opened, "inner_template": self.inner}

    inner: str


class PathInput(Browsable, forms.TextInput):
    """A field for one path."""

    template_name = "runs/_path_input.html"
    inner = "django/forms/widgets/text.html"


class PathsInput(Browsable, forms.Textarea):
    """A field for any number of paths, one a line."""

    template_name = "runs/_path_input.html"
    inner = "django/forms/widgets/textarea.html"


class ChoicesForm(forms.Form):
    """What every run has: its size, the data it sees beside its inputs, and where its outputs go."""

    use_required_attribute = False
    profile = AnyChoice(label="Resources", widget=forms.RadioSelect)
    results = forms.CharField(
        label="Folder of the outputs",
        required=False,
        help_text="A new or empty folder of your workspace; empty: a new one below results.",
    )
    title = forms.CharField(
        label="Title", required=False, max_length=TITLE_LENGTH, help_text="How you recognise this run."
    )
    volumes = AnyChoices(
        label="Further data",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="The volumes of your inputs are there without being chosen.",
    )
    teams = AnyChoices(label="Team areas", required=False, widget=forms.CheckboxSelectMultiple)
    shown_to = AnyChoice(label="Team that may look at it", required=False)

    def __init__(self, data: Any = None, *, person: Person, chosen: Mapping[str, Any] | None = None) -> None:
        profiles = queries.profiles()
        initial = {"profile": profiles[0].name, **{key: value for key, value in (chosen or {}).items() if value}}
        super().__init__(data, initial=initial, label_suffix="")
        teams = [(one.slug, one.name) for one in teams_of(person)]
        volumes = [(one.name, f"{one.title or one.name} · /data/{one.name}") for one in visible_to(person)]
        self._choose("profile", [(one.name, f"{one.title}: {one.summary}") for one in profiles])
        self._choose("volumes", volumes)
        self._choose("teams", teams)
        self._choose("shown_to", [("", "nobody"), *teams])
        for name, empty in (("volumes", not volumes), ("teams", not teams), ("shown_to", not teams)):
            if empty:
                del self.fields[name]

    def _choose(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  tells the type checker what stands above
        field.choices = list(choices)

    @property
    def chosen(self) -> dict[str, Any]:
        """What was chosen, as actions take it."""
        if not self.is_bound:
            return {name: self.initial.get(name) for name in CHOICES}
        self.is_valid()
        return {name: self.cleaned_data.get(name) or ([] if name in {"volumes", "teams"} else "") for name in CHOICES}


class InputsForm(forms.Form):
    """One field or several for each input, filled with what a job order says."""

    use_required_attribute = False

    def __init__(self, wanted: Launchable, job: Mapping[str, Any], *, browser: Browser | None = None) -> None:
        self.shapes = shapes_of(wanted.document.inputs, job)
        texts = texts_of(self.shapes, job)
        super().__init__(texts, label_suffix="")
        for number, shape in enumerate(self.shapes):
            self.fields[shape.key] = _field(shape, f"input-{number}", browser)
        self._errors, self.cleaned_data = ErrorDict(), {}  # what is wrong is told by the job order's own check

    def tell(self, problems: Sequence[Problem]) -> list[Problem]:
        """Show problems at the inputs that they are about; return those that are about none."""
        left = []
        for problem in problems:
            key = self._key_of(problem)
            if key is None:
                left.append(problem)
            else:
                self.add_error(key, f"{problem.message} {problem.advice}".strip())
        return left

    def _key_of(self, problem: Problem) -> str | None:
        own = [one for one in self.shapes if one.parts[0] == problem.node]
        named = [one for one in own if f"`{'.'.join(one.parts)}`" in problem.message]
        return (named or own)[0].key if own else None

    def refuse(self, refusal: Refusal) -> bool:
        """Show a refusal at its input; say whether it is about one."""
        name = refusal.field.removeprefix(PREFIX)
        found = next((one.key for one in self.shapes if one.parts[0] == name), None)
        if not refusal.field.startswith(PREFIX) or found is None:
            return False
        self.add_error(found, f"{refusal.message} {refusal.advice}".strip())
        return True


def _field(shape: Shape, element: str, browser: Browser | None) -> forms.Field:
    facts: dict[str, Any] = {"label": shape.label, "required": shape.needed, "help_text": shape.help}
    attrs: dict[str, str] = {"id": element, "spellcheck": "false", "autocomplete": "off"}
    if shape.way == "choice":
        return AnyChoice(**facts, choices=shape.choices, widget=forms.Select(attrs={"id": element}))
    if shape.way in {"path", "paths"}:
        widget = PathInput(attrs) if shape.way == "path" else PathsInput({**attrs, "rows": "3", "cols": "40"})
        widget.key, widget.kind, widget.browser = shape.key, shape.kind, browser
        return forms.CharField(**facts, widget=widget)
    if shape.way == "number":
        return forms.CharField(**facts, widget=forms.TextInput({**attrs, "inputmode": "decimal"}))
    if shape.way in {"lines", "yaml"}:
        return forms.CharField(**facts, strip=False, widget=forms.Textarea({**attrs, "rows": "3", "cols": "40"}))
    return forms.CharField(**facts, strip=False, widget=forms.TextInput(attrs))
