"""The pages of builds: from the upload to the plan and the build, for each role, and what they refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.builds import packages, queries
from spacelab.builds.models import Build
from spacelab.builds.rules import PENDING
from spacelab.builds.upkeep import Workshop
from spacelab.workloads.rules import Phase
from support.builds import ANSWERS, bring, end_workload, queued, state_of
from support.packages import META, notebook, zip_of
from support.people import make_person
from support.sessions import QuietRuntime

pytestmark = pytest.mark.usefixtures("workshop")


@pytest.fixture
def dora(client: Client, developer: Person) -> Client:
    """Sign a developer in."""
    client.force_login(developer)
    return client


def upload(name: str, content: str | bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())


def test_one_notebook_becomes_a_plan_and_a_build_without_javascript(dora: Client, workshop: Workshop) -> None:
    page = dora.get("/bring")
    assert "Bring your application" in page.content.decode()
    sent = dora.post("/bring", {"upload": upload("stars.ipynb", notebook("import humanize"))})
    build = Build.objects.get()
    assert (sent.status_code, sent["Location"]) == (302, f"/builds/{build.pk}")
    plan = dora.get(sent["Location"]).content.decode()
    assert "humanize: stars.ipynb" in plan
    assert 'value="Nearby stars"' in plan
    assert "Where nearby stars move." in plan
    started = dora.post(f"/builds/{build.pk}/start", {**ANSWERS, "requirements": ["humanize"], "more": "tqdm\n"})
    assert started.status_code == 302
    build.refresh_from_db()
    assert (build.state, build.answers["requirements"]) == ("queued", ["humanize", "tqdm"])
    waiting = dora.get(f"/builds/{build.pk}").content.decode()
    assert "It is next in the queue" in waiting
    assert 'http-equiv="refresh"' in waiting
    workshop.look()
    end_workload(build)
    for _ in range(3):
        workshop.look()
    done = dora.get(f"/builds/{build.pk}").content.decode()
    assert "It can be launched." in done
    assert reverse("lab_sessions:launch", args=["nearby-stars"]) in done
    assert "From start to end" in done
    listed = dora.get("/builds").content.decode()
    assert "Nearby stars" in listed
    assert "0.1.0-1" in listed


def test_a_built_page_follows_its_checks_until_they_are_made(dora: Client, developer: Person) -> None:
    build = queued(developer)
    check = {"title": "Contents", "passed": True, "summary": PENDING, "report_file": ""}
    Build.objects.filter(pk=build.pk).update(state="built", checks=[check])
    live = f'data-live="/builds/{build.pk}/events"'
    assert live in dora.get(f"/builds/{build.pk}").content.decode()
    Build.objects.filter(pk=build.pk).update(checks=[{**check, "summary": "3 packages."}])
    assert live not in dora.get(f"/builds/{build.pk}").content.decode()


def test_a_folder_keeps_its_paths(dora: Client) -> None:
    files = [upload("stars.ipynb", notebook("1")), upload("table.csv", "a,b"), upload("datalab-meta.yml", META)]
    paths = json.dumps(["tool/stars.ipynb", "tool/data/table.csv", "tool/datalab-meta.yml"])
    dora.post("/bring", {"upload": files, "paths": paths})
    folder = packages.folder_of(Build.objects.get().package)
    assert (folder / "data" / "table.csv").read_text() == "a,b"
    assert (folder / "stars.ipynb").is_file()


def test_a_folder_without_notebook_gets_its_own_name(dora: Client) -> None:
    files = [upload("app.py", "import streamlit"), upload("requirements.txt", "streamlit")]
    dora.post("/bring", {"upload": files, "paths": json.dumps(["star-map/app.py", "star-map/requirements.txt"])})
    build = Build.objects.get()
    assert build.brought == "star-map, 2 files"
    plan = dora.get(f"/builds/{build.pk}").content.decode()
    assert 'value="star map"' in plan
    assert 'value="star-map"' in plan


def test_loose_files_are_not_called_by_their_hash(dora: Client) -> None:
    dora.post("/bring", {"upload": [upload("app.py", "import streamlit"), upload("requirements.txt", "streamlit")]})
    build = Build.objects.get()
    plan = dora.get(f"/builds/{build.pk}").content.decode()
    assert 'value="My application"' in plan
    assert f'value="{build.package}' not in plan


@pytest.mark.parametrize(
    ("files", "paths", "words"),
    [
        ([], "", "There are no files."),
        ([("a.ipynb", notebook("1"))], '["a", "b"]', "paths don"),
        ([("a.ipynb", notebook("1"))], '["../../a.ipynb"]', "leads out"),
        ([("a.zip", b"PK nonsense")], "", "zip"),
        ([("a.zip", zip_of({"/etc/passwd": "x"}))], "", "absolute"),
        ([("a.txt", "just words")], "", "nothing in the package that could be started"),
        ([("a.ipynb", notebook("1"))], '["stars\u202egnp.ipynb"]', "stars\\u202egnp.ipynb"),
        ([("a.zip", zip_of({"a.ipynb": notebook("1")}))], '["stars\u202egnp.zip"]', "stars\\u202egnp.zip"),
        ([("a.zip", zip_of({"a\u200b.ipynb": notebook("1")}))], "", "a\\u200b.ipynb"),
    ],
    ids=["none", "paths", "out", "no zip", "absolute", "nothing", "turned", "turned zip", "invisible inside"],
)
def test_a_refusal_stands_on_the_page_and_nothing_is_kept(
    dora: Client, files: list[tuple[str, Any]], paths: str, words: str
) -> None:
    sent = dora.post("/bring", {"upload": [upload(*one) for one in files], "paths": paths})
    assert sent.status_code == 422
    page = sent.content.decode()
    assert words in page
    assert 'id="id_upload_error"' in page
    assert not Build.objects.exists()


@pytest.mark.parametrize("url", ["file:///etc", "ext::sh -c id", "http://127.0.0.1/x", "http://169.254.169.254/"])
def test_a_repository_inside_is_refused_at_the_form(dora: Client, url: str) -> None:
    sent = dora.post("/bring", {"git_url": url, "git_ref": ""})
    assert sent.status_code == 422
    assert 'id="id_git_url_error"' in sent.content.decode()
    assert not Build.objects.exists()


def test_more_than_an_upload_may_hold_is_refused(dora: Client, settings: Any) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"build_upload_mb": 1})
    sent = dora.post("/bring", {"upload": upload("big.bin", b"x" * 2**21)})
    assert sent.status_code in {400, 413}
    assert not Build.objects.exists()


def test_what_the_form_lacks_is_marked_and_kept(dora: Client, developer: Person) -> None:
    build = bring(developer)
    sent = dora.post(f"/builds/{build.pk}/start", {**ANSWERS, "title": "", "email": "nonsense"})
    page = sent.content.decode()
    assert sent.status_code == 422
    assert 'id="id_title_error"' in page
    assert 'id="id_email_error"' in page
    taken = dora.post(f"/builds/{build.pk}/start", {**ANSWERS, "short_name": "!"})
    assert 'id="id_short_name_error"' in taken.content.decode()
    assert state_of(build) == "planned"


@pytest.mark.parametrize("role", ["scientist", "moderator", "operator"])
def test_who_does_not_author_can_bring_nothing(client: Client, role: str) -> None:
    client.force_login(make_person("sam", role))
    refused = client.get("/bring")
    assert refused.status_code == 403
    assert "needs the role of a developer" in refused.content.decode()
    assert client.post("/bring", {"upload": upload("a.ipynb", notebook("1"))}).status_code == 403
    assert "Bring your application" not in client.get("/builds").content.decode().split("<main")[0]


def test_a_visitor_is_led_to_the_sign_in(client: Client) -> None:
    for address in ("/bring", "/builds", "/builds/abc"):
        assert "/sign-in" in client.get(address)["Location"]


def test_somebody_elses_build_is_not_there(client: Client, developer: Person) -> None:
    build = queued(developer)
    client.force_login(make_person("emma", "developer"))
    for address in ("", "/log"):
        assert client.get(f"/builds/{build.pk}{address}").status_code == 404
    for address in ("/cancel", "/start", "/again"):
        assert client.post(f"/builds/{build.pk}{address}").status_code == 404
    assert client.get("/builds/all").status_code == 403
    assert client.get(f"/bring?change={build.pk}").status_code == 404
    assert state_of(build) == "queued"


def test_an_operator_looks_and_cancels(client: Client, developer: Person, operator: Person) -> None:
    build = queued(developer)
    planned = bring(developer)
    client.force_login(operator)
    assert "Dora" in client.get("/builds/all").content.decode()
    assert "Cancel" in client.get(f"/builds/{build.pk}").content.decode()
    assert 'action="/builds/' + planned.pk + '/start"' not in client.get(f"/builds/{planned.pk}").content.decode()
    client.post(f"/builds/{build.pk}/cancel")
    assert state_of(build) == "cancelled"


def test_going_back_to_the_plan_keeps_files_and_answers(dora: Client, developer: Person) -> None:
    build = queued(developer, "kept-name")
    assert dora.post(f"/builds/{build.pk}/again").status_code == 409
    dora.post(f"/builds/{build.pk}/cancel")
    page = dora.post(f"/builds/{build.pk}/again", follow=True)
    fresh = Build.objects.get(previous=build)
    assert page.redirect_chain[-1][0] == f"/builds/{fresh.pk}"
    build.refresh_from_db()
    assert (fresh.package, fresh.brought, fresh.state) == (build.package, build.brought, "planned")
    assert 'value="kept-name"' in page.content.decode()


WEB = {
    "serve.py": "import http.server",
    "spacelab.yml": "# ours\nkind: web\ncommand: [python, $SPACELAB_PACKAGE/serve.py]\n",
    "datalab-meta.yml": META,
}


def test_a_web_package_is_told_where_it_opens(dora: Client, developer: Person) -> None:
    build = bring(developer, WEB)
    page = dora.get(f"/builds/{build.pk}").content.decode()
    assert "Opens at" in page
    assert "/datalabs/$IF_main_id" in page
    wrong = dora.post(f"/builds/{build.pk}/start", {**ANSWERS, "path": "no path"})
    assert wrong.status_code == 422
    assert "is no path to open" in wrong.context["form"].errors["path"][0]
    dora.post(f"/builds/{build.pk}/start", {**ANSWERS, "path": "/datalabs/{id}/"})
    build.refresh_from_db()
    assert (build.state, build.plan["interface"]["path"]) == ("queued", "/datalabs/{id}/")
    setup = (packages.folder_of(build.package) / "spacelab.yml").read_text()
    assert setup.startswith("# ours")
    assert "path: /datalabs/{id}/" in setup


def test_where_a_package_opens_is_left_alone_and_not_asked_of_notebooks(dora: Client, developer: Person) -> None:
    web, notebooks = bring(developer, WEB), bring(developer)
    dora.post(f"/builds/{web.pk}/start", {**ANSWERS, "path": "/"})
    web.refresh_from_db()
    assert "interface" not in (packages.folder_of(web.package) / "spacelab.yml").read_text()
    assert "Opens at" not in dora.get(f"/builds/{notebooks.pk}").content.decode()


def test_starting_twice_leads_to_the_one_build(dora: Client, developer: Person) -> None:
    build = bring(developer)
    for _ in range(2):
        assert dora.post(f"/builds/{build.pk}/start", ANSWERS)["Location"] == f"/builds/{build.pk}"
    build.refresh_from_db()
    assert (build.state, build.changes.filter(state="queued").count()) == ("queued", 1)


def test_a_failed_build_says_where_and_what_to_try(
    dora: Client, developer: Person, workshop: Workshop, quiet_runtime: type[QuietRuntime]
) -> None:
    build = bring(developer, {"a.ipynb": notebook("1"), "requirements.txt": "no-such-thing==7\n"})
    dora.post(f"/builds/{build.pk}/start", ANSWERS)
    workshop.look()
    workload = queries.builds().get(pk=build.pk).workload_id or ""
    quiet_runtime.printed[workload] = (
        b"STEP 1/1 +0.0s: Installing\nBecause no-such-thing was not found in the package registry and you require "
        b"no-such-thing==7, we can conclude that your requirements are unsatisfiable.\n<script>alert(1)</script>\n"
    )
    end_workload(build, Phase.FAILED, exit_code=1)
    workshop.look()
    page = dora.get(f"/builds/{build.pk}").content.decode()
    assert "Installing did not work." in page
    assert "requirements.txt, line 1" in page
    assert "What to try:" in page
    assert f"/bring?change={build.pk}" in page
    assert "<script>alert" not in page
    assert "no-such-thing" in dora.get(f"/builds/{build.pk}/log").content.decode()


def test_the_file_at_fault_is_changed_on_the_page(dora: Client, developer: Person) -> None:
    first = bring(developer, {"a.ipynb": notebook("1"), "requirements.txt": "nmpy\n", "datalab-meta.yml": META})
    Build.objects.filter(pk=first.pk).update(failure={"file": "requirements.txt", "line": 1})
    page = dora.get(f"/bring?change={first.pk}").content.decode()
    assert "nmpy" in page
    assert "<details" in page
    sent = dora.post(f"/bring?change={first.pk}", {"name": "requirements.txt", "text": "numpy\r\ntqdm\r\n"})
    assert sent.status_code == 302
    second = Build.objects.get(previous=first)
    assert (packages.folder_of(second.package) / "requirements.txt").read_text() == "numpy\ntqdm\n"
    refused = dora.post(f"/bring?change={first.pk}", {"name": "../../x", "text": "x"})
    assert refused.status_code == 422


def test_a_developer_without_builds_is_told_how_to_begin(dora: Client, developer: Person) -> None:
    page = dora.get("/builds").content.decode()
    assert page.count('class="button primary" href="/bring"') == 1
    assert "first-steps" in page
    bring(developer)
    assert "first-steps" not in dora.get("/builds").content.decode()
