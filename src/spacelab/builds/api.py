"""Builds as JSON: bring a package or a repository, start it, follow it, cancel it, read its log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile

from spacelab.accounts.queries import signed_in
from spacelab.builds import actions, progress, queries
from spacelab.builds.forms import brought
from spacelab.builds.models import Build
from spacelab.builds.rules import State
from spacelab.datalabs.queries import require_author
from spacelab.kit.parts import sends
from spacelab.kit.refusals import Invalid

router = Router(tags=["builds"])
"""Stands at `/builds` of the API."""

MOST = 200
"""Builds of one answer at most."""
LOG_BYTES = 1024 * 1024
"""How much of a log one answer holds; ask again with `since` for more."""


class Answers(Schema):
    """Metadata that the package lacks, and the packages to install besides what it names itself.

    Left out: what the package says. `requirements` null: every import that was found is provided for. `path` is where
    the application opens, with `{id}` for the session's id.
    """

    title: str = ""
    short_name: str = ""
    version: str = ""
    abstract: str = ""
    creator: str = ""
    email: str = ""
    path: str = ""
    requirements: list[str] | None = None

    def given(self) -> dict[str, Any]:
        """Return what was answered."""
        told = self.dict()
        for field, value in told.items():
            if any("\0" in text for text in (value if isinstance(value, list) else [value or ""])):
                raise Invalid("There is a zero byte in an answer.", advice="Leave it out.", field=field)
        return {key: value for key, value in told.items() if value is not None and value != ""}


class GitIn(Schema):
    """A public repository, at a branch, tag or commit. `answers` may be given now or at the start."""

    git_url: str
    git_ref: str = ""
    previous: str = ""
    answers: Answers = Answers()


class UploadIn(Schema):
    """What comes beside the files: their paths in the package, as a JSON list in their order, if any lie in folders.

    `previous` names a build whose files these replace or complete.
    """

    paths: str = ""
    previous: str = ""


class ChangeOut(Schema):
    """One change of a build's state, with its reason in plain words."""

    state: str
    reason: str
    at: datetime


class StepOut(Schema):
    """One step of a build with what it took so far, in seconds, where that is known."""

    title: str
    state: str
    took: float | None = None


class FailureOut(Schema):
    """Why a build failed: the step, the file and its line where they are known, and what to try."""

    message: str = ""
    advice: str = ""
    step: str = ""
    file: str = ""
    line: int = 0


class BuildOut(Schema):
    """One build. `place` is its place in the queue, 0 if it does not wait; once built, `datalab` can be launched."""

    id: str
    state: str
    reason: str
    source: str
    brought: str
    git_url: str
    git_ref: str
    git_commit: str
    package: str
    datalab: str
    title: str
    version: str
    number: int | None
    place: int
    environment: str
    image: str
    created_at: datetime
    queued_at: datetime | None
    ended_at: datetime | None


class BuildDetail(BuildOut):
    """One build with its plan, its changes, its steps, its checks, and why it failed."""

    plan: dict[str, Any]
    changes: list[ChangeOut]
    steps: list[StepOut]
    checks: list[dict[str, Any]]
    failure: FailureOut


def _out(build: Build) -> dict[str, Any]:
    same = ("state", "reason", "source", "brought", "git_url", "git_ref", "git_commit", "package", "title", "version")
    times = ("number", "created_at", "queued_at", "ended_at")
    return {
        "id": build.pk,
        **{name: getattr(build, name) for name in (*same, *times)},
        "datalab": build.slug,
        "place": progress.place_in_queue(build)[0],
        "environment": build.result.get("environment", "") if build.state == State.BUILT else "",
        "image": build.result.get("image", "") if build.state == State.BUILT else "",
    }


def _detail(build: Build) -> dict[str, Any]:
    changes = [{"state": one.state, "reason": one.reason, "at": one.at} for one in queries.changes(build)]
    return {
        **_out(build),
        "plan": build.plan,
        "changes": changes,
        "steps": build.steps,
        "checks": build.checks,
        "failure": build.failure,
    }


def _made(build: Build, response: HttpResponse) -> Status[dict[str, Any]]:
    response["Location"] = reverse("api:get_build", args=[build.pk])
    return Status(201, _detail(build))


@router.post("", response={201: BuildDetail}, operation_id="bring_files", summary="Bring files, or a zip")
def bring_files(
    request: HttpRequest, response: HttpResponse, files: File[list[UploadedFile]], wanted: Form[UploadIn]
) -> Status[dict[str, Any]]:
    """Upload a package: a notebook, files, or one zip. The answer says what was detected and planned; then start it."""
    person = signed_in(request.user)
    taken = brought(files, wanted.paths)
    return _made(actions.bring_files(by=person, files=taken, previous=wanted.previous), response)


