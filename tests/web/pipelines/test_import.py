"""A pipeline from a Git repository: asked for by page and API, and what becomes of it in each case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.pipelines.models import PipelineImport, PipelineVersion
from spacelab.pipelines.upkeep import follow_imports
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Phase
from support.people import make_person, signed_in
from support.pipelines import FILES, WORKFLOW, make_pipeline
from support.sessions import QuietRuntime

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_runtime")]
ADDRESS = "https://example.org/people/tool.git"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def ada() -> Person:
    return make_person("ada")


@pytest.fixture
def client(ada: Person) -> Client:
    return signed_in(ada)


def ask(client: Client, **given: Any) -> Any:
    form = {"slug": "from-git", "version": "0.1.0", "begin": "git", "git_url": ADDRESS, **given}
    return client.post("/pipelines/new", form)


def arrived(
    files: dict[str, str], phase: Phase = Phase.SUCCEEDED, printed: str = f"COMMIT {COMMIT}\n"
) -> PipelineImport:
    """Have the controller begin what was asked for, and end its workload with these files."""
    follow_imports()
    found = PipelineImport.objects.get()
    source = Path(settings.SPACELAB.state, "imports", found.pk, "made", "source")
    for path, text in files.items():
        file = source / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    QuietRuntime.printed[str(found.workload_id)] = printed.encode()
    now = timezone.now()
    Workload.objects.filter(pk=found.workload_id).update(phase=phase, started_at=now, ended_at=now, exit_code=1)
    follow_imports()
    follow_imports()
    return PipelineImport.objects.get()


def test_a_repository_becomes_a_draft_that_names_its_commit(client: Client) -> None:
    page = client.get(ask(client, git_ref="v1.0", git_path="/flows/")["Location"])
    assert b"waits for its turn" in page.content
    found = arrived({f"flows/{path}": text for path, text in FILES.items()})
    assert (found.state, found.git_commit, found.workload) == ("done", COMMIT, None)
    assert not Path(settings.SPACELAB.state, "imports", found.pk).exists()
    made = PipelineVersion.objects.get()
    assert made.files == FILES
    assert client.get(f"/pipelines/imports/{found.pk}", headers={"HX-Request": "true"})["HX-Redirect"] == (
        "/pipelines/from-git/0.1.0/author/files"
    )
    shown = client.get("/pipelines/from-git/").content.decode()
    assert ADDRESS in shown
    assert COMMIT[:10] in shown
    assert "changed since" not in shown
    said = client.get("/api/v1/my-pipelines/from-git/0.1.0").json()["source"]
    assert said == {"url": ADDRESS, "ref": "v1.0", "commit": COMMIT, "path": "flows", "unchanged": True}
    text = {"path": "main.cwl", "text": f"{WORKFLOW}# more\n", "seen": made.content_hash}
    assert client.post("/pipelines/from-git/0.1.0/author/file?path=main.cwl", text).status_code == 302
    assert "changed since" in client.get("/pipelines/from-git/0.1.0/author/files").content.decode()
    newer = client.get("/pipelines/new", {"slug": "from-git", "git_url": ADDRESS, "git_path": "flows"}).content.decode()
    assert f'value="{ADDRESS}"' in newer


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"git_url": "ssh://git@example.org/a.git"}, "Only http and https"),
        ({"git_url": "file:///etc/passwd"}, "Only http and https"),
        ({"git_url": "ext::sh -c id"}, "address of a repository"),
        ({"git_url": "https://ada:secret@example.org/a.git"}, "a password"),
        ({"git_url": "http://169.254.169.254/a"}, "own network"),
        ({"git_url": ""}, "There is no address"),
        ({"git_ref": "--upload-pack=sh"}, "no branch, tag or commit"),
        ({"git_path": "../../etc"}, "path in a repository"),
        ({"slug": "theirs"}, "somebody else"),
        ({"slug": "imports"}, "addresses"),
    ],
    ids=lambda one: "" if isinstance(one, str) else next(iter(one)),
)
def test_what_cant_be_fetched_is_refused_at_its_field(client: Client, given: dict[str, str], told: str) -> None:
    make_pipeline("theirs")
    answer = ask(client, **given)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not PipelineImport.objects.exists()


@pytest.mark.parametrize(
    ("files", "path", "told"),
    [
        ({"README.md": "x"}, "", "no CWL document"),
        (FILES, "flows", "has no “flows”"),
        ({"a.cwl": WORKFLOW, "b.cwl": WORKFLOW}, "", "Several documents"),
    ],
)
def test_what_holds_no_pipeline_is_told_and_leaves_nothing(
    client: Client, files: dict[str, str], path: str, told: str
) -> None:
    page = ask(client, git_path=path)["Location"]
    found = arrived(files)
    assert found.state == "failed"
    assert told in found.reason
    assert told in client.get(page).content.decode()
    assert not PipelineVersion.objects.exists()


def test_a_fetch_that_fails_says_why(client: Client) -> None:
    ask(client, git_ref="no-such")
    found = arrived({}, Phase.FAILED, "fatal: couldn't find remote ref no-such\n")
    assert found.reason.startswith("The repository has no such branch, tag or commit: https://example.org")


def test_cancelling_ends_it_and_a_draft_never_comes(client: Client) -> None:
    page = ask(client)["Location"]
    follow_imports()
    assert client.post(f"{page}/cancel").status_code == 302
    assert arrived(FILES).reason == "You cancelled it."
    assert not PipelineVersion.objects.exists()
    assert client.post(f"{page}/cancel").status_code == 409
    assert Entry.objects.filter(action="pipelines.import-cancelled", subject="pipeline:from-git").count() == 1


def test_one_of_each_person_is_fetched_at_a_time_and_a_few_wait(client: Client) -> None:
    for number in range(5):
        assert ask(client, slug=f"from-git-{number}").status_code == 302
    refused = ask(client, slug="one-more")
    assert refused.status_code == 409
    assert "5 of your repositories" in refused.content.decode()
    follow_imports()
    follow_imports()
    assert PipelineImport.objects.filter(state="fetching").count() == 1


def test_the_api_imports_and_shows_nobody_elses(client: Client) -> None:
    body = {"slug": "from-git", "git_url": ADDRESS, "git_path": "main.cwl"}
    asked = client.post("/api/v1/my-pipelines/imports", body, content_type="application/json")
    assert asked.status_code == 202, asked.content
    address = f"/api/v1/my-pipelines/imports/{asked.json()['id']}"
    assert client.get(address).json()["state"] == "waiting"
    others = signed_in(make_person("bob", "moderator"))
    assert others.get(address).status_code == 404
    assert others.get(f"/pipelines/imports/{asked.json()['id']}").status_code == 404
    assert others.delete(address).status_code == 404
    assert Client().post("/api/v1/my-pipelines/imports", body, content_type="application/json").status_code == 401
    arrived(FILES)
    assert client.get(address).json()["git_commit"] == COMMIT
    assert PipelineVersion.objects.get().main == "main.cwl"
    assert client.delete(address).status_code == 409
