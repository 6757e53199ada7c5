"""Builds with the real process runtime: a notebook becomes an environment, a repository is fetched or refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.client import Client, Kernel
from support.packages import META, git, make_repository, notebook, served
from support.pipelines import TOOL, WORKFLOW
from support.platform import Platform, running_platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow]

PATIENCE = 240.0


@pytest.fixture(scope="module")
def place() -> Iterator[Platform]:
    """Run a platform that lets builds reach loopback, where the tests' repositories are."""
    with running_platform(SPACELAB_EGRESS_ALLOWED="127.0.0.1") as running:
        yield running


@pytest.fixture(scope="module")
def client(place: Platform) -> Client:
    return Client(place, "demo-developer")


def bring(client: Client, **contents: str) -> dict[str, Any]:
    names = {"notebook": "stars.ipynb", "meta": "datalab-meta.yml", "requirements": "requirements.txt"}
    files = [("files", (names.get(key, key), content.encode())) for key, content in contents.items()]
    found: dict[str, Any] = client.api("POST", "/builds", files=files).raise_for_status().json()
    return found


def follow(client: Client, build: str, *states: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.api("GET", f"/builds/{build}").raise_for_status().json()
        if found["state"] in states:
            return found
        assert found["state"] not in {"failed", "built", "cancelled"}, (found, log(client, build))
        time.sleep(0.2)
    raise AssertionError(found)


def log(client: Client, build: str) -> str:
    return client.api("GET", f"/builds/{build}/log").text


def start(client: Client, build: str, **answers: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.api("POST", f"/builds/{build}/start", json=answers).raise_for_status().json()
    return found


def test_a_notebook_becomes_an_environment_that_its_session_imports_from(client: Client, place: Platform) -> None:
    build = bring(client, notebook=notebook("import humanize"), meta=META)["id"]
    start(client, build)
    done = follow(client, build, "built")
    titles = [one["title"] for one in done["steps"]]
    assert titles == [
        "Taking over the base environment" if (place.state.stat().st_uid == 0) else "Copying the base environment",
        "Fetching and installing packages",
        "Compiling",
        "Writing down what is installed",
    ]
    assert all(one["took"] is not None for one in done["steps"])
    assert "humanize==" in log(client, build)
    session = client.launch("nearby-stars", volumes=[])
    url = client.api("GET", f"/sessions/{session}").json()["url"]
    assert url.endswith(f"/datalabs/{session}/lab/tree/media/user/nearby-stars/stars.ipynb")
    said = Kernel(client, session).run(
        "import humanize, pathlib\nprint(humanize.intword(1_000_000), pathlib.Path('stars.ipynb').exists())\n"
        "print(sorted(one.name for one in pathlib.Path('/media/user/nearby-stars').iterdir()))"
    )
    assert "1.0 million" in said
    assert "stars.ipynb" in said
    client.stop(session)
    refused = Client(place, "demo-scientist").api("POST", "/sessions", json={"datalab": "nearby-stars"})
    assert refused.status_code == 404, "a draft is there for its maintainer alone"

    again = bring(client, notebook=notebook("import humanize\nhumanize"), meta=META)["id"]
    start(client, again)
    reused = follow(client, again, "built")
    assert reused["environment"] == done["environment"], "what has not changed is not built again"
    assert reused["number"] == 2
    assert list((place.state / "builds" / "work").iterdir()) == []


def test_a_build_sees_no_secret_and_nobody_elses_files(client: Client) -> None:
    setup = 'from setuptools import setup\nexec(open("look.py").read())\nsetup(name="look", version="1")\n'
    look = (
        "import os, pathlib, sys\n"
        "seen = {'token': 'SPACELAB_TOKEN' in os.environ, 'state': [str(one) for one in pathlib.Path('/').iterdir()]}\n"
        "raise SystemExit(f'LOOKED {seen}')\n"
    )
    build = bring(client, notebook=notebook("1"), meta=META, **{"setup.py": setup, "look.py": look})["id"]
    start(client, build, short_name="looks-around")
    failed = follow(client, build, "failed")
    said = log(client, build)
    assert "LOOKED {'token': False" in said, (failed, said)
    assert "/work" not in said.split("LOOKED", 1)[1].splitlines()[0]


def test_a_missing_package_is_named_with_its_line(client: Client) -> None:
    build = bring(client, notebook=notebook("1"), meta=META, requirements="tqdm\nno-such-package-of-ours==7\n")["id"]
    start(client, build, short_name="misses-one")
    failed = follow(client, build, "failed")["failure"]
    assert "no-such-package-of-ours" in failed["message"]
    assert (failed["file"], failed["line"]) == ("requirements.txt", 2)
    assert failed["advice"]


def test_a_version_that_the_base_does_not_have_is_taken_all_the_same(client: Client) -> None:
    build = bring(client, notebook=notebook("1"), meta=META, requirements="humanize==4.10.0\nidna==3.7\n")["id"]
    start(client, build, short_name="older-idna")
    follow(client, build, "built")
    assert "idna==3.7" in log(client, build)


def test_debian_packages_are_refused_with_a_way_out(client: Client) -> None:
    build = bring(client, notebook=notebook("1"), meta=META, **{"packages.txt": "saods9\n"})["id"]
    refused = client.api("POST", f"/builds/{build}/start", json={"short_name": "wants-debian"})
    assert refused.status_code == 409
    assert "Python environments only" in refused.json()["detail"]
    assert client.api("DELETE", f"/builds/{build}").status_code == 202


def test_cancelling_ends_what_is_at_work(client: Client, place: Platform) -> None:
    slow = 'import time\nprint("sleeping", flush=True)\ntime.sleep(600)\n'
    build = bring(client, notebook=notebook("1"), meta=META, **{"setup.py": slow})["id"]
    start(client, build, short_name="never-ends")
    follow(client, build, "building")
    time.sleep(2)
    client.api("DELETE", f"/builds/{build}").raise_for_status()
    assert follow(client, build, "cancelled")["reason"] == "You cancelled it."
    deadline = time.monotonic() + 60
    while (place.state / "builds" / "work" / build).exists():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_repository_at_a_branch_a_tag_and_a_commit(client: Client, tmp_path: Path) -> None:
    contents = {"stars.ipynb": notebook("1 + 1"), "datalab-meta.yml": META}
    commit = make_repository(tmp_path / "served" / "tool", contents)
    with served(tmp_path / "served") as address:
        for ref in ("", "main", commit, commit[:10]):
            wanted = {"git_url": f"{address}/tool/.git", "git_ref": ref}
            build = client.api("POST", "/builds/git", json=wanted).raise_for_status().json()["id"]
            planned = follow(client, build, "planned")
            assert planned["git_commit"] == commit, log(client, build)
            assert planned["datalab"] == "nearby-stars"
            client.api("DELETE", f"/builds/{build}").raise_for_status()
        wanted = {"git_url": f"{address}/tool/.git", "git_ref": "no-such-branch"}
        build = client.api("POST", "/builds/git", json=wanted).raise_for_status().json()["id"]
        assert "no such branch" in follow(client, build, "failed")["failure"]["message"]
        wanted = {"git_url": f"{address}/nothing-here.git", "git_ref": ""}
        build = client.api("POST", "/builds/git", json=wanted).raise_for_status().json()["id"]
        assert "no public repository" in follow(client, build, "failed")["failure"]["message"]


def test_a_repository_with_links_that_lead_out_is_refused(client: Client, tmp_path: Path) -> None:
    repository = tmp_path / "served" / "tool"
    make_repository(repository, {"stars.ipynb": notebook("1"), "datalab-meta.yml": META})
    (repository / "passwd").symlink_to("/etc/passwd")
    git("add", "--all", at=repository)
    git("commit", "--quiet", "--message=Second", at=repository)
    git("update-server-info", at=repository)
    with served(tmp_path / "served") as address:
        build = client.api("POST", "/builds/git", json={"git_url": f"{address}/tool/.git"}).raise_for_status().json()
        failed = follow(client, build["id"], "failed")["failure"]
    assert "passwd" in failed["message"]
    assert "link" in failed["message"]


def follow_import(client: Client, wanted: dict[str, str]) -> dict[str, Any]:
    asked = client.api("POST", "/my-pipelines/imports", json=wanted).raise_for_status().json()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.api("GET", f"/my-pipelines/imports/{asked['id']}").raise_for_status().json()
        if found["state"] in {"done", "failed"}:
            return found
        time.sleep(0.2)
    raise AssertionError(found)


def test_a_pipeline_of_a_repository_at_a_commit_that_is_not_its_newest(
    client: Client, place: Platform, tmp_path: Path
) -> None:
    repository = tmp_path / "served" / "flows"
    first = make_repository(repository, {"greet/main.cwl": WORKFLOW, "greet/say.cwl": TOOL, "README.md": "x"})
    (repository / "greet" / "main.cwl").write_text(f"{WORKFLOW}# newer\n")
    (repository / "away").symlink_to("/etc")
    git("add", "--all", at=repository)
    git("commit", "--quiet", "--message=Second", at=repository)
    git("update-server-info", at=repository)
    with served(tmp_path / "served") as address:
        wanted = {"slug": "from-git", "git_url": f"{address}/flows/.git", "git_path": "greet/main.cwl"}
        found = follow_import(client, {**wanted, "git_ref": first})
        assert (found["state"], found["git_commit"]) == ("done", first), found
        linked = follow_import(client, {**wanted, "version": "0.2.0"})
        assert "link" in linked["reason"]
        missing = follow_import(client, {**wanted, "version": "0.2.0", "git_ref": "no-such-branch"})
        assert "no such branch" in missing["reason"]
    made = client.api("GET", "/my-pipelines/from-git/0.1.0").raise_for_status().json()
    assert (made["state"], made["source"]["commit"], made["source"]["unchanged"]) == ("built", first, True)
    deadline = time.monotonic() + 60
    while list((place.state / "imports").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
