"""Builds by the API: bring, start, follow, cancel; scopes, refusals, and the document that describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from spacelab.accounts.actions import create_token
from spacelab.accounts.models import Person
from spacelab.builds.models import Build
from spacelab.builds.upkeep import Workshop
from spacelab.sessions import actions as session_actions
from spacelab.volumes.models import Volume
from support.builds import ANSWERS, end_workload, queued
from support.packages import META, notebook
from support.people import make_person
from support.sessions import make_datalab

pytestmark = pytest.mark.usefixtures("workshop")


def headers(person: Person, *scopes: str) -> dict[str, str]:
    _, secret = create_token(by=person, name="tests", lifetime_days=1, scopes=scopes or ("author",))
    return {"Authorization": f"Bearer {secret}"}


def bring(client: Client, head: dict[str, str], **more: str) -> Any:
    files = [
        SimpleUploadedFile("stars.ipynb", notebook("import humanize").encode()),
        SimpleUploadedFile("datalab-meta.yml", META.encode()),
    ]
    return client.post("/api/v1/builds", {"files": files, **more}, headers=head)


def test_from_an_upload_to_what_can_be_launched(client: Client, developer: Person, workshop: Workshop) -> None:
    head = headers(developer)
    made = bring(client, head)
    assert made.status_code == 201
    build = made.json()
    assert made["Location"] == f"/api/v1/builds/{build['id']}"
    assert (build["state"], build["datalab"], build["plan"]["kind"]) == ("planned", "nearby-stars", "jupyter")
    address = f"/api/v1/builds/{build['id']}"
    started = client.post(f"{address}/start", {}, content_type="application/json", headers=head)
    assert (started.status_code, started.json()["place"]) == (202, 1)
    workshop.look()
    end_workload(Build.objects.get())
    for _ in range(3):
        workshop.look()
    done = client.get(address, headers=head).json()
    assert (done["state"], done["number"], done["environment"]) == ("built", 1, "dora-nearby-stars-0")
    assert [one["state"] for one in done["changes"]][-1] == "built"
    listed = client.get("/api/v1/builds?state=built&datalab=nearby-stars", headers=head).json()
    assert [one["id"] for one in listed] == [build["id"]]
    log = client.get(f"{address}/log?since=0", headers=head)
    assert log["X-Next-Since"] == str(len(log.content))


def test_what_is_missing_is_a_problem_document(client: Client, developer: Person) -> None:
    head = headers(developer)
    only = SimpleUploadedFile("a.ipynb", notebook("1").encode())
    build = client.post("/api/v1/builds", {"files": [only]}, headers=head).json()
    address = f"/api/v1/builds/{build['id']}"
    refused = client.post(f"{address}/start", {}, content_type="application/json", headers=head)
    assert (refused.status_code, refused["Content-Type"]) == (422, "application/problem+json")
    answered = client.post(f"{address}/start", ANSWERS, content_type="application/json", headers=head)
    assert answered.status_code == 202


def test_a_repository(client: Client, developer: Person) -> None:
    head = headers(developer)
    wanted = {"git_url": "https://example.org/tool.git", "git_ref": "v1", "answers": {"title": "Tool"}}
    made = client.post("/api/v1/builds/git", wanted, content_type="application/json", headers=head)
    assert (made.status_code, made.json()["state"]) == (201, "received")
    inside = {"git_url": "http://10.0.0.1/x"}
    refused = client.post("/api/v1/builds/git", inside, content_type="application/json", headers=head)
    assert (refused.status_code, refused.json()["field"]) == (422, "git_url")


def test_scopes_roles_and_other_peoples_builds(
    client: Client, developer: Person, scientist: Person, operator: Person
) -> None:
    build = queued(developer)
    address = f"/api/v1/builds/{build.pk}"
    assert client.get(address).status_code == 401
    assert bring(client, headers(developer, "read")).status_code == 403
    assert client.get(address, headers=headers(developer, "read")).status_code == 200
    assert bring(client, headers(scientist)).status_code == 403
    other = headers(make_person("emma", "developer"))
    assert client.get(address, headers=other).status_code == 404
    assert client.delete(address, headers=other).status_code == 404
    assert client.delete(address, headers=headers(operator)).json()["state"] == "cancelled"
    assert client.delete(address, headers=headers(developer)).status_code == 202
    assert client.get("/api/v1/builds?state=nonsense", headers=headers(developer)).status_code == 422


def test_the_document_describes_every_operation(client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    described = {one["operationId"] for path in paths.values() for one in path.values()}
    wanted = {"bring_files", "bring_git", "list_builds", "get_build", "start_build", "cancel_build", "get_build_log"}
    assert wanted <= described


def test_a_datalab_is_derived_by_the_api(client: Client, developer: Person) -> None:
    make_datalab("spectra", kind="jupyter")
    address, wanted = "/api/v1/builds/derive", {"datalab": "spectra", "title": "Mine", "short_name": "mine"}
    made = client.post(address, wanted, content_type="application/json", headers=headers(developer))
    assert (made.status_code, made.json()["state"], made.json()["datalab"]) == (201, "planned", "")
    assert made["Location"] == f"/api/v1/builds/{made.json()['id']}"
    answers = [
        (headers(developer, "read"), wanted, 403),
        (headers(make_person("sten")), wanted, 403),
        (headers(developer), {**wanted, "datalab": "gone"}, 404),
        (headers(developer), {**wanted, "version": "9"}, 404),
        (headers(developer), {**wanted, "title": ""}, 422),
        (headers(developer), {**wanted, "title": "a\0b"}, 422),
        (headers(developer), {**wanted, "short_name": "../x"}, 422),
    ]
    for head, sent, status in answers:
        answer = client.post(address, sent, content_type="application/json", headers=head)
        assert answer.status_code == status, (sent, answer.content)
    assert Build.objects.count() == 1


def test_a_session_is_saved_by_the_api(client: Client, developer: Person) -> None:
    make_datalab("lab", kind="jupyter")
    session = session_actions.launch(by=developer, datalab_slug="lab", profile="small", volumes=[], teams=[])
    workspace = Path(Volume.objects.get(owner=developer, kind="workspace").path)
    (workspace / "api.ipynb").write_text(notebook("1"))
    address = "/api/v1/builds/from-session"
    wanted = {"session": session.id, "title": "Mine", "short_name": "mine", "notebooks": ["api.ipynb"]}
    made = client.post(address, wanted, content_type="application/json", headers=headers(developer))
    assert made.status_code == 201, made.content
    assert made["Location"] == f"/api/v1/builds/{Build.objects.get().pk}"
    answers = [
        (headers(developer, "sessions"), wanted, 403),
        (headers(make_person("dan", "developer")), wanted, 404),
        (headers(make_person("sten")), wanted, 403),
        (headers(developer), {**wanted, "notebooks": ["../x.ipynb"]}, 422),
        (headers(developer), {**wanted, "notebooks": ["a\0b.ipynb"]}, 422),
        (headers(developer), {**wanted, "title": "a\0b"}, 422),
    ]
    for head, sent, status in answers:
        answer = client.post(address, sent, content_type="application/json", headers=head)
        assert answer.status_code == status, (sent, answer.content)
    assert Build.objects.count() == 1


def test_the_packages_to_install_are_chosen(client: Client, developer: Person) -> None:
    head = headers(developer)
    for chosen in (["humanize"], []):
        build = bring(client, head).json()
        body = {"requirements": chosen, "version": f"1.{len(chosen)}"}
        started = client.post(
            f"/api/v1/builds/{build['id']}/start", body, content_type="application/json", headers=head
        )
        assert started.status_code == 202, started.content
        assert Build.objects.get(pk=build["id"]).answers["requirements"] == chosen
