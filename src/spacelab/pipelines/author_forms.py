"""What an author gives: a new pipeline with its name and files, the text of a file, more files."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from spacelab.kit.forms import Refusable
from spacelab.kit.uploads import FilesField
from spacelab.pipelines.rules import LARGEST_DOCUMENT
from spacelab.pipelines.starting import TEMPLATES


class NewForm(Refusable):
    """The name of a new pipeline or step, and what it begins with: a template, or files, a folder or a zip."""

    names = {"files": "upload", "displayName": "slug"}
    use_required_attribute = False
    slug = forms.CharField(
        label="Short name",
        max_length=60,
        help_text="Becomes its address, and the name by which pipelines use a step: lower-case letters, digits, "
        "hyphens.",
    )
    title = forms.CharField(label="Title", max_length=120, required=False)
    version = forms.CharField(label="Version", max_length=40, initial="0.1.0")
    begin = forms.ChoiceField(label="Begin with", widget=forms.RadioSelect)
    upload = FilesField(label="Files or a zip", required=False)
    paths = forms.CharField(required=False, widget=forms.HiddenInput)
    git_url = forms.CharField(
        label="Address of a public repository",
        max_length=500,
        required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://github.com/…"}),
    )
    git_ref = forms.CharField(
        label="Branch, tag or commit", max_length=200, required=False, help_text="Its main branch, if you name none."
    )
    git_path = forms.CharField(
        label="Folder or document in it",
        max_length=200,
        required=False,
        help_text="A document comes with the files that it names, a folder with all its texts. Empty: all of it.",
        widget=forms.TextInput(attrs={"placeholder": "workflows/main.cwl", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, copying: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(one.name, f"{one.title}. {one.hint}") for one in TEMPLATES.values()]
        files = ("files", "Files of your own: documents, a folder, a zip, a $graph, a Workflow RO-Crate")
        choices = [
            *offered,
            files,
            ("git", "A Git repository: a folder or a document in it, at a branch, tag or commit"),
        ]
        if copying:
            choices.insert(0, ("copy", "The one that you are copying"))
        field = cast("forms.ChoiceField", self.fields["begin"])
        field.choices = choices
        for name in ("begin", "git_url"):  # said to be needed; what is missing is refused with what to do
            self.fields[name].required = not self.is_bound
        field.initial = choices[0][0]


class TextForm(Refusable):
    """The text of one file, or a new one; `seen` is the content that its author began from."""

    names = {"files": "path"}
    use_required_attribute = False
    path = forms.CharField(label="Name", max_length=400, strip=False)
    text = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        max_length=LARGEST_DOCUMENT,
        widget=forms.Textarea({"rows": 28, "spellcheck": "false", "autocomplete": "off", "class": "editor"}),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class UploadForm(Refusable):
    """More files, which replace those of the same name."""

    names = {"files": "upload"}
    invalid = "upload"
    upload = FilesField(label="Files or a zip", required=False)
    paths = forms.CharField(required=False, widget=forms.HiddenInput)
