"""The GA4GH Tool Registry Service, version 2.0: pipelines and steps for other platforms' clients.

https://ga4gh.github.io/tool-registry-service-schemas/
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from spacelab import __version__
from spacelab.kit.refusals import Invalid, NotFound, Refusal
from spacelab.pipelines import archives, queries, rules
from spacelab.pipelines.models import Pipeline, PipelineVersion
from spacelab.publishing.rules import KEPT

CLASSES = {
    rules.Kind.PIPELINE: {"id": "1", "name": "Workflow", "description": "A CWL workflow."},
    rules.Kind.STEP: {"id": "2", "name": "CommandLineTool", "description": "A CWL tool, used as a step of workflows."},
}
MOST = 1000
"""Tools of one answer at most."""
MOST_DIGITS = 12
TYPES = ("CWL", "PLAIN_CWL")
"""What a descriptor may be asked for as; the second one as text, not as JSON."""
View = Callable[..., HttpResponse]


def _answered(view: View) -> View:
    """Send a refusal in the form that the specification has for errors."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            status = 400 if isinstance(refusal, Invalid) else refusal.status
            said = {"code": status, "message": f"{refusal.message} {refusal.advice}".strip()}
            return JsonResponse(said, status=status)

    return require_safe(answer)


def _address(request: HttpRequest, *parts: str) -> str:
    root = reverse("trs:service-info").removesuffix("service-info")
    return request.build_absolute_uri("/".join([root.rstrip("/"), "tools", *parts]))


@_answered
def service_info(request: HttpRequest) -> HttpResponse:
    """Say what this registry is."""
    host = request.get_host().partition(":")[0]
    return JsonResponse(
        {
            "id": ".".join(reversed([*host.split("."), "trs"])),
            "name": "Spacelab",
            "description": "Pipelines and steps in CWL.",
            "type": {"group": "org.ga4gh", "artifact": "trs", "version": "2.0.1"},
            "organization": {"name": "Spacelab", "url": settings.SPACELAB.portal_url},
            "version": __version__,
        }
    )


@_answered
def tool_classes(_request: HttpRequest) -> HttpResponse:
    """List the kinds of tools."""
    return JsonResponse(list(CLASSES.values()), safe=False)


