"""Writing pipelines and steps by the API: begin, save, describe, share, submit, publish, delete."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import File, Form, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.kit.parts import Part
from spacelab.kit.refusals import Invalid
from spacelab.kit.uploads import brought
from spacelab.pipelines import actions, intake, queries
from spacelab.pipelines.models import PipelineVersion
from spacelab.publishing import queries as publishing
from spacelab.publishing.author_schemas import (
    AuthorStepIn,
    AuthorStepOut,
    TermsIn,
    TermsOut,
    ToldOut,
    VisibilityIn,
    readers_of,
    steps_out,
)
from spacelab.publishing.rules import DELETABLE, State, terms
from spacelab.publishing.rules.authoring import STEPS_OF_THE_HEAD

router = Router(tags=["pipeline authoring"])
"""Stands at `/my-pipelines` of the API: what the scope `author` allows."""
publishing_router = Router(tags=["pipeline authoring"])
"""Stands there as well: what the scope `publish` allows."""


class MyPipelineOut(Schema):
    """A version of yours; send `revision` with the step that you make, `content_hash` with what you save."""

    slug: str
    version: str
    title: str
    kind: str
    state: str
    revision: int
    visibility: str
    next: str
    content_hash: str
    main: str
    errors: int
    warnings: int
    told: list[str]
    """The first problems, with file and line."""


class MyPipelinesOut(Schema):
    """A part of the list, and how many there are altogether."""

    count: int
    items: list[MyPipelineOut]


class PipelineSourceOut(Schema):
    """The repository that a version's files were taken from; `unchanged` while they are still that commit's."""

    url: str
    ref: str
    commit: str
    path: str
    unchanged: bool


class MyPipelineDetail(MyPipelineOut):
    """A version with the steps that are open to you."""

    author: str
    reviewer: str
    people: list[str]
    teams: list[str]
    missing_terms: list[str]
    has_passed_test_run: bool
    can_write: bool
    can_delete: bool
    steps: list[AuthorStepOut]
    source: PipelineSourceOut | None
    left_out: list[str] = []
    """What was uploaded just now and left out, as it is data that no document needs."""


class BeginIn(Schema):
    """A new pipeline or step, or a new version of one: its name and its texts by their paths."""

    slug: str = Field(max_length=200)
    version: str = Field(default="0.1.0", max_length=200)
    title: str = Field(default="", max_length=120)
    main: str = Field(default="", max_length=300)
    files: dict[str, str]


class PipelineGitIn(Schema):
    """A pipeline in a public Git repository: a folder with all its texts, or a document with what it names."""

    slug: str = Field(max_length=200)
    version: str = Field(default="0.1.0", max_length=200)
    title: str = Field(default="", max_length=120)
    git_url: str = Field(max_length=1000)
    git_ref: str = Field(default="", max_length=300)
    git_path: str = Field(default="", max_length=300)


class PipelineImportOut(Schema):
    """A repository on its way to a draft: `state` is waiting, fetching, done or failed."""

    id: str
    slug: str
    version: str
    state: str
    reason: str
    """Why it failed and what to try, or what was left out."""
    git_url: str
    git_ref: str
    git_path: str
    git_commit: str


class PipelineFilesIn(Schema):
    """All texts of a version; with `was`, the content hash that you began from, nobody's change is overwritten."""

    files: dict[str, str]
    main: str = Field(default="", max_length=300)
    was: str = Field(default="", max_length=100)


def _out(row: PipelineVersion) -> dict[str, Any]:
    same = ("version", "state", "revision", "visibility", "content_hash", "main")
    return {
        **{name: getattr(row, name) for name in same},
        "slug": row.pipeline.slug,
        "title": row.pipeline.title,
        "kind": row.pipeline.kind,
        "next": row.family.next[State(row.state)],
        "errors": row.reading.get("errors", 0),
        "warnings": row.reading.get("warnings", 0),
        "told": row.reading.get("told", []),
    }