@router.post("/git", response={201: BuildDetail}, operation_id="bring_git", summary="Bring a Git repository")
def bring_git(request: HttpRequest, response: HttpResponse, wanted: GitIn) -> Status[dict[str, Any]]:
    """Name a public repository. Once its state is `planned`, look at the plan and start it."""
    person = signed_in(request.user)
    build = actions.bring_git(
        by=person, url=wanted.git_url, ref=wanted.git_ref, previous=wanted.previous, answers=wanted.answers.given()
    )
    return _made(build, response)


class DeriveIn(Schema):
    """The version of a datalab that yours is to be derived from, and what yours is called; no version: the newest."""

    datalab: str
    version: str = ""
    title: str
    short_name: str


@router.post("/derive", response={201: BuildDetail}, operation_id="derive", summary="Derive a datalab from another one")
def derive(request: HttpRequest, response: HttpResponse, wanted: DeriveIn) -> Status[dict[str, Any]]:
    """Plan a draft that builds on a version that you may launch; change its files or start it."""
    person = signed_in(request.user)
    require_author(person)
    version = queries.find_launchable(person, wanted.datalab, wanted.version)
    build = actions.derive(by=person, version=version, title=wanted.title, short_name=wanted.short_name)
    return _made(build, response)


class AgainIn(Schema):
    """A version of a datalab that is not on this machine any more."""

    datalab: str
    version: str


@router.post("/again", response={202: BuildDetail}, operation_id="build_again", summary="Build a version again")
def build_again(request: HttpRequest, wanted: AgainIn) -> Status[dict[str, Any]]:
    """Have a version built again as it was, e.g. after the restore of a backup; its sessions start from the outcome."""
    person = signed_in(request.user)
    version = queries.find_version(person, wanted.datalab, wanted.version)
    return Status(202, _detail(actions.build_again(by=person, version=version)))


@router.get("", response=list[BuildOut], operation_id="list_builds", summary="Your builds")
def list_builds(request: HttpRequest, datalab: str = "", state: str = "") -> list[dict[str, Any]]:
    """List your builds, newest first, of one datalab or in one state where given."""
    if state and state not in list(State):
        raise Invalid(f"There is no state “{state[:20]}”.", advice=f"Use one of: {', '.join(State)}.", field="state")
    found = queries.of_person(signed_in(request.user))
    found = found.filter(slug=datalab) if datalab else found
    found = found.filter(state=state) if state else found
    return [_out(one) for one in found[:MOST]]


@router.get("/{build_id}", response=BuildDetail, operation_id="get_build", summary="One build")
def get_build(request: HttpRequest, build_id: str) -> dict[str, Any]:
    """Show one build with its plan, its steps, and why it failed."""
    return _detail(queries.find_seen(signed_in(request.user), build_id))


@router.post("/{build_id}/start", response={202: BuildDetail}, operation_id="start_build", summary="Start a build")
def start_build(request: HttpRequest, build_id: str, answers: Answers) -> Status[dict[str, Any]]:
    """Start a planned build, with the metadata that its package lacks."""
    build = actions.start(by=signed_in(request.user), build_id=build_id, answers=answers.given())
    return Status(202, _detail(build))


@router.delete("/{build_id}", response={202: BuildOut}, operation_id="cancel_build", summary="Cancel a build")
def cancel_build(request: HttpRequest, build_id: str) -> Status[dict[str, Any]]:
    """End a build. Again, or after its end, nothing changes."""
    return Status(202, _out(actions.cancel(by=signed_in(request.user), build_id=build_id)))


@router.get("/{build_id}/log", operation_id="get_build_log", summary="A build's log", openapi_extra=sends("text/plain"))
def get_build_log(request: HttpRequest, build_id: str, since: int = 0) -> HttpResponse:
    """Send what was printed for a build, as text, from byte `since` on; `X-Next-Since` says where to go on."""
    build = queries.find_seen(signed_in(request.user), build_id)
    since = max(since, 0)
    printed = queries.log_of(build.pk)[since : since + LOG_BYTES]
    answer = HttpResponse(printed, content_type="text/plain; charset=utf-8")
    answer["X-Next-Since"] = str(since + len(printed))
    answer["Cache-Control"] = "no-store"
    return answer