@_answered
def tools(request: HttpRequest) -> HttpResponse:
    """List the tools that fit the query string, a part at a time."""
    asked = request.GET
    offset, limit = _number(asked.get("offset", "0"), "offset"), _number(asked.get("limit", str(MOST)), "limit")
    limit = min(limit, MOST)
    found = _fitting(request)
    count = found.count() if found is not None else 0
    page = [_tool(request, one) for one in found[offset : offset + limit]] if found is not None and limit else []
    answer = JsonResponse(page, safe=False)
    query = asked.copy()
    query["limit"] = str(limit)
    address = request.build_absolute_uri(request.path)
    answer["self_link"] = request.build_absolute_uri()
    answer["current_offset"], answer["current_limit"] = str(offset), str(limit)
    if offset + limit < count:
        query["offset"] = str(offset + limit)
        answer["next_page"] = f"{address}?{query.urlencode()}"
    query["offset"] = str(max((count - 1) // max(limit, 1) * limit, 0))
    answer["last_page"] = f"{address}?{query.urlencode()}"
    return answer


def _fitting(request: HttpRequest) -> queries.Found | None:
    """List what fits the query string; None where it asks for what there is not here."""
    asked = {name: str(value).replace("\0", " ") for name, value in request.GET.items()}
    named = asked.get("toolClass", "").casefold()
    kind = next((one for one, said in CLASSES.items() if said["name"].casefold() == named), "")
    other_type = asked.get("descriptorType", "CWL").upper() not in TYPES
    if other_type or (named and not kind) or asked.get("checker", "").casefold() == "true" or asked.get("alias"):
        return None
    words = " ".join(asked.get(one, "") for one in ("name", "toolname", "description"))
    author = asked.get("author", "")
    slug = asked.get("id", "")
    filters = queries.Filters(words=words[:400], kind=str(kind), author=author, slug=slug, sort="name")
    return queries.listing(request.user, filters)


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > MOST_DIGITS:
        raise Invalid(f"“{name}” must be a number from 0 on.", field=name)
    return int(text)


def _tool(request: HttpRequest, entry: Pipeline) -> dict[str, Any]:
    return {
        "url": _address(request, entry.slug),
        "id": entry.slug,
        "organization": entry.maintainer.username if entry.maintainer else "system",
        "name": entry.title,
        "description": entry.abstract,
        "toolclass": CLASSES[rules.Kind(entry.kind)],
        "has_checker": False,
        "meta_version": str(int(entry.updated_at.timestamp())),
        "versions": [_version(request, entry, one) for one in queries.versions_of(entry)],
    }


def _version(request: HttpRequest, entry: Pipeline, version: PipelineVersion) -> dict[str, Any]:
    return {
        "url": _address(request, entry.slug, "versions", version.version),
        "id": version.version,
        "name": version.version,
        "author": [entry.author],
        "is_production": version.state in KEPT,
        "descriptor_type": ["CWL"],
        "containerfile": False,
        "verified": False,
        "signed": False,
        "images": [],
    }


def _found(request: HttpRequest, slug: str, version: str) -> PipelineVersion:
    return queries.find_seen(request.user, slug, version)


@_answered
def tool(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one tool."""
    return JsonResponse(_tool(request, queries.pipeline(slug, request.user)))


@_answered
def versions(request: HttpRequest, slug: str) -> HttpResponse:
    """List the versions of a tool."""
    entry = queries.pipeline(slug, request.user)
    return JsonResponse([_version(request, entry, one) for one in queries.versions_of(entry)], safe=False)


@_answered
def version(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Show one version."""
    found = _found(request, slug, number)
    return JsonResponse(_version(request, found.pipeline, found))


@_answered
def descriptor(request: HttpRequest, slug: str, number: str, kind: str, relative: str = "") -> HttpResponse:
    """Send a document: the main one, or another file of the bundle by its path beside it."""
    _check_type(kind)
    found = _found(request, slug, number)
    whole = queries.bundle(found, request.user)
    file = relative or whole.main.partition("#")[0]
    if file not in whole.files:
        raise NotFound(f"There is no file “{file[:60]}” in it.", advice="Ask for its files.")
    text = whole.files[file]
    if kind == "PLAIN_CWL":
        answer = HttpResponse(text.encode(), content_type="text/plain; charset=utf-8")
        answer["X-Content-Type-Options"] = "nosniff"
        return answer
    checksum = [{"checksum": hashlib.sha256(text.encode()).hexdigest(), "type": "sha-256"}]
    address = f"{_address(request, slug, 'versions', number)}/PLAIN_CWL/descriptor/{file}"
    return JsonResponse({"content": text, "checksum": checksum, "url": address})


@_answered
def files(request: HttpRequest, slug: str, number: str, kind: str) -> HttpResponse:
    """List the files of a version with the steps that it uses; with `format=zip` send them."""
    _check_type(kind)
    found = _found(request, slug, number)
    whole = queries.bundle(found, request.user)
    if request.GET.get("format") == "zip":
        return HttpResponse(archives.zipped(whole.files), content_type="application/zip")
    main = whole.main.partition("#")[0]
    # Without checksums, which are optional and which clients of 2.0.0 refuse to read.
    types = {name: "PRIMARY_DESCRIPTOR" if name == main else _file_type(name) for name in sorted(whole.files)}
    listed = [{"path": name, "file_type": kind} for name, kind in types.items()]
    return JsonResponse(listed, safe=False)


def _file_type(name: str) -> str:
    if name.rpartition("/")[2] in {"job.yml", "job.yaml", "job.json"}:
        return "TEST_FILE"
    return "SECONDARY_DESCRIPTOR" if name.endswith(".cwl") else "OTHER"


@_answered
def tests(request: HttpRequest, slug: str, number: str, kind: str) -> HttpResponse:
    """List the job orders that come with a version."""
    _check_type(kind)
    found = _found(request, slug, number)
    given = [text for name, text in sorted(found.files.items()) if _file_type(name) == "TEST_FILE"]
    return JsonResponse([{"content": text} for text in given], safe=False)


@_answered
def containerfile(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Say that no Dockerfile comes with a version: its documents name images."""
    _found(request, slug, number)
    raise NotFound("No container file comes with it.", advice="Its documents name the images they need.")


def _check_type(kind: str) -> None:
    if kind not in TYPES:
        raise NotFound(f"There is no descriptor of type “{kind[:20]}”.", advice=f"There are {', '.join(TYPES)}.")


ONE = "tools/<str:slug>/versions/<str:number>"
app_name = "trs"
urlpatterns = [
    path("service-info", service_info, name="service-info"),
    path("toolClasses", tool_classes, name="classes"),
    path("tools", tools, name="tools"),
    path("tools/<str:slug>", tool, name="tool"),
    path("tools/<str:slug>/versions", versions, name="versions"),
    path(ONE, version, name="version"),
    path(f"{ONE}/containerfile", containerfile, name="containerfile"),
    path(f"{ONE}/<str:kind>/descriptor", descriptor, name="descriptor"),
    path(f"{ONE}/<str:kind>/descriptor/<path:relative>", descriptor, name="descriptor-file"),
    path(f"{ONE}/<str:kind>/files", files, name="files"),
    path(f"{ONE}/<str:kind>/tests", tests, name="tests"),
]