def _detail(person: Person, found: PipelineVersion) -> dict[str, Any]:
    shown = queries.authoring_context(person, found, "files")
    maintainer, reviewer = found.pipeline.maintainer, found.reviewer
    return {
        **_out(found),
        "author": maintainer.username if maintainer else "",
        "reviewer": reviewer.username if reviewer else "",
        "people": list(found.people.order_by("username").values_list("username", flat=True)),
        "teams": list(found.teams.order_by("slug").values_list("slug", flat=True)),
        "missing_terms": publishing.missing_terms(found),
        "has_passed_test_run": queries.has_passed(found),
        "can_write": shown["can_write"],
        "can_delete": shown["is_author"] and State(found.state) in DELETABLE,
        "steps": steps_out(shown["steps"]),
        "source": {**found.source, "unchanged": found.is_as_fetched} if found.source else None,
    }


def _terms(request: HttpRequest, person: Person, found: PipelineVersion) -> dict[str, Any]:
    address = request.build_absolute_uri(reverse("pipelines:detail", args=[found.pipeline.slug]))
    return {
        "terms": terms.visible(queries.terms_of(found, address), insider=True),
        "missing": publishing.missing_terms(found),
        "writer": publishing.writer_of(person, found) or "",
    }


def _mine(request: HttpRequest, slug: str, version: str) -> tuple[Person, PipelineVersion]:
    person = signed_in(request.user)
    return person, queries.find_authored(person, slug.replace("\0", ""), version.replace("\0", ""))


@router.get("", response=MyPipelinesOut, operation_id="list_my_pipelines", summary="The versions of your pipelines")
def list_mine(request: HttpRequest, asked: Query[Part]) -> dict[str, Any]:
    """List every version of the pipelines and steps that you maintain, the newest first."""
    found = publishing.authored_by(PipelineVersion, signed_in(request.user)).defer("files")
    return {"count": found.count(), "items": [_out(one) for one in found[asked.offset : asked.offset + asked.limit]]}


@router.post("", response={201: MyPipelineDetail}, operation_id="begin_pipeline", summary="Begin a pipeline or step")
def begin(request: HttpRequest, wanted: BeginIn) -> Status[dict[str, Any]]:
    """Begin a pipeline or step, or a new version of one of yours; its document is checked at once."""
    person = signed_in(request.user)
    metadata = intake.metadata_of(wanted.files).values
    made = actions.create(by=person, metadata=metadata, **wanted.dict())
    return Status(201, _detail(person, made))


@router.post(
    "/upload", response={201: MyPipelineDetail}, operation_id="upload_pipeline", summary="Begin one from files or a zip"
)
def upload(
    request: HttpRequest,
    slug: Form[str],
    files: File[list[UploadedFile]],
    version: Form[str] = "0.1.0",
    title: Form[str] = "",
) -> Status[dict[str, Any]]:
    """Begin one from documents, a `$graph`, a zip or a Workflow RO-Crate."""
    person = signed_in(request.user)
    taken = intake.take_in(brought(files, ""))
    metadata, main = intake.metadata_of(taken.files).values, intake.main_in(taken.files)
    made = actions.create(
        by=person, slug=slug, version=version, title=title, files=taken.files, main=main, metadata=metadata
    )
    return Status(201, {**_detail(person, made), "left_out": list(taken.left)})


@router.post(
    "/imports", response={202: PipelineImportOut}, operation_id="import_pipeline", summary="Import one from Git"
)
def bring_git(request: HttpRequest, wanted: PipelineGitIn) -> Status[Any]:
    """Have a public repository fetched, and begin a draft with what it holds at a path; follow it by its id."""
    given = wanted.dict()
    asked = {name: given.pop(f"git_{name}") for name in ("url", "ref", "path")}
    return Status(202, actions.bring_git(by=signed_in(request.user), **given, **asked))


@router.get(
    "/imports/{import_id}",
    response=PipelineImportOut,
    operation_id="get_pipeline_import",
    summary="How far an import is",
)
def get_import(request: HttpRequest, import_id: str) -> Any:
    """Show how far an import of your own has come; once it is done its version is yours."""
    return queries.find_import(request.user, import_id.replace("\0", ""))


