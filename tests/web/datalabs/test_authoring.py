"""The authoring pages of a version: who opens them, which steps stand there, and what its history tells."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.datalabs import actions
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.rules import State, Visibility
from support.authoring import make_version
from support.people import make_person, signed_in

pytestmark = pytest.mark.django_db
HISTORY = "/author/spectra/1.0/history"
ADVANCE = "/author/spectra/1.0/advance"


@pytest.fixture
def dora() -> Person:
    """Somebody who writes a datalab."""
    return make_person("dora", "developer")


@pytest.fixture
def version(dora: Person) -> DatalabVersion:
    """Create a version that was built."""
    return make_version(dora)


def page_of(person: Person, address: str = HISTORY) -> str:
    answer = signed_in(person).get(address, follow=True)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_an_author_submits_a_version_and_withdraws_it_again(dora: Person, version: DatalabVersion) -> None:
    client = signed_in(dora)
    assert "Submit for review" in page_of(dora)
    said = client.post(ADVANCE, {"transition": "submit", "revision": version.revision}, follow=True)
    assert "Spectra 1.0 is submitted now." in said.content.decode()
    page = page_of(dora)
    assert "Withdraw" in page
    assert "Delete" not in page
    client.post(ADVANCE, {"transition": "withdraw"})
    version.refresh_from_db()
    assert version.state == State.WITHDRAWN
    told = page_of(dora)
    assert told.index("submitted →") < told.index("built →")
    assert "Launch test" in told


def test_what_is_lacking_stands_there_instead_of_a_button(dora: Person) -> None:
    make_version(dora, metadata={"title": "Spectra", "version": "1.0"})
    page = page_of(dora)
    assert "Submit for review: still lacking." in page
    assert "Fill in: Short name, Abstract, Contact, Authors, Licence." in page
    assert 'value="submit"' not in page


def test_somebody_who_looked_at_an_older_state_is_told(dora: Person, version: DatalabVersion) -> None:
    actions.advance(by=dora, version=version, transition="submit")
    actions.advance(by=dora, version=version, transition="withdraw")
    answer = signed_in(dora).post(ADVANCE, {"transition": "submit", "revision": 0})
    assert answer.status_code == 409
    assert "moved on since you looked" in answer.content.decode()


def test_a_reason_is_asked_for_on_a_page_of_its_own(dora: Person) -> None:
    make_version(dora, state=State.PUBLISHED)
    client = signed_in(dora)
    assert "?transition=archive" in page_of(dora)
    assert "Reason" in client.get(f"{ADVANCE}?transition=archive").content.decode()
    empty = client.post(ADVANCE, {"transition": "archive", "reason": "  "})
    assert empty.status_code == 422
    assert "Say why" in empty.content.decode()
    client.post(ADVANCE, {"transition": "archive", "reason": "<b>Old</b>"})
    assert DatalabVersion.objects.get().state == State.ARCHIVED
    assert "&lt;b&gt;Old&lt;/b&gt;" in page_of(dora)


@pytest.mark.parametrize("step", ["build", "edit", "approve", "nonsense", ""])
def test_steps_that_need_more_than_a_button_are_not_made_here(dora: Person, version: DatalabVersion, step: str) -> None:
    assert signed_in(dora).post(ADVANCE, {"transition": step}).status_code in {409, 422}
    version.refresh_from_db()
    assert version.state == State.BUILT


def test_a_moderator_who_may_not_yet_archive_has_no_such_page(dora: Person, version: DatalabVersion) -> None:
    actions.advance(by=dora, version=version, transition="submit")
    mona = make_person("mona", "moderator")
    assert "Submit for review" not in page_of(mona).partition("<h2")[0]
    assert signed_in(mona).get(f"{ADVANCE}?transition=archive").status_code == 409


@pytest.mark.parametrize("state", list(State))
def test_only_insiders_open_the_pages(dora: Person, state: State) -> None:
    make_version(dora, state=state, visibility=Visibility.EVERYBODY)
    handed = state not in {State.DRAFT, State.BUILDING, State.BUILT, State.BUILD_FAILED, State.TESTING, State.WITHDRAWN}
    published = state in {State.PUBLISHED, State.SUPERSEDED, State.ARCHIVED}
    for person, opens in (
        (dora, True),
        (make_person("mona", "moderator"), handed),
        (make_person("olga", "operator"), published),
        (make_person("dan", "developer"), False),
        (make_person("sten"), False),
    ):
        assert signed_in(person).get(HISTORY).status_code == (200 if opens else 404), person
        assert opens or signed_in(person).post(ADVANCE, {"transition": "publish"}).status_code == 404
    assert Client().get(HISTORY).status_code in {302, 401}


def test_the_list_says_what_to_do_next_and_leads_on(dora: Person, version: DatalabVersion) -> None:
    page = page_of(dora, "/author/")
    assert "Try it, then submit it for review." in page
    assert f'href="/author/spectra/{version.version}/"' in page
    assert 'href="/bring"' in page
    other = page_of(make_person("dan", "developer"), "/author/")
    assert "spectra" not in other
    assert "No datalabs yet" in other
    assert "My datalabs" not in page_of(make_person("sten"), "/catalogue/")


def test_a_draft_is_deleted_after_a_question(dora: Person, version: DatalabVersion) -> None:
    client = signed_in(dora)
    assert "Delete Spectra" in client.get("/author/spectra/1.0/delete").content.decode()
    assert DatalabVersion.objects.exists()
    assert signed_in(make_person("mona", "moderator")).post("/author/spectra/1.0/delete").status_code == 404
    client.post("/author/spectra/1.0/delete")
    assert not Datalab.objects.exists()


def test_what_is_published_is_not_deleted(dora: Person) -> None:
    make_version(dora, state=State.PUBLISHED)
    assert signed_in(dora).post("/author/spectra/1.0/delete").status_code == 409
    assert "Delete" not in page_of(dora)


def test_the_head_says_how_many_use_it_once_it_is_published(dora: Person) -> None:
    version = make_version(dora, published_at=timezone.now(), state=State.PUBLISHED)
    assert "nobody yet" in page_of(dora)
    Datalab.objects.filter(pk=version.datalab_id).update(popularity=2)
    assert "people, you apart" in page_of(dora)
    make_version(dora, "2.0")
    assert "Used by" not in page_of(dora, "/author/spectra/2.0/history")


def test_the_history_tells_who_changed_metadata_and_readers(dora: Person, version: DatalabVersion) -> None:
    actions.edit_metadata(by=dora, version=version, values={"mission": ["Gaia"]})
    actions.share(by=dora, version=version, visibility="people", people=[make_person("nina")])
    page = page_of(dora)
    assert "Change the metadata" in page
    assert "Mission" in page
    told = page.split("Change for whom it is")[1]
    assert "nina" in told.split("</tr>")[0]
