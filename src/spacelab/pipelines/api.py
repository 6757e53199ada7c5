"""The catalogue of pipelines and steps as JSON, readable by anybody; an author finds her drafts as well."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from cwl_graph import Document
from spacelab.kit.parts import Part
from spacelab.kit.refusals import Invalid
from spacelab.pipelines import documents, queries
from spacelab.pipelines.models import Pipeline, PipelineVersion

router = Router(tags=["pipelines"])
"""Stands at `/pipelines` of the API."""


class PipelinesAsked(Part):
    """The query string: words in `q`, a kind, whose, a whole tag, an author, days of the last change, an order."""

    q: str = ""
    kind: Literal["", "pipeline", "step"] = ""
    whose: Literal["", "system", "own", "bookmarked"] = ""
    tag: str = ""
    author: str = ""
    since: date | None = None
    until: date | None = None
    sort: str = "modified"


class PipelineVersionOut(Schema):
    """One version: published, or a draft that you may see."""

    version: str
    state: str
    published_at: datetime | None
    changed_at: datetime
    content_hash: str


class PipelineOut(Schema):
    """One pipeline or step. `system` says that the platform ships it."""

    slug: str
    title: str
    kind: str
    abstract: str
    description: str
    author: str
    tags: list[str]
    system: bool = Field(alias="is_system")
    popularity: int
    """How many people have run it, its author apart."""
    latest_version: str
    updated_at: datetime
    rating: float | None
    ratings: int
    versions: list[PipelineVersionOut]

    @staticmethod
    def resolve_versions(row: Any) -> list[Any]:
        """Show published versions, the newest first, then drafts, then the archive."""
        return queries.versions_of(row)


class PipelinesOut(Schema):
    """A part of the list, and how many fit altogether."""

    count: int
    items: list[PipelineOut]


class PortOut(Schema):
    """One input or output of a document."""

    name: str
    type: str
    label: str
    doc: str
    optional: bool
    format: str


class StepUseOut(Schema):
    """A step of the catalogue that a document uses; `missing` where there is none that you may see."""

    slug: str
    version: str
    missing: bool


class ProblemOut(Schema):
    """Something wrong in a document; lines count from 1, 0 is nowhere in particular."""

    severity: str
    message: str
    advice: str
    file: str
    line: int
    node: str


class DocumentOut(Schema):
    """One version with what its documents say."""

    slug: str
    version: str
    state: str
    main: str
    content_hash: str
    cwl_version: str
    cwl_class: str
    label: str
    doc: str
    inputs: list[PortOut]
    outputs: list[PortOut]
    uses: list[StepUseOut]
    problems: list[ProblemOut]


class PipelineFilesOut(Schema):
    """The files of a version by their paths, byte for byte; with `steps`, those of the steps it uses as well."""

    main: str
    content_hash: str
    files: dict[str, str]


@router.get("", response=PipelinesOut, operation_id="list_pipelines", summary="Search pipelines and steps")
def list_pipelines(request: HttpRequest, asked: Query[PipelinesAsked]) -> dict[str, Any]:
    """List the pipelines and steps that fit the query: those for everybody, those shared with you, and yours."""
    for name in ("q", "tag", "author"):
        if "\0" in getattr(asked, name):
            raise Invalid("It holds a character that no text has.", field=name)
    given = asked.dict(exclude={"q", "offset", "limit"})
    found = queries.listing(request.user, queries.Filters(words=asked.q, **given))
    return {"count": found.count(), "items": list(found[asked.offset : asked.offset + asked.limit])}


@router.get("/{slug}", response=PipelineOut, operation_id="get_pipeline", summary="One pipeline or step")
def get_pipeline(request: HttpRequest, slug: str) -> Pipeline:
    """Show one pipeline or step with the versions that you may see."""
    return queries.pipeline(_clean(slug), request.user)


@router.get("/{slug}/{version}", response=DocumentOut, operation_id="get_pipeline_version", summary="One version")
def get_version(request: HttpRequest, slug: str, version: str) -> dict[str, Any]:
    """Show what the documents of a version say, and what is wrong with them."""
    found = queries.find_seen(request.user, _clean(slug), _clean(version))
    return described(found, request)


@router.get(
    "/{slug}/{version}/files",
    response=PipelineFilesOut,
    operation_id="get_pipeline_files",
    summary="The files of a version",
)
def get_files(request: HttpRequest, slug: str, version: str, steps: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002  a query string's form
    """Send the texts of a version."""
    found = queries.find_seen(request.user, _clean(slug), _clean(version))
    files = queries.bundle(found, request.user).files if steps else found.files
    return {"main": found.main, "content_hash": found.content_hash, "files": files}


def _clean(text: str) -> str:
    return text.replace("\0", "")


def described(found: PipelineVersion, request: HttpRequest) -> dict[str, Any]:
    """Return a version with what its documents say."""
    whole = queries.bundle(found, request.user)
    document = documents.read(whole)
    return {
        "slug": found.pipeline.slug,
        "version": found.version,
        "state": found.state,
        "main": found.main,
        "content_hash": found.content_hash,
        "cwl_version": document.cwl_version,
        "cwl_class": document.cwl_class,
        "label": document.label,
        "doc": document.doc,
        "inputs": _ports(document.inputs),
        "outputs": _ports(document.outputs),
        "uses": [
            *({"slug": one.slug, "version": one.version, "missing": False} for one in whole.steps),
            *({"slug": one.slug, "version": one.version, "missing": True} for one in whole.missing),
        ],
        "problems": _problems(document),
    }


def _ports(fields: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "type": one.type.text,
            "label": one.label,
            "doc": one.doc,
            "optional": one.optional,
            "format": one.format,
        }
        for one in fields
    ]


def _problems(document: Document) -> list[dict[str, Any]]:
    names = ("severity", "message", "advice", "file", "line", "node")
    return [{name: getattr(one, name) for name in names} for one in document.problems]