@router.delete(
    "/imports/{import_id}", response={204: None}, operation_id="cancel_pipeline_import", summary="Cancel an import"
)
def cancel_import(request: HttpRequest, import_id: str) -> Status[None]:
    """End an import of your own before it has ended."""
    person = signed_in(request.user)
    actions.cancel_import(by=person, wanted=queries.find_import(person, import_id.replace("\0", "")))
    return Status(204, None)


@router.get("/{slug}/{version}", response=MyPipelineDetail, operation_id="get_my_pipeline", summary="One of yours")
def get_mine(request: HttpRequest, slug: str, version: str) -> dict[str, Any]:
    """Show where a version stands and which steps are open; for its author, moderators and operators."""
    return _detail(*_mine(request, slug, version))


@router.put("/{slug}/{version}/files", response=MyPipelineDetail, operation_id="save_pipeline", summary="Save files")
def save(request: HttpRequest, slug: str, version: str, wanted: PipelineFilesIn) -> dict[str, Any]:
    """Replace all files, and check them: the version is valid afterwards, or `errors` says that it is not."""
    person, found = _mine(request, slug, version)
    saved = actions.save(by=person, version=found, files=wanted.files, main=wanted.main, was=wanted.was)
    return _detail(person, saved)


@router.delete(
    "/{slug}/{version}", response={204: None}, operation_id="delete_pipeline_draft", summary="Delete a draft"
)
def delete_draft(request: HttpRequest, slug: str, version: str) -> Status[None]:
    """Delete a version that was never published; what was published is archived instead."""
    person, found = _mine(request, slug, version)
    actions.delete_draft(by=person, version=found)
    return Status(204, None)


@router.get("/{slug}/{version}/history", response=list[ToldOut], operation_id="get_pipeline_history", summary="History")
def get_history(request: HttpRequest, slug: str, version: str) -> list[publishing.Told]:
    """Tell who moved a version, when and why, and what its test runs showed, the newest first."""
    return publishing.history_of(_mine(request, slug, version)[1])


@router.get("/{slug}/{version}/metadata", response=TermsOut, operation_id="get_pipeline_terms", summary="Its metadata")
def get_metadata(request: HttpRequest, slug: str, version: str) -> dict[str, Any]:
    """Show all terms, private ones included."""
    return _terms(request, *_mine(request, slug, version))


@router.patch(
    "/{slug}/{version}/metadata", response=TermsOut, operation_id="edit_pipeline_terms", summary="Change some terms"
)
def edit_metadata(request: HttpRequest, slug: str, version: str, wanted: TermsIn) -> dict[str, Any]:
    """Write these terms; an empty value takes its term away, all others stay."""
    person, found = _mine(request, slug, version)
    return _terms(request, person, actions.edit_metadata(by=person, version=found, values=wanted.terms))


@publishing_router.post(
    "/{slug}/{version}/steps", response=MyPipelineDetail, operation_id="make_pipeline_step", summary="Submit, publish …"
)
def make_step(request: HttpRequest, slug: str, version: str, wanted: AuthorStepIn) -> dict[str, Any]:
    """Make a step of a version's life; refused if somebody has moved it since the revision that you looked at."""
    person, found = _mine(request, slug, version)
    if wanted.step not in STEPS_OF_THE_HEAD:
        offered = ", ".join(sorted(STEPS_OF_THE_HEAD))
        raise Invalid(f"“{wanted.step}” is no step that is made here.", advice=f"Use one of: {offered}.", field="step")
    moved = actions.advance(
        by=person, version=found, transition=wanted.step, reason=wanted.reason, revision=wanted.revision
    )
    return _detail(person, moved)


@publishing_router.put(
    "/{slug}/{version}/visibility", response=MyPipelineDetail, operation_id="share_pipeline", summary="For whom it is"
)
def put_visibility(request: HttpRequest, slug: str, version: str, wanted: VisibilityIn) -> dict[str, Any]:
    """Say for whom a version is; named people and teams may try it before it is published."""
    person, found = _mine(request, slug, version)
    return _detail(person, actions.share(by=person, version=found, **readers_of(person, found, wanted)))
