"""Authoring as JSON: the versions that somebody writes, their metadata and history, and the steps of their lives."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import File, Query, Router, Schema, Status
from ninja.files import UploadedFile

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.datalabs import actions, queries, rules
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.parts import Part, sends
from spacelab.kit.refusals import Invalid
from spacelab.publishing.author_schemas import (
    AuthorStepIn,
    AuthorStepOut,
    TermsIn,
    TermsOut,
    TermsTaken,
    ToldOut,
    VisibilityIn,
    readers_of,
    steps_out,
)
from spacelab.publishing.queries import concepts_of
from spacelab.publishing.rules import DELETABLE, exports, terms
from spacelab.publishing.rules.authoring import STEPS_OF_THE_HEAD

router = Router(tags=["authoring"])
"""Stands at `/author` of the API: what only concerns its author."""
publishing_router = Router(tags=["authoring"])
"""Stands there as well: what others notice, which needs a scope of its own."""

MOST_BYTES = terms.MOST_BYTES


class AuthoredOut(Schema):
    """A version of yours; send `revision` with the step that you make. `next` says what to do now."""

    datalab: str
    version: str
    title: str
    state: str
    revision: int
    visibility: str
    next: str
    content_hash: str
    submitted_at: datetime | None
    published_at: datetime | None
    archived_at: datetime | None


class AuthoredListOut(Schema):
    """A part of the list, and how many there are altogether."""

    count: int
    items: list[AuthoredOut]


class AuthoredDetail(AuthoredOut):
    """A version with the steps that are open to you. `url` is its datalab's permanent address."""

    author: str
    reviewer: str
    people: list[str]
    teams: list[str]
    image_digest: str
    missing_terms: list[str]
    has_passed_launch_test: bool
    can_write: bool
    can_delete: bool
    steps: list[AuthorStepOut]
    url: str


def _out(row: DatalabVersion) -> dict[str, Any]:
    same = ("version", "state", "revision", "visibility", "content_hash", "submitted_at", "published_at", "archived_at")
    return {
        **{name: getattr(row, name) for name in same},
        "datalab": row.datalab.slug,
        "title": row.datalab.title,
        "next": rules.NEXT[queries.state_of(row)],
    }


def _detail(request: HttpRequest, person: Person, found: DatalabVersion) -> dict[str, Any]:
    writes = found.datalab.maintainer_id == person.pk and queries.may_author(person)
    maintainer, reviewer = found.datalab.maintainer, found.reviewer
    return {
        **_out(found),
        "author": maintainer.username if maintainer else "",
        "reviewer": reviewer.username if reviewer else "",
        "people": list(found.people.order_by("username").values_list("username", flat=True)),
        "teams": list(found.teams.order_by("slug").values_list("slug", flat=True)),
        "image_digest": found.image_digest,
        "missing_terms": queries.missing_terms(found),
        "has_passed_launch_test": queries.has_passed(found),
        "can_write": writes and found.is_editable,
        "can_delete": writes and queries.state_of(found) in DELETABLE,
        "steps": steps_out(queries.steps_of(person, found)),
        "url": _address(request, found),
    }


def _address(request: HttpRequest, found: DatalabVersion) -> str:
    return request.build_absolute_uri(reverse("datalabs:detail", args=[found.datalab.slug]))


def _terms(request: HttpRequest, person: Person, found: DatalabVersion) -> dict[str, Any]:
    return {
        "terms": terms.visible(queries.terms_of(found, _address(request, found)), insider=True),
        "missing": queries.missing_terms(found),
        "writer": queries.writer_of(person, found) or "",
    }


@router.get("", response=AuthoredListOut, operation_id="list_authored", summary="The versions of your datalabs")
def list_authored(request: HttpRequest, asked: Query[Part]) -> dict[str, Any]:
    """List every version of the datalabs that you maintain, by datalab, the newest first."""
    found = queries.authored_by(signed_in(request.user))
    return {"count": found.count(), "items": [_out(one) for one in found[asked.offset : asked.offset + asked.limit]]}


@router.get("/{slug}/{version}", response=AuthoredDetail, operation_id="get_authored", summary="One version of yours")
def get_authored(request: HttpRequest, slug: str, version: str) -> dict[str, Any]:
    """Show where a version stands and which steps are open; for its author, moderators and operators."""
    person = signed_in(request.user)
    return _detail(request, person, queries.find_authored(person, slug, version))


@router.delete("/{slug}/{version}", response={204: None}, operation_id="delete_draft", summary="Delete a draft")
def delete_draft(request: HttpRequest, slug: str, version: str) -> Status[None]:
    """Delete a version that was never published; what was published is archived instead."""
    person = signed_in(request.user)
    actions.delete_draft(by=person, version=queries.find_authored(person, slug, version))
    return Status(204, None)


