"""The metadata of a version: who writes which terms, files taken in, and exports without what is private."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.datalabs import actions
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.rules import State, Visibility
from spacelab.kit.refusals import Conflict, Forbidden, Invalid
from spacelab.publishing.forms import TermsForm
from spacelab.publishing.rules.exports import FORMATS
from spacelab.publishing.rules.terms import TERMS, Kind
from support.authoring import TERMS as KNOWN
from support.authoring import make_version
from support.people import make_person, signed_in
from support.terms import full, marked

pytestmark = pytest.mark.django_db
PAGE = "/author/spectra/1.0/metadata"
EXPORT = "/catalogue/spectra/versions/1.0/metadata/"
PRIVATE = [
    term
    for term in TERMS.values()
    if term.private and Kind.DATALAB in term.kinds and isinstance(full().get(term.key), str) and term.type == "text"
]


@pytest.fixture
def dora() -> Person:
    """Somebody who writes a datalab."""
    return make_person("dora", "developer")


def sent(version: DatalabVersion, **changes: str) -> dict[str, str]:
    """Return what a browser sends for the author's form."""
    form = TermsForm(kind="datalab", initial=version.metadata)
    values = {name: form[name].field.prepare_value(version.metadata.get(name, "")) for name in form.fields}
    return {**values, **{key.replace("__", "."): value for key, value in changes.items()}}


def test_an_author_writes_terms_and_the_entry_follows(dora: Person) -> None:
    version = make_version(dora)
    answer = signed_in(dora).post(PAGE, sent(version, title="Spectra of all", keywords="stars, dust"), follow=True)
    assert "The metadata are saved." in answer.content.decode()
    version.refresh_from_db()
    assert version.metadata["keywords"] == ["stars", "dust"]
    assert version.metadata["creator.name"] == KNOWN["creator.name"]
    assert Datalab.objects.get().title == "Spectra of all"
    entry = Entry.objects.get(action="datalabs.edit-metadata")
    assert entry.details["terms"] == ["keywords", "title"]


def test_nothing_is_saved_of_what_is_refused(dora: Person) -> None:
    version = make_version(dora)
    answer = signed_in(dora).post(PAGE, sent(version, title="New", contactPoint__email="nobody"))
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    version.refresh_from_db()
    assert version.metadata["title"] == "Spectra"


def test_the_terms_that_name_a_version_stay(dora: Person) -> None:
    version = make_version(dora)
    signed_in(dora).post(PAGE, {**sent(version), "version": "9.9", "alternateName": "other"})
    version.refresh_from_db()
    assert (version.metadata["version"], version.metadata["alternateName"]) == ("1.0", "spectra")
    with pytest.raises(Invalid):
        actions.edit_metadata(by=dora, version=version, values={"version": "9.9"})


def test_a_published_datalab_keeps_its_entry_while_the_next_version_is_written(dora: Person) -> None:
    make_version(dora, "0.9", State.PUBLISHED)
    version = make_version(dora)
    actions.edit_metadata(by=dora, version=version, values={"title": "Next"})
    assert Datalab.objects.get().title == "Spectra"


@pytest.mark.parametrize("state", [State.SUBMITTED, State.PUBLISHED, State.ARCHIVED, State.BUILDING])
def test_an_author_reads_only_what_is_out_of_her_hands(dora: Person, state: State) -> None:
    version = make_version(dora, state=state)
    client = signed_in(dora)
    assert "Save the metadata" not in client.get(PAGE).content.decode()
    assert client.post(PAGE, sent(version, title="New")).status_code == 409
    assert client.post(f"{PAGE}/import").status_code == 409
    version.refresh_from_db()
    assert version.metadata["title"] == "Spectra"


def test_only_moderators_award_the_flag_and_only_while_they_review(dora: Person) -> None:
    version, mona = make_version(dora, state=State.IN_REVIEW), make_person("mona", "moderator")
    page = signed_in(mona).get(PAGE).content.decode()
    assert 'name="ESAOfficial"' in page
    assert 'name="title"' not in page
    signed_in(mona).post(PAGE, {"ESAOfficial": "on", "title": "Mine"})
    version.refresh_from_db()
    assert (version.metadata["ESAOfficial"], version.metadata["title"]) == (True, "Spectra")
    with pytest.raises(Conflict):
        actions.edit_metadata(by=dora, version=version, values={"ESAOfficial": False})
    DatalabVersion.objects.update(state=State.PUBLISHED)
    assert signed_in(mona).post(PAGE, {}).status_code == 409
    DatalabVersion.objects.update(state=State.DRAFT)
    with pytest.raises(Invalid):
        actions.edit_metadata(by=dora, version=version, values={"ESAOfficial": True})
    with pytest.raises(Forbidden):
        actions.edit_metadata(by=make_person("dan", "developer"), version=version, values={"title": "Dan's"})


def test_nobody_awards_the_flag_to_her_own() -> None:
    both = make_person("bo", "developer", "moderator")
    make_version(both, state=State.IN_REVIEW)
    assert 'name="ESAOfficial"' not in signed_in(both).get(PAGE).content.decode()
    assert signed_in(both).post(PAGE, {"ESAOfficial": "on"}).status_code == 409


def test_a_file_is_read_into_the_form_and_saved_by_its_author(dora: Person) -> None:
    version = make_version(dora)
    file = SimpleUploadedFile("datalab-meta.yml", b"title: From a file\nversion: '7'\nESAOfficial: true\nodd: 1\n")
    page = signed_in(dora).post(f"{PAGE}/import", {"file": file}).content.decode()
    assert 'value="From a file"' in page
    assert "Nothing is saved yet." in page
    assert "odd" in page.partition("Left out")[2][:100]
    version.refresh_from_db()
    assert version.metadata["title"] == "Spectra"
    broken = SimpleUploadedFile("x.yml", b"\xff\xfe\x00")
    assert signed_in(dora).post(f"{PAGE}/import", {"file": broken}).status_code == 422


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_holds_what_one_may_see(dora: Person, name: str) -> None:
    secrets = {term.key: marked(term) for term in PRIVATE}
    make_version(dora, state=State.PUBLISHED, visibility=Visibility.EVERYBODY, metadata={**full(), **secrets})
    answer = Client().get(EXPORT + name)
    assert answer.status_code == 200
    assert FORMATS[name].file in answer["Content-Disposition"]
    public = answer.content.decode() + Client().get("/catalogue/spectra/").content.decode()
    for secret in secrets.values():
        assert secret not in public
    if name == "datalab-meta":
        assert secrets
        own = signed_in(dora).get(EXPORT + name).content.decode()
        assert all(secret in own for secret in secrets.values())


def test_a_draft_is_exported_for_those_who_see_it_alone(dora: Person) -> None:
    version, nina = make_version(dora, metadata={**full()}), make_person("nina")
    assert signed_in(nina).get(f"{EXPORT}cff").status_code == 404
    assert Client().get(f"{EXPORT}cff").status_code == 404
    actions.share(by=dora, version=version, visibility="people", people=[nina])
    assert signed_in(nina).get(f"{EXPORT}cff").status_code == 200
    assert signed_in(dora).get(f"{EXPORT}nothing").status_code == 404


def test_the_datalabs_page_links_the_exports(dora: Person) -> None:
    make_version(dora, state=State.PUBLISHED, visibility=Visibility.EVERYBODY)
    page = Client().get("/catalogue/spectra/").content.decode()
    assert all(f'href="{EXPORT}{name}"' in page for name in FORMATS)
    assert "Authoring pages" not in page
    assert 'href="/author/spectra/1.0/"' in signed_in(dora).get("/catalogue/spectra/").content.decode()
