"""The forms of builds: what somebody brings, and what is missing before it can be built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from spacelab.kit.forms import Refusable
from spacelab.kit.uploads import FilesField, brought

__all__ = ["brought"]


class UploadForm(Refusable):
    """Files, a folder or a zip."""

    names = {"files": "upload"}
    invalid = "upload"
    upload = FilesField(label="Notebook, files or a zip", required=False)
    paths = forms.CharField(required=False, widget=forms.HiddenInput)


class GitForm(Refusable):
    """A Git repository."""

    git_url = forms.CharField(
        label="Address of a public repository", widget=forms.URLInput(attrs={"placeholder": "https://github.com/…"})
    )
    git_ref = forms.CharField(label="Branch, tag or commit", required=False)


class StartForm(Refusable):
    """The metadata of a datalab, and the packages that its code imports."""

    names = {"alternateName": "short_name", "contactPoint.email": "email", "creator.name": "creator"}
    title = forms.CharField(max_length=120, label="Title")
    short_name = forms.CharField(
        max_length=60, label="Short name", help_text="Becomes part of its address: lower-case letters, digits, hyphens."
    )
    version = forms.CharField(max_length=40, label="Version")
    abstract = forms.CharField(
        max_length=1000, label="Abstract", widget=forms.Textarea(attrs={"rows": 3}), help_text="What it is for."
    )
    creator = forms.CharField(max_length=120, label="Creator")
    email = forms.EmailField(max_length=254, label="Contact e-mail")
    requirements = forms.MultipleChoiceField(
        label="Packages that it imports",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None of your files lists them. Those that stay ticked are installed.",
    )
    more = forms.CharField(
        label="More Python packages",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "healpy\nscikit-learn>=1.5", "spellcheck": "false"}),
        help_text="One in each line, as in requirements.txt.",
    )

    path = forms.CharField(
        label="Opens at",
        required=False,
        max_length=320,
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
        help_text="Its first page. What serves below /datalabs/$IF_main_id opens at /datalabs/{id}/: {id} stands for "
        "the session's id.",
    )

    def __init__(
        self, *args: Any, proposals: Sequence[dict[str, Any]] = (), interface: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if not interface:
            del self.fields["path"]
        offered = [one for one in proposals if one["package"]]
        field = self.fields["requirements"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  tells the type checker what stands above
        field.choices = [(one["package"], f"{one['package']}: {one['reason']}") for one in offered]
        if not offered:
            del self.fields["requirements"]

    def answers(self) -> dict[str, Any]:
        """Return what was answered, as `actions.start` takes it."""
        given = dict(self.cleaned_data)
        more = [line.strip() for line in given.pop("more", "").splitlines() if line.strip()]
        return {**given, "requirements": [*given.get("requirements", []), *more]}


class DeriveForm(Refusable):
    """The names of a draft that is made from something else."""

    use_required_attribute = False
    title = forms.CharField(max_length=120, label="Title")
    short_name = forms.CharField(
        max_length=60, label="Short name", help_text="Becomes part of its address: lower-case letters, digits, hyphens."
    )
