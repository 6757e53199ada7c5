"""WES 1.1: asked by a public client, against its own document, by each role, and with what is hostile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import requests
import schemathesis
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import Phase as HypothesisPhase
from hypothesis import settings as bounds
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from wes_client.util import WESClient, build_wes_request

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.accounts.rules import Scope
from spacelab.runs.models import Run
from spacelab.runs.wes import rules
from spacelab.site.wes import wes
from spacelab.workloads.rules import Phase
from support.people import make_person
from support.runs import COUNT, HELLO, Coordinator, file_of, launch, make_pipeline, workspace_of

pytestmark = pytest.mark.usefixtures("quiet_runtime")
WES = "/ga4gh/wes/v1"
ASKED = {"workflow_type": "CWL", "workflow_type_version": "v1.2", "workflow_url": "main.cwl"}
PARAMS = json.dumps({"text": {"class": "File", "location": "/media/user/words.txt"}})


def token_of(person: Person, *scopes: Scope) -> dict[str, str]:
    secret = accounts.create_token(by=person, name="wes", lifetime_days=1, scopes=list(scopes or (Scope.RUNS,)))[1]
    return {"Authorization": f"Bearer {secret}"}


def attached(**files: str | bytes) -> list[SimpleUploadedFile]:
    return [
        SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text)
        for name, text in {"main.cwl": HELLO, "count.cwl": COUNT, **files}.items()
    ]


@pytest.fixture
def ada(scientist: Person) -> dict[str, str]:
    file_of(scientist)
    return token_of(scientist)


def submit(headers: dict[str, str], files: Any = None, **fields: str) -> Any:
    body = {**ASKED, "workflow_params": PARAMS, **fields}
    return Client().post(
        f"{WES}/runs", {**body, "workflow_attachment": attached() if files is None else files}, headers=headers
    )


def seen(headers: dict[str, str], path: str) -> Any:
    return Client().get(f"{WES}{path}", headers=headers)


def raw(headers: dict[str, str], name: str, content: bytes = b"x", **fields: str) -> Any:
    """Send a request with a file's name as it stands, which Django's own client would tidy up."""
    parts = [f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
    disposition = f'Content-Disposition: form-data; name="workflow_attachment"; filename="{name}"'
    body = "".join(parts).encode() + f"--b\r\n{disposition}\r\n\r\n".encode() + content + b"\r\n--b--\r\n"
    return Client().post(f"{WES}/runs", body, content_type="multipart/form-data; boundary=b", headers=headers)


@pytest.mark.django_db(transaction=True)
def test_a_public_client_launches_follows_and_cancels(ada: dict[str, str], live_server: Any, tmp_path: Path) -> None:
    (tmp_path / "main.cwl").write_text(HELLO)
    (tmp_path / "count.cwl").write_text(COUNT)
    (tmp_path / "job.json").write_text(PARAMS)
    client = WESClient({"auth": ada, "proto": "http", "host": live_server.url.removeprefix("http://")})
    assert "v1.2" in client.get_service_info()["workflow_type_versions"]["CWL"]["workflow_type_version"]
    parts, files = build_wes_request(
        f"file://{tmp_path}/main.cwl", f"file://{tmp_path}/job.json", [f"file://{tmp_path}/count.cwl"]
    )
    sent = requests.post(f"{live_server.url}{WES}/runs", data=parts, files=files, headers=ada, timeout=30)
    run_id = sent.json()["run_id"]
    assert client.get_run_status(run_id) == {"run_id": run_id, "state": "INITIALIZING"}
    assert [one["run_id"] for one in client.list_runs()["runs"]] == [run_id]
    Coordinator(Run.objects.get()).all_well()
    log = client.get_run_log(run_id)
    assert (log["state"], log["run_log"]["exit_code"], log["outputs"]["counted"]["class"]) == ("COMPLETE", 0, "File")
    assert client.cancel(run_id) == {"run_id": run_id}


def test_documents_that_come_along_run_as_a_private_draft(ada: dict[str, str], scientist: Person) -> None:
    tags = {"survey": "euclid"}
    answer = submit(ada, tags=json.dumps(tags), workflow_engine_parameters=json.dumps({"profile": "medium"}))
    assert answer.status_code == 200, answer.content
    run = Run.objects.get()
    assert (run.owner, run.is_test, run.profile) == (scientist, True, "medium")
    assert run.bundle.files == {"main.cwl": HELLO, "count.cwl": COUNT}
    told = seen(ada, f"/runs/{run.pk}").json()
    assert told["request"]["tags"] == tags
    assert told["request"]["workflow_params"] == json.loads(PARAMS)
    assert seen(ada, "/runs").json()["runs"][0]["tags"] == tags


def test_the_title_of_a_document_is_one_line(ada: dict[str, str]) -> None:
    label = 'class: Workflow\nlabel: "Fine\\nBcc: all@example.org\\u202e"'
    submit(ada, attached(**{"main.cwl": HELLO.replace("class: Workflow", label)}))
    assert Run.objects.get().title == "Fine Bcc: all@example.org"


def test_attached_inputs_are_put_into_the_workspace(ada: dict[str, str], scientist: Person) -> None:
    params = json.dumps({"text": {"class": "File", "path": "words.bin"}})
    answer = submit(ada, attached(**{"words.bin": b"\xff\xfe"}), workflow_params=params)
    assert answer.status_code == 200, answer.content
    location = Run.objects.get().job["text"]["location"]
    assert location.startswith("/media/user/wes/")
    assert (workspace_of(scientist) / location.removeprefix("/media/user/")).read_bytes() == b"\xff\xfe"


def test_folders_in_the_names_of_attachments_are_kept(ada: dict[str, str]) -> None:
    tool = COUNT.replace("  text: {type: File, inputBinding: {position: 1}}", "  text: string")
    answer = raw(
        ada,
        "tools/one.cwl",
        tool.encode(),
        **{**ASKED, "workflow_url": "tools/one.cwl"},
        workflow_params='{"text": "x"}',
    )
    assert answer.status_code == 200, answer.content
    assert set(Run.objects.get().bundle.files) == {"tools/one.cwl"}


@pytest.mark.parametrize("name", ["../x.cwl", "/etc/x.cwl", "a/../../x", "a\\b", "a//b", "x\x01y"], ids=range(6))
def test_names_that_lead_out_are_refused(ada: dict[str, str], name: str) -> None:
    answer = raw(ada, name, COUNT.encode(), **ASKED)
    assert answer.status_code == 400
    assert answer.json()["status_code"] == 400
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "url",
    ["catalogue/hello/0.1.0.cwl", "catalogue/hello", "trs://localhost/hello/0.1.0", "{portal}/pipelines/hello/0.1.0/"],
)
def test_a_pipeline_of_the_catalogue_is_named_in_several_ways(
    ada: dict[str, str], scientist: Person, settings: Any, url: str
) -> None:
    make_pipeline(scientist)
    portal = settings.SPACELAB.portal_url
    host = portal.partition("://")[2]
    answer = submit(ada, [], workflow_url=url.format(portal=portal).replace("trs://localhost", f"trs://{host}"))
    assert answer.status_code == 200, answer.content
    assert Run.objects.get().pipeline_slug == "hello"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"workflow_type": "WDL"}, "workflow_type"),
        ({"workflow_type_version": "v9"}, "workflow_type_version"),
        ({"workflow_url": ""}, "workflow_url"),
        ({"workflow_url": "http://elsewhere.example/x.cwl"}, "nothing is fetched"),
        ({"workflow_url": "file:///etc/passwd"}, "nothing is fetched"),
        ({"workflow_url": "trs://elsewhere.example/hello/1"}, "nothing is fetched"),
        ({"workflow_url": "catalogue/nothing/1.0"}, ""),
        ({"workflow_params": "[1]"}, "workflow_params"),
        ({"workflow_params": "[" * 50_000}, "workflow_params"),
        ({"workflow_params": '{"text": {"class": "File", "location": "/etc/passwd"}}'}, "/etc/passwd"),
        ({"workflow_params": '{"text": {"class": "File", "location": "http://x/y"}}'}, "http://x/y"),
        ({"tags": '{"a": 1}'}, "tags"),
        ({"workflow_engine": "toil"}, "workflow_engine"),
        ({"workflow_engine_parameters": '{"cores": "64"}'}, "Known: profile"),
        ({"workflow_engine_parameters": '{"volumes": "secret"}'}, "secret"),
    ],
    ids=range(15),
)
def test_what_is_not_of_the_right_form_is_refused_in_words(
    ada: dict[str, str], fields: dict[str, str], said: str
) -> None:
    answer = submit(ada, **fields)
    assert answer.status_code in {400, 404}, answer.content
    assert set(answer.json()) == {"msg", "status_code"}
    assert said in answer.json()["msg"]
    assert not Run.objects.exists()


def test_documents_get_the_limits_of_an_import(ada: dict[str, str]) -> None:
    assert submit(ada, attached(**{"big.cwl": "#" * 1_100_000})).status_code == 400
    assert (
        submit(ada, attached(**{"image.png": b"\x89\xff"})).json()["msg"].startswith("workflow_attachment: image.png")
    )
    broken = submit(ada, [SimpleUploadedFile("main.cwl", b"class: Workflow\nsteps: [")])
    assert (broken.status_code, "main.cwl" in broken.json()["msg"]) == (400, True)
    assert Client().post(f"{WES}/runs", "{}", content_type="application/json", headers=ada).status_code == 400
    assert not Run.objects.exists()


def test_who_may_do_what(ada: dict[str, str], scientist: Person) -> None:
    run = launch(scientist)
    eve, olga = token_of(make_person("eve")), token_of(make_person("olga", "operator"))
    reading = token_of(scientist, Scope.READ)
    for path in (f"/runs/{run.pk}", f"/runs/{run.pk}/status", f"/runs/{run.pk}/tasks", f"/runs/{run.pk}/tasks/count"):
        assert seen(eve, path).status_code == 404
        assert seen({}, path).status_code == 401
    assert seen(eve, "/runs").json() == {"runs": [], "next_page_token": ""}
    assert seen(olga, f"/runs/{run.pk}/status").status_code == 200
    assert seen(reading, f"/runs/{run.pk}").status_code == 200
    assert submit(reading).status_code == 403
    assert submit({}).status_code == 401
    assert Client().post(f"{WES}/runs/{run.pk}/cancel", headers=eve).status_code == 404
    assert Client().post(f"{WES}/runs/{run.pk}/cancel", headers=reading).status_code == 403
    assert Client().post(f"{WES}/runs/{run.pk}/cancel", headers=ada).json() == {"run_id": run.pk}
    assert seen(ada, f"/runs/{run.pk}/status").json()["state"] == "CANCELING"
    browser = Client()
    browser.force_login(scientist)
    assert browser.get(f"{WES}/runs").status_code == 401, "a browser's cookie is no token"
    assert seen({"Authorization": "Bearer nothing"}, "/runs").json()["status_code"] == 401
    assert seen({}, "/service-info").json()["system_state_counts"] == {}
    assert seen(ada, "/service-info").json()["system_state_counts"]["CANCELING"] == 1


def test_runs_and_tasks_come_page_by_page(ada: dict[str, str], scientist: Person, settings: Any) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"quota_waiting_runs": 10})
    runs = [launch(scientist).pk for _ in range(3)]
    found, token = [], ""
    while True:
        page = seen(ada, f"/runs?page_size=2&page_token={token}").json()
        found += [one["run_id"] for one in page["runs"]]
        token = page["next_page_token"]
        if not token:
            break
    assert found == runs[::-1]
    told = Coordinator(Run.objects.get(pk=runs[0]))
    told.begin()
    for number in range(3):
        told.start(f"count.{number}", index=[number])
    told.end("count.1", "failed", reason="It broke.")
    told.followed()
    first = seen(ada, f"/runs/{runs[0]}/tasks?page_size=2").json()
    rest = seen(ada, f"/runs/{runs[0]}/tasks?page_token={first['next_page_token']}").json()
    assert [one["id"] for one in first["task_logs"] + rest["task_logs"]] == ["count.0", "count.1", "count.2"]
    task = seen(ada, f"/runs/{runs[0]}/tasks/count.1").json()
    assert (task["exit_code"], task["cmd"], task["system_logs"]) == (1, ["wc", "-c"], ["It broke."])
    told.print("count.1", "no such file\n")
    address = task["stderr"][task["stderr"].index("/api/") :]
    assert Client().get(address, headers=ada).content == b"no such file\n"
    assert Client().get(address).status_code == 401
    for wrong in ("x", "e30", rules.page_token("a", "b")):
        assert seen(ada, f"/runs?page_token={wrong}").status_code == 400
        assert seen(ada, f"/runs/{runs[0]}/tasks?page_token={wrong}").status_code == 400


document: dict[str, Any] = json.loads(json.dumps(wes.get_openapi_schema()))
described = schemathesis.openapi.from_dict(document)
described.app = get_wsgi_application()
OPERATIONS: list[Any] = [found.ok() for found in cast("Any", described.get_all_operations())]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def own_connection() -> Iterator[None]:
    """Let the test keep its connection to the database, as Django's own client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_an_operation_answers_as_its_document_says(
    operation: Any, ada: dict[str, str], scientist: Person, own_connection: None
) -> None:
    run = launch(scientist)
    told = Coordinator(run)
    told.carried(Phase.RUNNING)
    told.begin()
    told.start("count")
    told.followed()
    headers = {**ada, "Host": "localhost"}

    def asked(case: Case[Any]) -> None:
        case.validate_response(case.call(headers=headers), checks=CHECKS)
        if case.path_parameters:
            known = {"run_id": run.pk, "task_id": "count"}
            case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
            case.validate_response(case.call(headers=headers), checks=CHECKS)

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        bounded = bounds(
            max_examples=5,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[HypothesisPhase.generate],
            suppress_health_check=list(HealthCheck),
        )
        run_all: Any = bounded(cast("Any", given(operation.as_strategy(generation_mode=mode)))(asked))
        run_all()
    assert own_connection is None
