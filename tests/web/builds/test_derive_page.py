"""Deriving a datalab from another one's page, and the lineage that both pages show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spacelab.accounts.models import Person
from spacelab.builds.models import Build
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.publishing.rules import State, Visibility
from support.people import make_person, signed_in
from support.sessions import make_datalab

DERIVE = "/datalabs/spectra/derive?version=1.0"
NAMES = {"title": "Spectra of mine", "short_name": "my-spectra"}


@pytest.fixture
def spectra(db: None, workshop: object) -> Datalab:
    """Publish a datalab of Dora's."""
    return make_datalab("spectra", maintainer=make_person("dora", "developer"), kind="jupyter")


def test_a_developer_derives_from_the_datalabs_page(spectra: Datalab) -> None:
    dan = signed_in(make_person("dan", "developer"))
    page = dan.get("/catalogue/spectra/").content.decode()
    assert f'href="{DERIVE}"' in page
    form = dan.get(DERIVE).content.decode()
    assert 'value="spectra-derived"' in form
    assert "not stated: ask its author" in form
    DatalabVersion.objects.update(licence="MIT")
    assert "MIT" in dan.get(DERIVE).content.decode()
    answer = dan.post(DERIVE, NAMES)
    build = Build.objects.get()
    assert answer.headers["Location"] == f"/builds/{build.pk}"
    plan = dan.get(f"/builds/{build.pk}").content.decode()
    assert 'value="Spectra of mine"' in plan
    assert "From Spectra 1.0" in plan


@pytest.mark.parametrize(("names", "said"), [({"title": "", "short_name": "x"}, "required"), ({}, "required")])
def test_names_that_can_t_be_stand_at_their_fields(spectra: Datalab, names: dict[str, str], said: str) -> None:
    dan = signed_in(make_person("dan", "developer"))
    answer = dan.post(DERIVE, names)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    refused = dan.post(DERIVE, {**NAMES, "short_name": "spectra"})
    assert refused.status_code == 422
    assert "of somebody else" in refused.content.decode()
    assert not Build.objects.exists()


def test_an_application_whose_files_are_gone_is_not_derived_from(spectra: Datalab) -> None:
    DatalabVersion.objects.update(kind="web")
    answer = signed_in(make_person("dan", "developer")).post(DERIVE, NAMES)
    assert answer.status_code == 409
    assert "are not kept here" in answer.content.decode()


OTHERS: dict[str, tuple[Callable[[], Person | None], int]] = {
    "visitor": (lambda: None, 302),
    "scientist": (lambda: make_person("sten"), 403),
    "moderator": (lambda: make_person("mona", "moderator"), 403),
    "operator": (lambda: make_person("olga", "operator"), 403),
}


@pytest.mark.parametrize("who", OTHERS)
def test_nobody_else_is_offered_it(spectra: Datalab, who: str) -> None:
    make, status = OTHERS[who]
    client = signed_in(make())
    assert "/derive" not in client.get("/catalogue/spectra/").content.decode()
    assert client.get(DERIVE).status_code in {status, 401}
    assert client.post(DERIVE, NAMES).status_code in {status, 401}
    assert not Build.objects.exists()


def test_what_one_may_not_see_is_not_derived_from(spectra: Datalab) -> None:
    DatalabVersion.objects.update(state=State.BUILT, visibility=Visibility.PRIVATE)
    dan = signed_in(make_person("dan", "developer"))
    assert dan.get(DERIVE).status_code == 404
    assert dan.post(DERIVE, NAMES).status_code == 404
    assert signed_in(Person.objects.get(username="dora")).get(DERIVE).status_code == 200


def test_both_pages_show_the_lineage_to_those_who_may_see_it(spectra: Datalab) -> None:
    dan, eve = make_person("dan", "developer"), make_person("eve")
    origin = DatalabVersion.objects.get()
    make_datalab("derived", state="built", maintainer=dan, derived_from=origin)
    assert "Others derive from it" in signed_in(dan).get("/catalogue/spectra/").content.decode()
    assert 'href="/catalogue/spectra/"' in signed_in(dan).get("/catalogue/derived/").content.decode()
    assert "Derived from" in signed_in(dan).get("/author/derived/1.0/history").content.decode()
    for client in (signed_in(eve), signed_in(None)):
        assert "derive" not in client.get("/catalogue/spectra/").content.decode().lower()
    DatalabVersion.objects.filter(datalab__slug="derived").update(
        state=State.PUBLISHED, visibility=Visibility.EVERYBODY
    )
    DatalabVersion.objects.filter(pk=origin.pk).update(state=State.BUILT, visibility=Visibility.PRIVATE)
    page = signed_in(eve).get("/catalogue/derived/").content.decode()
    assert "Spectra" not in page
    assert "Derived from" not in page
    DatalabVersion.objects.filter(pk=origin.pk).update(state=State.ARCHIVED, visibility=Visibility.EVERYBODY)
    assert "Spectra 1.0" in signed_in(eve).get("/catalogue/derived/").content.decode()
