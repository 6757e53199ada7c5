"""The form for metadata, what readers see of it, and the keyword picker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.template.loader import render_to_string
from django.test import Client
from django.utils.html import escape

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.kit.refusals import Invalid
from spacelab.publishing import queries
from spacelab.publishing.forms import MetadataFileForm, TermsForm
from spacelab.publishing.rules import terms
from spacelab.publishing.rules.exports import FORMATS, export
from spacelab.publishing.rules.terms import TERMS, Kind, Term, Writer
from support.people import make_person
from support.terms import full, marked
from support.thesaurus import write_thesaurus

OWN = {key: value for key, value in full().items() if TERMS[key].writer is Writer.AUTHOR}
PRIVATE = [term for term in TERMS.values() if term.private and Kind.DATALAB in term.kinds]


def entered(**changes: Any) -> dict[str, Any]:
    """Return what a browser sends for the author's form."""
    form = TermsForm(kind="datalab", initial=OWN)
    sent = {name: form[name].field.prepare_value(value) for name, value in OWN.items()}
    return {**sent, **{key.replace("__", "."): value for key, value in changes.items()}}


def page(form: TermsForm) -> str:
    return render_to_string("publishing/_terms_form.html", {"form": form})


def test_what_the_form_shows_is_what_it_takes() -> None:
    form = TermsForm(entered(), kind="datalab", initial=full())
    assert form.is_valid(), form.errors
    assert {key: value for key, value in form.changes.items() if value} == OWN
    assert terms.merged(full(), form.changes, writer="author", kind="datalab") == full()


def test_an_emptied_field_takes_its_term_away_and_others_stay() -> None:
    form = TermsForm(entered(citation=""), kind="datalab", initial={**full(), "wavelength": "radio"})
    assert form.is_valid()
    after = terms.merged({**full(), "wavelength": "radio"}, form.changes, writer="author", kind="datalab")
    assert "citation" not in after
    assert after["wavelength"] == "radio"
    assert after["dateCreated"] == full()["dateCreated"]


def test_terms_that_no_vocabulary_knows_are_shown_to_who_edits() -> None:
    html = page(TermsForm(kind="datalab", initial={"wavelength": "<i>radio</i>", "grants": ["A", "B"]}))
    assert "&lt;i&gt;radio" in html
    assert "A; B" in html
    assert "terms-unknown" not in page(TermsForm(kind="datalab", initial=full()))


def test_a_draft_may_leave_mandatory_terms_empty() -> None:
    form = TermsForm({"title": "Only this"}, kind="datalab")
    assert form.is_valid()
    assert len(terms.missing(form.changes, "datalab")) == 6


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("writer", [Writer.AUTHOR, Writer.MODERATOR])
def test_every_writer_has_her_own_fields(kind: Kind, writer: Writer) -> None:
    form = TermsForm(kind=kind, writer=writer, initial=full(kind))
    assert list(form.fields) == [term.key for term in terms.terms_of(kind, writer=writer)]
    html = page(form)
    for term in terms.terms_of(kind):
        assert (f'name="{term.key}"' in html) is (term.writer is writer), term.key
        assert escape(term.label) in html


def test_each_field_has_its_vocabulary_hint_and_marks() -> None:
    html = page(TermsForm(kind="datalab", initial=full()))
    for term in terms.terms_of("datalab", writer="author"):
        assert term.vocabulary in html
        assert escape(term.hint) in html
    assert html.count(">private<") == len(PRIVATE)
    assert "written by the moderator" in html
    assert html.count("<details") == 2
    assert "(optional)" not in html.partition("<details")[0]


def test_an_author_cannot_award_the_moderators_flag() -> None:
    form = TermsForm(entered(ESAOfficial="on", dateCreated="2020-01-01"), kind="datalab", initial=OWN)
    assert form.is_valid()
    assert "ESAOfficial" not in form.changes
    assert "dateCreated" not in form.changes


