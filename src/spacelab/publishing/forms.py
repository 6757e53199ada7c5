"""The form for metadata, built from the declaration of its terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms.widgets import Input
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from spacelab.kit.forms import Refusable
from spacelab.kit.refusals import Refusal
from spacelab.publishing.rules import terms
from spacelab.publishing.rules.exports import FORMATS, Imported, read
from spacelab.publishing.rules.terms import MOST_BYTES, Block, Flaw, Kind, Term, Type, Value, Writer

KEYWORDS = "keywords"
SHORT = 300
"""Characters up to which a text gets one line."""

INPUTS: dict[Type, type[Input]] = {Type.EMAIL: forms.EmailInput, Type.URL: forms.URLInput}
MARKS = {Writer.MODERATOR: "written by the moderator", Writer.PLATFORM: "written by the platform"}
TITLES = {Block.MANDATORY: "Mandatory", Block.RECOMMENDED: "Recommended", Block.OPTIONAL: "Optional"}


class KeywordPicker(forms.TextInput):
    """Words with commas between; where scripts run, concepts of the thesaurus are offered as one types."""

    template_name = "publishing/_keyword_picker.html"


class TermField(forms.Field):
    """A field for one term: its check is the term's. A draft may leave mandatory terms empty."""

    def __init__(self, term: Term) -> None:
        super().__init__(
            required=term.block is Block.MANDATORY, label=term.label, help_text=hint_of(term), widget=widget_of(term)
        )
        self.term = term

    def prepare_value(self, value: Any) -> Any:
        """Write a list as people do."""
        if isinstance(value, list):
            return ("\n" if self.term.type is Type.NAMES else ", ").join(str(one) for one in value)
        return value

    def clean(self, value: Any) -> Value:
        """Check what was entered; raises `ValidationError` with message and advice."""
        try:
            return self.term.check(value if value is not None else "")
        except Flaw as flaw:
            raise ValidationError(f"{flaw.message} {flaw.advice}".strip()) from flaw


def hint_of(term: Term) -> SafeString:
    """Write a term's hint, with the vocabulary's term and what is special about it."""
    marks = marks_of(term)
    return format_html("{} {}{}", term.hint, vocabulary_link(term), format_html("{}{}", " " if marks else "", marks))


def vocabulary_link(term: Term) -> SafeString:
    """Link to the vocabulary's term, if it has an address."""
    if term.address:
        return format_html('<a class="soft" href="{}" rel="external noreferrer">{}</a>', term.address, term.vocabulary)
    return format_html('<span class="soft">{}</span>', term.vocabulary)


def marks_of(term: Term) -> SafeString:
    """Write the badges that say who sees a term and who writes it."""
    marks = [("private", "quiet")] if term.private else []
    marks += [(MARKS[term.writer], "busy")] if term.writer in MARKS else []
    return format_html_join(" ", '<span class="badge" data-tone="{1}">{0}</span>', marks)


def widget_of(term: Term) -> forms.Widget:
    """Choose how a term is entered."""
    if term.key == KEYWORDS:
        return KeywordPicker({"autocomplete": "off", "spellcheck": "true"})
    if term.type is Type.NAMES:
        return forms.Textarea({"rows": 3})
    if term.is_list:
        return forms.TextInput({"autocomplete": "off"})
    if term.type is Type.LONG or (term.type is Type.TEXT and term.longest > SHORT):
        return forms.Textarea({"rows": 12 if term.type is Type.LONG else 4, "maxlength": term.longest})
    if term.type is Type.BOOLEAN:
        return forms.CheckboxInput()
    chosen: type[Input] = INPUTS.get(term.type, forms.TextInput)
    return chosen({"maxlength": term.longest})


@dataclass(frozen=True)
class Unwritten:
    """A term that somebody else writes, with its value if it has one."""

    term: Term
    value: Value | None
    marks: SafeString


@dataclass(frozen=True)
class Section:
    """One block of the form; `is_open` says whether it is unfolded, `others` what its reader can't write."""

    block: Block
    fields: list[forms.BoundField]
    others: list[Unwritten]

    @property
    def title(self) -> str:
        """The block's heading."""
        return TITLES[self.block]

    @property
    def is_open(self) -> bool:
        """Whether something in it needs a look."""
        return self.block is Block.MANDATORY or any(field.errors for field in self.fields)


class TermsForm(Refusable):
    """The terms that `writer` writes of a datalab or pipeline.

    `initial` is all stored metadata. After `is_valid()`, `changes` goes to `rules.terms.merged` together with what
    is stored: empty values take their term away, terms of other writers and unknown ones stay.
    """

    use_required_attribute = False

    def __init__(
        self,
        data: Any = None,
        *,
        kind: Kind | str,
        writer: Writer | str = Writer.AUTHOR,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.stored = dict(initial or {})
        super().__init__(data, initial=self.stored)
        self.kind = Kind(kind)
        self.writer = Writer(writer)
        for term in terms.terms_of(self.kind, writer=self.writer):
            self.fields[term.key] = TermField(term)

    def clean(self) -> dict[str, Any]:
        """Check the terms together: their size."""
        cleaned: dict[str, Any] = self.cleaned_data
        if not self.errors:
            try:
                terms.merged(self.stored, cleaned, writer=self.writer, kind=self.kind)
            except Refusal as refusal:
                self.refuse(refusal)
        return cleaned

    @property
    def changes(self) -> dict[str, Any]:
        """What was entered, by the keys of the terms; empty where nothing stands."""
        return dict(self.cleaned_data)

    @property
    def sections(self) -> list[Section]:
        """The three blocks, without those that hold nothing."""
        every = terms.terms_of(self.kind)
        made = []
        for block in Block:
            own = [self[term.key] for term in every if term.block is block and term.key in self.fields]
            others = [self._unwritten(term) for term in every if term.block is block and term.key not in self.fields]
            shown = [one for one in others if one.value is not None or one.term.writer is Writer.MODERATOR]
            if own or shown:
                made.append(Section(block, own, shown))
        return made

    @property
    def unknown(self) -> list[tuple[str, str]]:
        """The stored terms that no declaration knows, as texts."""
        known = {one: value for one, value in self.stored.items() if one not in terms.TERMS}
        return [(key, "; ".join(value) if isinstance(value, list) else str(value)) for key, value in known.items()]

    def _unwritten(self, term: Term) -> Unwritten:
        return Unwritten(term, self.stored.get(term.key), marks_of(term))


class MetadataFileForm(forms.Form):
    """A file with metadata in any of the formats of `rules.exports`; after `is_valid()`, `imported` holds what it says.

    The way on is a `TermsForm` whose `initial` are the imported values over the stored ones, for the author to check.
    """

    use_required_attribute = False
    file = forms.FileField(label="File", max_length=200, allow_empty_file=True)

    def __init__(self, data: Any = None, files: Any = None, *, kind: Kind | str) -> None:
        super().__init__(data, files)
        self.kind = Kind(kind)
        self.imported: Imported | None = None
        self.fields["file"].help_text = f"One of {', '.join(one.file for one in FORMATS.values())}."
        self.fields["file"].widget.attrs["accept"] = ".yml,.yaml,.cff,.json,.jsonld"

    def clean_file(self) -> UploadedFile[Any]:
        """Read the file; raises `ValidationError` if it can't be."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        try:
            self.imported = read(file.read(MOST_BYTES + 1), file.name or "", kind=self.kind)
        except Refusal as refusal:
            raise ValidationError(f"{refusal.message} {refusal.advice}".strip()) from refusal
        return file
