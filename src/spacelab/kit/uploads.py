"""Files that somebody sends with a form: several, whole folders by their paths, and what a refusal says of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias

from django import forms
from django.core.files.uploadedfile import UploadedFile

from spacelab.kit.refusals import Invalid

Uploaded: TypeAlias = "UploadedFile[bytes]"
LONGEST_PATHS = 2 * 2**20
MOST_FILES = 5000
"""Files of one upload, each sent by itself; more come as a zip."""


@dataclass(frozen=True)
class Brought:
    """One file of an upload: where it belongs in its folder, and its content."""

    path: str
    content: BinaryIO


def brought(files: Sequence[Uploaded], paths: str) -> list[Brought]:
    """Join the uploaded files with the paths that they have in their folder, a JSON list in the files' order."""
    names = [file.name or "file" for file in files]
    if paths.strip():
        try:
            given = json.loads(paths[:LONGEST_PATHS])
        except ValueError:
            given = None
        if not isinstance(given, list) or len(given) != len(files) or not all(isinstance(one, str) for one in given):
            raise Invalid("The files' paths don't fit the files.", advice="Choose them again.", field="files")
        names = given
    return [Brought(name, file) for name, file in zip(names, files, strict=True)]  # type: ignore[arg-type]


class ManyFiles(forms.ClearableFileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[Uploaded]:
        """Return the files, none where none were chosen; an empty file is a file, too."""
        del initial
        files = data if isinstance(data, list | tuple) else [data]
        found = [one for one in files if isinstance(one, UploadedFile)]
        if len(found) > MOST_FILES:
            raise forms.ValidationError(f"At most {MOST_FILES} files can be sent one by one: put them into a zip.")
        return found