@router.get(
    "/{slug}/{version}/history", response=list[ToldOut], operation_id="get_authored_history", summary="Its history"
)
def get_history(request: HttpRequest, slug: str, version: str) -> list[queries.Told]:
    """Tell who moved a version, when and why, and what its tests found, the newest first."""
    return queries.history_of(queries.find_authored(signed_in(request.user), slug, version))


@router.get("/{slug}/{version}/metadata", response=TermsOut, operation_id="get_metadata", summary="Its metadata")
def get_metadata(request: HttpRequest, slug: str, version: str) -> dict[str, Any]:
    """Show all terms, private ones included."""
    person = signed_in(request.user)
    return _terms(request, person, queries.find_authored(person, slug, version))


@router.patch(
    "/{slug}/{version}/metadata", response=TermsOut, operation_id="edit_metadata", summary="Change some terms"
)
def edit_metadata(request: HttpRequest, slug: str, version: str, wanted: TermsIn) -> dict[str, Any]:
    """Write these terms; an empty value takes its term away, all others stay."""
    person = signed_in(request.user)
    found = queries.find_authored(person, slug, version)
    return _terms(request, person, actions.edit_metadata(by=person, version=found, values=wanted.terms))


@router.put("/{slug}/{version}/metadata", response=TermsOut, operation_id="put_metadata", summary="Replace all terms")
def put_metadata(request: HttpRequest, slug: str, version: str, wanted: TermsIn) -> dict[str, Any]:
    """Write exactly these terms: those of yours that are not among them go. What others write stays as it is."""
    person = signed_in(request.user)
    found = queries.find_authored(person, slug, version)
    values = queries.replacing_terms(person, found, wanted.terms, _address(request, found))
    return _terms(request, person, actions.edit_metadata(by=person, version=found, values=values))


@router.post(
    "/{slug}/{version}/metadata/file", response=TermsTaken, operation_id="take_in_metadata", summary="Take in a file"
)
def take_in_metadata(request: HttpRequest, slug: str, version: str, file: File[UploadedFile]) -> dict[str, Any]:
    """Write what a datalab-meta.yml, JSON-LD, CodeMeta or CITATION.cff says; the answer names what was left."""
    person = signed_in(request.user)
    found = queries.find_authored(person, slug, version)
    read = exports.read(file.read(MOST_BYTES + 1), file.name or "", kind=terms.Kind.DATALAB)
    naming = {"alternateName", "version"}
    values = {key: value for key, value in read.values.items() if key not in naming}
    after = actions.edit_metadata(by=person, version=found, values=values)
    left = [{"key": one.key, "message": one.message, "advice": one.advice} for one in read.not_understood]
    return {**_terms(request, person, after), "not_understood": left}


@router.get(
    "/{slug}/{version}/metadata/{format_name}",
    operation_id="export_metadata",
    summary="Its metadata as a file",
    openapi_extra=sends(*(one.media_type for one in exports.FORMATS.values())),
)
def export_metadata(request: HttpRequest, slug: str, version: str, format_name: str) -> HttpResponse:
    """Write the metadata as datalab-meta, json-ld, codemeta or cff."""
    found = queries.find_authored(signed_in(request.user), slug, version)
    values = queries.terms_of(found, _address(request, found))
    keywords = values.get("keywords", [])
    concepts = concepts_of(keywords if isinstance(keywords, list) else [])
    text = exports.export(values, format_name, kind=terms.Kind.DATALAB, insider=True, concepts=concepts)
    return HttpResponse(
        text,
        content_type=f"{exports.FORMATS[format_name].media_type}; charset=utf-8",
        headers={"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"},
    )


@publishing_router.post(
    "/{slug}/{version}/steps", response=AuthoredDetail, operation_id="make_step", summary="Submit, publish, archive …"
)
def make_step(request: HttpRequest, slug: str, version: str, wanted: AuthorStepIn) -> dict[str, Any]:
    """Make a step of a version's life; refused if somebody has moved it since the revision that you looked at."""
    person = signed_in(request.user)
    found = queries.find_authored(person, slug, version)
    if wanted.step not in STEPS_OF_THE_HEAD:
        offered = ", ".join(sorted(STEPS_OF_THE_HEAD))
        raise Invalid(f"“{wanted.step}” is no step that is made here.", advice=f"Use one of: {offered}.", field="step")
    moved = actions.advance(
        by=person, version=found, transition=wanted.step, reason=wanted.reason, revision=wanted.revision
    )
    return _detail(request, person, moved)


@publishing_router.put(
    "/{slug}/{version}/visibility", response=AuthoredDetail, operation_id="put_visibility", summary="For whom it is"
)
def put_visibility(request: HttpRequest, slug: str, version: str, wanted: VisibilityIn) -> dict[str, Any]:
    """Say for whom a version is; named people and teams may try it before it is published."""
    person = signed_in(request.user)
    found = queries.find_authored(person, slug, version)
    shared = actions.share(by=person, version=found, **readers_of(person, found, wanted))
    return _detail(request, person, shared)
