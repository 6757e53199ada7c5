"""A draft may go once its sessions have ended; their record keeps what they ran."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.publishing.rules import Visibility
from spacelab.sessions import actions, queries
from spacelab.sessions.models import Session
from spacelab.workloads.rules import Phase
from support.people import make_person, signed_in
from support.sessions import make_datalab, move

DELETE = "/author/spectra/0.1/delete"


@pytest.fixture
def dora(db: None, quiet_runtime: object) -> Person:
    """Somebody with one draft."""
    person = make_person("dora", "developer")
    make_datalab("spectra", version="0.1", state="built", maintainer=person)
    return person


def launch(person: Person) -> Session:
    return actions.launch(by=person, datalab_slug="spectra", profile="small", volumes=[], teams=[], title="A try")


def test_while_a_session_runs_the_draft_stays_and_says_why(dora: Person) -> None:
    session, client = launch(dora), signed_in(dora)
    page = client.get(DELETE).content.decode()
    assert f'href="/sessions/{session.id}"' in page
    assert "Delete</button>" not in page
    refused = client.post(DELETE)
    assert refused.status_code == 409
    assert "running in sessions of" in refused.content.decode()
    assert DatalabVersion.objects.count() == 1
    actions.stop(by=dora, session_id=session.id)
    assert client.post(DELETE).status_code == 409, "it has not ended yet"


def test_sessions_of_others_are_named_without_their_titles(dora: Person) -> None:
    eve = make_person("eve")
    version = DatalabVersion.objects.get()
    version.visibility = Visibility.PEOPLE
    version.save()
    version.people.add(eve)
    launch(eve)
    page = signed_in(dora).get(DELETE).content.decode()
    assert f"a session of {eve.display_name}" in page
    assert "A try" not in page
    assert "A try" not in signed_in(dora).post(DELETE).content.decode()


def test_one_that_waits_for_its_restart_counts(dora: Person) -> None:
    session = move(launch(dora), Phase.RUNNING)
    actions.restart(by=dora, session_id=session.id)
    move(session, Phase.STOPPED)
    assert signed_in(dora).post(DELETE).status_code == 409


def test_ended_sessions_keep_their_record(dora: Person) -> None:
    session = move(launch(dora), Phase.RUNNING, Phase.STOPPED)
    client = signed_in(dora)
    assert client.post(DELETE).status_code == 302
    assert not Datalab.objects.exists()
    session.refresh_from_db()
    assert (session.version, session.version_name) == (None, "Spectra 0.1")
    for address in ("/sessions", f"/sessions/{session.id}"):
        assert "Spectra 0.1" in client.get(address).content.decode()
    told = client.get(f"/api/v1/sessions/{session.id}").json()
    assert (told["datalab"], told["version"]) == ("spectra", "0.1")
    again = client.post(f"/sessions/{session.id}/restart")
    assert again.status_code == 409
    assert "deleted by its author" in again.content.decode()
    assert not queries.running(dora).exists()


def test_sessions_of_before_get_the_names_of_what_they_ran(dora: Person) -> None:
    session = launch(dora)
    Session.objects.update(datalab_slug="", datalab_title="", version_number="")
    import_module("spacelab.sessions.migrations.0007_known_as").write_names(apps, None)
    session.refresh_from_db()
    assert (session.datalab_slug, session.version_name) == ("spectra", "Spectra 0.1")
