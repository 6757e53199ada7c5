"""The author's client against the web program itself: from a folder to a published version, and Ctrl-C."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person
from spacelab.builds.models import Build
from spacelab.builds.upkeep import Workshop
from spacelab.datalabs import actions as datalabs
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.rules import EvidenceKind
from spacelab.moderation import actions as moderation
from spacelab.site.client import program
from support import builds, sessions
from support.asgi_server import serving
from support.authoring import FOUND
from support.packages import META, notebook
from support.people import make_person
from support.reviews import EVERY_POINT

quiet_runtime = sessions.quiet_runtime
workshop = builds.workshop
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE = 60.0


class Author:
    """Somebody at a terminal, with her access in a file."""

    def __init__(self, url: str, person: Person, folder: Path, patch: pytest.MonkeyPatch) -> None:
        _, self.token = accounts.create_token(
            by=person, name="terminal", lifetime_days=1, scopes=["read", "author", "publish"]
        )
        for name in [
            name for name in os.environ if name.startswith(("SPACELAB_", "DJANGO_")) or "proxy" in name.lower()
        ]:
            if name != "DJANGO_SETTINGS_MODULE":
                patch.delenv(name)
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        patch.setattr(sys, "stdin", io.StringIO(f"{self.token}\n"))
        status, _, error = self.run("sign-in", url)
        assert status == 0, error

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command as a program of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "spacelab", "datalab", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Do what the command does; return its exit status and what it wrote."""
        out, error = io.StringIO(), io.StringIO()
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with redirect_stdout(out), redirect_stderr(error):
                status = program.main(arguments)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return status, out.getvalue(), error.getvalue()

    def json(self, *arguments: str) -> Any:
        """Do what the command does, and return its outcome."""
        status, out, error = self.run(*arguments, "--json")
        assert status == 0, error
        return json.loads(out)


@pytest.fixture
def author(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Author]:
    """Serve the portal, and give somebody who may author there."""
    with serving() as url:
        yield Author(url, make_person("dora", "developer"), tmp_path / "config", monkeypatch)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Write a package."""
    folder = tmp_path / "stars"
    folder.mkdir()
    (folder / "stars.ipynb").write_text(notebook("print(1)"))
    (folder / "datalab-meta.yml").write_text(META)
    return folder


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def build_it(workshop: Workshop) -> None:
    """Do what the controller does for the build that was queued."""
    eventually(lambda: Build.objects.filter(state="queued").exists())
    workshop.look()
    for build in Build.objects.filter(state="building"):
        builds.end_workload(build)
    for _ in range(3):
        workshop.look()


def judge(version: DatalabVersion) -> None:
    """Pass the launch test and the review."""
    mona = make_person("mona", "moderator")
    for step in ("take", "approve"):
        version.refresh_from_db()
        if step == "approve":
            moderation.tick(by=mona, version=version, points=EVERY_POINT)
        moderation.decide(by=mona, version=version, step=step, reason="", revision=version.revision)


def test_from_a_folder_to_what_everybody_launches(author: Author, package: Path, workshop: Workshop) -> None:
    assert "no datalabs yet" in author.run("status")[1]
    assert author.json("push", str(package), "--plan")["kind"] == "jupyter"
    assert not Build.objects.filter(state="planned").exists()
    push = author.begin("push", str(package), "--log")
    build_it(workshop)
    out, error = push.communicate(timeout=PATIENCE)
    assert push.returncode == 0, error
    assert out.startswith("nearby-stars/")
    assert "· built" in error
    version = DatalabVersion.objects.get()
    name = f"nearby-stars/{version.version}"
    status, _, error = author.run("submit", name)
    assert (status, "has not passed its launch test" in error) == (1, True)
    found: dict[str, Any] = {"kind": EvidenceKind.LAUNCH_TEST, "passed": True, "summary": "It starts.", "data": FOUND}
    datalabs.record_evidence(by=datalabs.SYSTEM, version=version, **found)
    changed = author.json("metadata", name, "--set", "citation=Doe 2026", "--set", "distribution.license=MIT")
    assert changed["terms"]["citation"] == "Doe 2026"
    assert "Doe 2026" in author.run("metadata", name)[1]
    assert author.json("submit", "nearby-stars")["state"] == "submitted"
    assert author.run("submit", name)[0] == 1
    judge(version)
    assert author.json("share", name, "--everybody")["visibility"] == "everybody"
    assert author.json("publish", name)["state"] == "published"
    assert [one["state"] for one in author.json("status")] == ["published"]
    assert "Publish → published, Dora" in author.run("history", name)[1]
    assert author.run("delete", name, "--yes")[0] == 1
    assert author.run("archive", name)[0] == 1
    assert author.json("archive", name, "--reason", "Old")["state"] == "archived"


def test_ctrl_c_cancels_the_build_and_bad_use_is_told(
    author: Author, package: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = author.begin("push", str(package))
    eventually(lambda: Build.objects.filter(state="queued").exists())
    push.send_signal(signal.SIGINT)
    _, error = push.communicate(timeout=PATIENCE)
    assert (push.returncode, "The build is cancelled." in error) == (130, True)
    assert Build.objects.get().state == "cancelled"
    assert "Traceback" not in error
    status, _, error = author.run("push", str(package / "nothing"))
    assert (status, "There is no" in error) == (2, True)
    (package / "datalab-meta.yml").unlink()
    status, out, error = author.run("push", str(package))
    assert (status, out, "✗" in error) == (1, "", True)
    assert not Build.objects.filter(state="planned").exists(), "a plan that lacks something is not left behind"
    monkeypatch.setenv("SPACELAB_URL", "http://localhost:9")
    assert author.run("status")[0] == 2
    monkeypatch.setenv("SPACELAB_TOKEN", author.token)
    status, _, error = author.run("submit", "a/1")
    assert (status, "does not answer" in error, author.token in error) == (3, True, False)
