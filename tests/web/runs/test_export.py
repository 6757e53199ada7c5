"""A run exported as a crate: what goes in, for whom, and what no pipeline can make it hand out."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.accounts.rules import Scope
from spacelab.audit.models import Entry
from spacelab.kit.uploads import Brought
from spacelab.pipelines import archives, intake
from spacelab.runs import actions, folders
from spacelab.runs.models import Run
from support.people import make_person, signed_in
from support.runs import HELLO, Coordinator, file_of, launch, workspace_of
from support.sessions import make_team

pytestmark = pytest.mark.usefixtures("quiet_runtime")


@pytest.fixture
def run(scientist: Person) -> Run:
    """Finish a run that has left an output, and whose coordinator names files that are not its own."""
    run = launch(scientist)
    told = Coordinator(run)
    results = workspace_of(scientist) / run.results
    results.mkdir(parents=True, exist_ok=True)
    (results / "counted.txt").write_text("11\n")
    (results / "shadow.txt").symlink_to("/etc/passwd")
    file_of(scientist, "secret.txt", "secret")
    told.begin()
    told.start("count", inputs={"text": run.job["text"]})
    told.print("count", "on its way\n")
    told.end("count")

    def named(path: str) -> dict[str, str]:
        return {"class": "File", "location": f"file://{path}"}

    here = f"/media/user/{run.results}"
    outputs = {
        "counted": named(f"{here}/counted.txt"),
        "shadow": named(f"{here}/shadow.txt"),
        "secret": named("/media/user/secret.txt"),
        "up": named(f"{here}/../secret.txt"),
        "host": named("/etc/passwd"),
        "home": named("/media/home/.ssh/id_rsa"),
    }
    told.finish(outputs=outputs)
    told.carried("succeeded")  # type: ignore[arg-type]  # as the row keeps it
    return told.followed()


def crate_of(client: Client, run: Run, **wanted: Any) -> zipfile.ZipFile:
    answer = client.get(f"/runs/{run.pk}/crate", {"limit_mb": 10, **wanted})
    assert answer.status_code == 200, answer.headers
    assert answer["Content-Type"] == "application/zip"
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # a streamed answer
    return zipfile.ZipFile(io.BytesIO(content))


def test_the_owner_exports_documents_values_and_logs(run: Run, client: Client, scientist: Person) -> None:
    client.force_login(scientist)
    assert "Export as RO-Crate" in client.get(f"/runs/{run.pk}/").content.decode()
    assert "Inputs as files" in client.get(f"/runs/{run.pk}/crate").content.decode()
    found = crate_of(client, run, inputs="on", outputs="on", logs="on")
    assert found.read("main.cwl").decode() == HELLO
    assert found.read("run/inputs/text/words.txt") == b"some words\n"
    assert found.read("run/outputs/counted/counted.txt") == b"11\n"
    assert found.read("run/logs/count/stderr.txt") == b"on its way\n"
    metadata = json.loads(found.read("ro-crate-metadata.json"))
    agent = next(one for one in metadata["@graph"] if one["@type"] == "Person")
    assert agent["name"] == "Ada"
    assert Entry.objects.filter(action="runs.export", subject=f"run:{run.pk}").exists()


def test_nothing_goes_along_that_is_not_the_runs_own(run: Run, client: Client, scientist: Person) -> None:
    client.force_login(scientist)
    found = crate_of(client, run, inputs="on", outputs="on", logs="on")
    everything = b"".join(found.read(name) for name in found.namelist())
    assert b"root:" not in everything
    assert b"secret\n" not in everything
    assert not any(name in path for path in found.namelist() for name in ("shadow", "secret", "passwd", "id_rsa"))


def test_without_files_all_is_referred_to(run: Run, client: Client, scientist: Person) -> None:
    client.force_login(scientist)
    found = crate_of(client, run)
    assert not [name for name in found.namelist() if name.startswith(("run/inputs", "run/outputs", "run/logs"))]
    small = crate_of(client, run, outputs="on", limit_mb=0)
    assert "run/outputs/counted/counted.txt" not in small.namelist()


def test_who_else_may_export(run: Run, scientist: Person) -> None:
    eve = signed_in(make_person("eve"))
    assert eve.get(f"/runs/{run.pk}/crate").status_code == 404
    assert eve.get(f"/runs/{run.pk}/crate", {"limit_mb": 1}).status_code == 404
    bo = make_person("bo")
    make_team("plasma", scientist, bo)
    actions.show_to(by=scientist, run_id=run.pk, team="plasma")
    file_of(bo, "words.txt", "bo's own words\n")
    found = crate_of(signed_in(bo), run, inputs="on", outputs="on")
    assert "run/inputs/text/words.txt" not in found.namelist(), "a path of the owner's workspace is not one of bo's"


def test_what_can_not_be_exported_is_said(run: Run, client: Client, scientist: Person) -> None:
    client.force_login(scientist)

    def said(pk: str, limit: str = "1") -> str:
        answer = client.get(f"/runs/{pk}/crate", {"limit_mb": limit}, follow=True)
        return str(answer.content.decode())

    assert "MiB fit" in said(run.pk, "99999")
    assert "MiB fit" in said(run.pk, "x")
    assert "has not ended" in said(launch(scientist).pk)
    folders.remove(run.pk)
    assert "not kept any more" in said(run.pk)


def test_the_api_exports_as_well(run: Run, scientist: Person) -> None:
    _, secret = accounts.create_token(by=scientist, name="read", lifetime_days=1, scopes=[Scope.READ])
    headers = {"Authorization": f"Bearer {secret}"}
    answer = Client().get(f"/api/v1/runs/{run.pk}/crate?inputs=true", headers=headers)
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # a streamed answer
    assert "run/inputs/text/words.txt" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert Client().get(f"/api/v1/runs/{run.pk}/crate?limit_mb=-1", headers=headers).status_code == 422
    assert Client().get(f"/api/v1/runs/{run.pk}/crate").status_code == 401


def test_what_was_exported_is_imported_as_a_pipeline(run: Run, client: Client, scientist: Person) -> None:
    client.force_login(scientist)
    answer = client.get(f"/runs/{run.pk}/crate", {"limit_mb": 10})
    content = io.BytesIO(b"".join(answer.streaming_content))  # type: ignore[attr-defined]  # a streamed answer
    files = intake.take_in([Brought("run.crate.zip", content)]).files
    assert files["main.cwl"] == HELLO
    crate = archives.read_crate(files)
    assert crate is not None
    assert crate.main == "main.cwl"
    assert json.loads(files["run/job.json"]) == {"text": {"class": "File", "location": "file:///media/user/words.txt"}}
