"""Pipelines by the API and by the Tool Registry Service: what programs find, write, and are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from support.people import make_person, signed_in
from support.pipelines import FILES, TOOL, USING, WORKFLOW, make_pipeline, make_step

pytestmark = pytest.mark.django_db
TRS = "/ga4gh/trs/v2"


def sent(client: Client, method: str, address: str, body: Any = None, status: int = 200) -> Any:
    call = getattr(client, method)
    answer = call(address, json.dumps(body), content_type="application/json") if body is not None else call(address)
    assert answer.status_code == status, answer.content.decode()[:500]
    return answer.json() if answer.content else None


@pytest.fixture
def ada() -> Person:
    return make_person("ada")


def test_a_program_begins_saves_describes_and_deletes(ada: Person) -> None:
    client = signed_in(ada)
    begun = sent(client, "post", "/api/v1/my-pipelines", {"slug": "own", "files": FILES}, 201)
    assert (begun["state"], begun["errors"]) == ("built", 0)
    base = "/api/v1/my-pipelines/own/0.1.0"
    broken = {"files": {"main.cwl": USING}, "was": begun["content_hash"]}
    saved = sent(client, "put", f"{base}/files", broken)
    assert saved["state"] == "build-failed"
    assert any("main.cwl:" in one for one in saved["told"])
    sent(client, "put", f"{base}/files", {"files": FILES, "was": begun["content_hash"]}, 409)
    assert sent(client, "patch", f"{base}/metadata", {"terms": {"abstract": "Says."}})["terms"]["abstract"] == "Says."
    assert "submit" not in [one["step"] for one in sent(client, "get", base)["steps"]]
    sent(client, "delete", base, status=204)
    sent(client, "get", base, status=404)


def test_what_a_document_says_and_lacks_is_told_to_programs(ada: Person) -> None:
    make_pipeline("lame", files={"main.cwl": USING}, state="built", maintainer=ada)
    found = sent(signed_in(ada), "get", "/api/v1/pipelines/lame/1.0")
    assert found["uses"] == [{"slug": "say", "version": "1.0", "missing": True}]
    assert [one["severity"] for one in found["problems"]].count("error") >= 1
    assert found["inputs"][0]["type"] == "string"
    sent(Client(), "get", "/api/v1/pipelines/lame/1.0", status=404)
    files = sent(signed_in(ada), "get", "/api/v1/pipelines/lame/1.0/files")
    assert files["files"]["main.cwl"] == USING


def test_lists_hold_what_one_sees(ada: Person) -> None:
    make_pipeline("open", tags=["Sun"])
    make_step("say")
    make_pipeline("draft", state="built", maintainer=ada)
    assert sent(Client(), "get", "/api/v1/pipelines?kind=pipeline")["count"] == 1
    assert sent(signed_in(ada), "get", "/api/v1/pipelines?whose=own")["items"][0]["slug"] == "draft"
    assert sent(Client(), "get", "/api/v1/pipelines?tag=sun")["items"][0]["system"] is True


def test_the_registry_lists_tools_and_sends_descriptors_with_their_files() -> None:
    make_step("say")
    make_pipeline("greet", files={"main.cwl": USING})
    client = Client()
    assert sent(client, "get", f"{TRS}/service-info")["type"]["artifact"] == "trs"
    assert {one["id"] for one in sent(client, "get", f"{TRS}/tools")} == {"say", "greet"}
    assert [one["id"] for one in sent(client, "get", f"{TRS}/tools?toolClass=Workflow")] == ["greet"]
    assert sent(client, "get", f"{TRS}/tools?descriptorType=WDL") == []
    tool = sent(client, "get", f"{TRS}/tools/greet")
    assert tool["versions"][0]["descriptor_type"] == ["CWL"]
    base = f"{TRS}/tools/greet/versions/1.0"
    assert sent(client, "get", base)["id"] == "1.0"
    assert sent(client, "get", f"{base}/CWL/descriptor")["content"] == USING
    assert client.get(f"{base}/PLAIN_CWL/descriptor/catalogue/say/1.0.cwl").content.decode() == TOOL
    types = {one["path"]: one["file_type"] for one in sent(client, "get", f"{base}/CWL/files")}
    assert types == {"main.cwl": "PRIMARY_DESCRIPTOR", "catalogue/say/1.0.cwl": "SECONDARY_DESCRIPTOR"}
    assert client.get(f"{base}/CWL/files?format=zip")["Content-Type"] == "application/zip"


def test_parts_of_the_registrys_list_lead_to_the_next(ada: Person) -> None:
    for number in range(5):
        make_pipeline(f"p{number}")
    answer = Client().get(f"{TRS}/tools?limit=2")
    assert len(answer.json()) == 2
    after = Client().get(answer["next_page"])
    assert [one["id"] for one in after.json()] == ["p2", "p3"]
    assert after["current_offset"] == "2"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("tools/none", 404),
        ("tools/greet/versions/9", 404),
        ("tools/greet/versions/1.0/WDL/descriptor", 404),
        ("tools/greet/versions/1.0/CWL/descriptor/..%2f..%2fetc%2fpasswd", 404),
        ("tools/secret", 404),
        ("tools?limit=minus", 400),
        ("tools/greet/versions/1.0/containerfile", 404),
    ],
)
def test_the_registry_refuses_in_its_own_form(ada: Person, address: str, status: int) -> None:
    make_pipeline("greet", files={"main.cwl": WORKFLOW, "say.cwl": TOOL})
    make_pipeline("secret", state="built", maintainer=ada)
    said = sent(Client(), "get", f"{TRS}/{address}", status=status)
    assert said["code"] == status
    assert said["message"]