def test_a_moderator_sets_and_withdraws_it() -> None:
    given = TermsForm({"ESAOfficial": "on"}, kind="datalab", writer="moderator", initial=OWN)
    assert given.is_valid()
    assert given.changes == {"ESAOfficial": True}
    withdrawn = TermsForm({}, kind="datalab", writer="moderator", initial=full())
    assert withdrawn.is_valid()
    assert withdrawn.changes == {"ESAOfficial": False}


def test_errors_stand_at_their_field_in_an_open_block() -> None:
    form = TermsForm(entered(doi__notation="x", title="\u202e"), kind="datalab")
    assert not form.is_valid()
    assert set(form.errors) == {"doi.notation", "title"}
    assert "Write one such as 10.5281" in str(form.errors["doi.notation"])
    html = page(form)
    assert '<details id="terms-optional" open>' in html
    assert '<details id="terms-recommended">' in html


def test_a_megabyte_is_refused() -> None:
    form = TermsForm(entered(description="x" * 1_000_000), kind="datalab")
    assert not form.is_valid()
    assert "at most 20,000" in str(form.errors["description"])
    stored = {f"more{number}": "y" * 20_000 for number in range(10)}
    together = TermsForm(entered(), kind="datalab", initial=stored)
    assert not together.is_valid()
    assert "larger than 200 kB" in page(together)


def test_a_refusal_of_the_action_is_shown_at_its_field() -> None:
    form = TermsForm(entered(), kind="datalab")
    assert form.is_valid()
    form.refuse(Invalid("This name is taken.", advice="Choose another.", field="alternateName"))
    assert form.errors["alternateName"] == ["This name is taken. Choose another."]


@pytest.mark.parametrize("term", PRIVATE, ids=lambda term: term.key)
@pytest.mark.parametrize("insider", [True, False])
def test_a_private_term_is_shown_to_insiders_alone(term: Term, insider: bool) -> None:  # noqa: FBT001  a parameter of pytest's
    values = {**full(), term.key: [marked(term)] if term.is_list else marked(term)}
    html = render_to_string(
        "publishing/_terms.html", {"terms": terms.shown(values, insider=insider, kind=Kind.DATALAB)}
    )
    assert (marked(term) in html) is insider
    assert (">private<" in html) is insider


def test_nothing_that_is_shown_runs() -> None:
    values = full() | {
        "title": "<script>alert(1)</script>",
        "description": "<script>alert(2)</script> [go](javascript:alert(3)) ![x](https://e.org/track.png)",
        "keywords": ["<img onerror=alert(4)>"],
        "contactPoint.email": 'a"onclick="alert(5)@e.org',
        "domain": "javascript:alert(6)",
        "creator.logo": "https://e.org/a.png",
    }
    html = render_to_string("publishing/_terms.html", {"terms": terms.shown(values, insider=True, kind=Kind.DATALAB)})
    for bad in ("<script", "<img", 'href="javascript', 'onclick="'):
        assert bad not in html
    assert "&lt;script&gt;alert(2)" in html


def test_values_are_shown_as_what_they_are() -> None:
    html = render_to_string("publishing/_terms.html", {"terms": terms.shown(full(), insider=False, kind="datalab")})
    assert 'href="https://doi.org/10.5281/zenodo.1234567"' in html
    assert 'href="https://orcid.org/0000-0002-1825-0097"' in html
    assert 'href="mailto:ada@example.org"' in html
    assert "<em>more</em>" in html
    assert "Lovelace, Ada; Charles Babbage" in html
    assert re.search(r"<dt>Official</dt>\s*<dd>yes\s*</dd>", html)


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_is_read_back_from_an_upload(name: str) -> None:
    file = SimpleUploadedFile(FORMATS[name].file, export(full(), name, kind="datalab").encode())
    form = MetadataFileForm({}, {"file": file}, kind="datalab")
    assert form.is_valid(), form.errors
    assert form.imported is not None
    assert form.imported.format.name == name
    assert form.imported.values["title"] == full()["title"]
    assert TermsForm(kind="datalab", initial=form.imported.values)["title"].value() == full()["title"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("datalab-meta.yml", b"x" * 1_000_000, "larger than 200 kB"),
        ("datalab-meta.yml", "title: Größe".encode("latin-1"), "Save the file as UTF-8"),
        ("picture.png", b"\x89PNG", "not UTF-8"),
        ("datalab-meta.yml", b"", "must hold keys and values"),
    ],
)
def test_an_upload_that_cant_be_read_says_why_at_its_field(name: str, content: bytes, said: str) -> None:
    form = MetadataFileForm({}, {"file": SimpleUploadedFile(name, content)}, kind="datalab")
    assert not form.is_valid()
    assert said in str(form.errors["file"])


