"""The moderator's journey: the queue, the evidence, the checklist, the decision; and everybody who may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.datalabs.actions import advance
from spacelab.datalabs.models import DatalabVersion, Evidence
from spacelab.moderation.models import Tick
from spacelab.notifications.models import Notification
from spacelab.publishing.rules import State
from spacelab.testing.queries import evidence_folder
from support.people import make_person, signed_in
from support.reviews import EVERY_POINT, TERMS, make_package, make_submitted

pytestmark = pytest.mark.django_db
HERE = "/review/spectra/1.0"


def step(client: Client, version: DatalabVersion, name: str, reason: str = "") -> str:
    """Press a button of the review page, and return the text of the page that follows."""
    version.refresh_from_db()
    answer = client.post(HERE, {"transition": name, "revision": version.revision, "reason": reason}, follow=True)
    return answer.content.decode()


def test_a_review_from_the_queue_to_the_decision(developer: Person, moderator: Person, tmp_path: Path) -> None:
    make_submitted(
        developer,
        "0.9",
        State.PUBLISHED,
        published_at="2025-01-01T00:00Z",
        package=str(make_package(tmp_path / "old", {"requirements.txt": "numpy==1\n"})),
        metadata={**TERMS, "version": "0.9", "abstract": "Showed them."},
    )
    package = make_package(tmp_path / "new", {"requirements.txt": "numpy==2\n"})
    version = make_submitted(developer, package=str(package))
    client = signed_in(moderator)
    queue = client.get("/review/").content.decode()
    assert HERE in queue
    assert "nobody yet" in queue
    assert HERE in client.get("/review/?show=free").content.decode()
    assert HERE not in client.get("/review/?show=mine").content.decode()

    step(client, version, "take")
    assert HERE in client.get("/review/?show=mine").content.decode()
    page = client.get(HERE).content.decode()
    for expected in ("It starts within 4 s.", "Showed them.", "Shows them.", "changed", "dora@example.org"):
        assert expected in page
    assert "/datalabs/spectra/launch?version=1.0" in page
    files = client.get(f"{HERE}/files").content.decode()
    assert "numpy==1" in files
    assert "numpy==2" in files

    assert "checklist is not finished" in step(client, version, "approve")
    client.post(f"{HERE}/checklist", {"points": EVERY_POINT[:-1]})
    assert "checklist is not finished" in step(client, version, "approve")
    client.post(f"{HERE}/checklist", {"points": EVERY_POINT})
    assert {one.person for one in Tick.objects.all()} == {moderator}
    assert "nothing to decide" in step(client, version, "approve", "Well done.")
    version.refresh_from_db()
    assert (version.state, version.reviewer) == (State.APPROVED, moderator)
    assert Notification.objects.filter(person=developer, text="Well done.").exists()
    assert Entry.objects.filter(action="moderation.tick").count() == 2


def test_the_queue_is_oldest_first_and_shows_the_load(developer: Person, moderator: Person) -> None:
    second = make_submitted(developer, "2.0", slug="second")
    first = make_submitted(developer, "1.0", slug="first", state=State.IN_REVIEW, reviewer=moderator)
    DatalabVersion.objects.filter(pk=first.pk).update(submitted_at="2025-01-01T00:00Z")
    page = signed_in(moderator).get("/review/").content.decode()
    assert page.index("/review/first/") < page.index(f"/review/second/{second.version}")
    assert '<dt>Mona</dt><dd><span class="figure">1</span>' in page
    assert 'data-tone="busy">1<span class="visually-hidden"> versions wait' in page


def test_changes_are_asked_for_and_the_checklist_begins_anew(developer: Person, moderator: Person) -> None:
    version, client = make_submitted(developer), signed_in(moderator)
    step(client, version, "take")
    client.post(f"{HERE}/checklist", {"points": EVERY_POINT})
    assert "A reason is needed" in step(client, version, "request-changes")
    step(client, version, "request-changes", "The abstract is short.")
    version.refresh_from_db()
    assert version.state == State.CHANGES_REQUESTED
    advance(by=developer, version=version, transition="submit")
    step(client, version, "take")
    assert "checklist is not finished" in step(client, version, "approve")
    step(client, version, "give-back")
    version.refresh_from_db()
    assert version.state == State.SUBMITTED


def test_a_decision_on_a_version_that_has_moved_on_is_refused_and_its_text_kept(
    developer: Person, moderator: Person
) -> None:
    version, client = make_submitted(developer), signed_in(moderator)
    step(client, version, "take")
    version.refresh_from_db()
    seen = version.revision
    other = make_person("mike", "moderator")
    for name in ("give-back", "take"):
        advance(by=other, version=version, transition=name)
    decision = {"transition": "reject", "revision": seen, "reason": "It <b>leaks</b> a password."}
    answer = client.post(HERE, decision)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "moved on since you looked at it" in page
    assert "It &lt;b&gt;leaks&lt;/b&gt; a password.</textarea>" in page
    advance(by=other, version=version, transition="reject", reason="No.")
    answer = client.post(HERE, decision)
    assert answer.status_code == 409
    assert "the version is rejected" in answer.content.decode()
    assert "a password.</textarea>" in answer.content.decode()
    version.refresh_from_db()
    assert version.changes.filter(transition="reject").count() == 1


def test_nobody_reviews_her_own(moderator: Person) -> None:
    both = make_person("mara", "developer", "moderator")
    version, client = make_submitted(both, state=State.IN_REVIEW), signed_in(both)
    assert "Nobody decides about her own work" in client.get(HERE).content.decode()
    for name in ("approve", "reject", "request-changes"):
        assert "Nobody decides about her own work" in step(client, version, name, "Fine.")
    assert client.post(f"{HERE}/checklist", {"points": EVERY_POINT}).status_code == 409
    version.refresh_from_db()
    assert version.state == State.IN_REVIEW
    assert not Tick.objects.exists()


@pytest.mark.parametrize("role", ["scientist", "developer", "advanced-developer", "operator"])
def test_reviews_are_for_moderators(role: str, developer: Person) -> None:
    version, person = make_submitted(developer), make_person("else", role)
    client = signed_in(person)
    for address in ("/review/", HERE, f"{HERE}/files", f"{HERE}/comments"):
        assert client.get(address).status_code == 403, address
    assert client.post(HERE, {"transition": "take", "revision": 0}).status_code == 403
    assert client.post(f"{HERE}/checklist", {"points": EVERY_POINT}).status_code == 403
    assert client.post(f"{HERE}/answer", {"text": "Hello"}).status_code == 404
    assert client.get("/author/spectra/1.0/review").status_code == 404
    assert "/review/" not in client.get("/catalogue/").content.decode()
    version.refresh_from_db()
    assert version.state == State.SUBMITTED


def test_visitors_are_asked_to_sign_in(developer: Person) -> None:
    make_submitted(developer)
    for address in ("/review/", HERE):
        answer = Client().get(address)
        assert answer.status_code == 401 or "/sign-in/" in answer.headers["Location"]


@pytest.mark.parametrize("state", [State.DRAFT, State.BUILT, State.WITHDRAWN])
def test_what_was_never_handed_over_is_in_no_review(state: State, developer: Person, moderator: Person) -> None:
    make_submitted(developer, state=state)
    client = signed_in(moderator)
    assert client.get(HERE).status_code == 404
    assert client.get(f"{HERE}/files").status_code == 404
    assert HERE not in client.get("/review/").content.decode()


def test_unknown_steps_and_points_are_refused(developer: Person, moderator: Person) -> None:
    version, client = make_submitted(developer, state=State.IN_REVIEW), signed_in(moderator)
    assert client.post(HERE, {"transition": "publish", "revision": 0}).status_code == 422
    assert client.post(HERE, {"transition": "approve"}).status_code == 422
    assert client.post(f"{HERE}/checklist", {"points": ["nonsense"]}).status_code == 422
    version.refresh_from_db()
    assert version.state == State.IN_REVIEW


def test_what_a_launch_test_left_is_shown_to_moderators_alone(developer: Person, moderator: Person) -> None:
    version = make_submitted(developer)
    evidence = version.evidence.get()
    Evidence.objects.filter(pk=evidence.pk).update(folder="7")
    folder = evidence_folder("7")
    make_package(folder, {"screenshot.png": b"\x89PNG", "log.txt": "It said <b>hello</b>.", "other.txt": "secret"})
    client, there = signed_in(moderator), f"/author/spectra/1.0/testing/{evidence.pk}"
    page = client.get(HERE).content.decode()
    assert f'src="{there}/screenshot.png"' in page
    assert "As a new browser saw it." in page
    picture = client.get(f"{there}/screenshot.png")
    assert (picture.content, picture.headers["Content-Type"]) == (b"\x89PNG", "image/png")
    assert "It said &lt;b&gt;hello&lt;/b&gt;." in page
    for wrong in (f"{there}/other.txt", "/author/spectra/1.0/testing/9999/log.txt"):
        assert client.get(wrong).status_code == 404
    assert signed_in(make_person("ada")).get(f"{there}/screenshot.png").status_code == 404