@pytest.fixture
def thesaurus(tmp_path: Path, db: None) -> Iterator[None]:
    call_command("vocabulary", "load", write_thesaurus(tmp_path), stdout=StringIO())
    yield
    queries.thesaurus_file().unlink(missing_ok=True)


@pytest.fixture
def asking(client: Client, db: None) -> Client:
    client.force_login(make_person("ada", "developer"))
    return client


def test_concepts_are_suggested_for_the_word_being_typed(asking: Client, thesaurus: None) -> None:
    html = asking.get("/vocabulary/suggestions", {"keywords": "dust; stars, gal"}).content.decode()
    assert html.count("<button") == 3
    assert 'value="Galaxies"' in html
    assert "&lt;b&gt;stars" in asking.get("/vocabulary/suggestions", {"keywords": "x-ray"}).content.decode()
    assert "<button" not in asking.get("/vocabulary/suggestions", {"keywords": "dust, "}).content.decode()


def test_picking_one_puts_it_in_place_of_the_word(asking: Client, thesaurus: None) -> None:
    answer = asking.get("/vocabulary/pick", {"keywords": "dust, <x>, gal", "pick": "Galaxies"})
    html = answer.content.decode()
    assert 'value="dust, &lt;x&gt;, Galaxies, "' in html
    assert 'name="keywords"' in html
    assert "autofocus" in html
    form = TermsForm({"keywords": "dust, Galaxies, "}, kind="datalab")
    assert form.is_valid()
    assert form.changes["keywords"] == ["dust", "Galaxies"]
    assert asking.get("/vocabulary/pick", {"keywords": "gal", "pick": "Nonsense"}).status_code == 422


def test_without_a_thesaurus_keywords_are_free_words(asking: Client) -> None:
    assert "<button" not in asking.get("/vocabulary/suggestions", {"keywords": "gal"}).content.decode()
    assert queries.concepts_of(["Galaxies"]) == {}


def test_suggestions_are_for_people_who_are_signed_in(client: Client, db: None) -> None:
    for address in ("/vocabulary/suggestions", "/vocabulary/pick"):
        assert client.get(address, {"keywords": "x"}, HTTP_ACCEPT="application/json").status_code in {302, 401}


def test_more_than_a_field_of_keywords_is_refused(asking: Client) -> None:
    assert asking.get("/vocabulary/suggestions", {"keywords": "x" * 9000}).status_code == 422


def test_keywords_that_are_concepts_are_known_by_their_address(thesaurus: None) -> None:
    assert queries.concepts_of(["galaxies", "mine"]) == {"galaxies": "https://example.org/sky/1"}


def test_an_operator_loads_shows_and_removes_a_thesaurus(tmp_path: Path, operator: Person) -> None:
    said = StringIO()
    call_command("vocabulary", "show", stdout=said)
    assert "No thesaurus" in said.getvalue()
    call_command("vocabulary", "load", write_thesaurus(tmp_path, ".rdf"), stdout=said)
    assert "Sky words: 5 concepts, 7 labels." in said.getvalue()
    with pytest.raises(CommandError, match="no form that is known"):
        call_command("vocabulary", "load", tmp_path / "x.txt")
    assert len(queries.thesaurus()) == 5
    call_command("vocabulary", "remove", stdout=said)
    assert len(queries.thesaurus()) == 0
    assert list(
        Entry.objects.filter(action__startswith="publishing.").order_by("id").values_list("action", flat=True)
    ) == [
        "publishing.load-thesaurus",
        "publishing.remove-thesaurus",
    ]
