"""Pages of the catalogue of pipelines and steps, open to visitors."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from spacelab.accounts.queries import may
from spacelab.feedback import queries as feedback
from spacelab.kit.refusals import NotFound
from spacelab.pipelines import archives, documents, queries, sources
from spacelab.pipelines.drawing import draw
from spacelab.pipelines.forms import SORT_WORDS, WHOSE, FilterForm
from spacelab.pipelines.models import PipelineVersion
from spacelab.pipelines.permissions import PipelinePermission
from spacelab.pipelines.rules import Kind
from spacelab.publishing.rules import KEPT, RUNNABLE, terms
from spacelab.publishing.rules.exports import FORMATS
from spacelab.publishing.rules.exports.references import Reference, reference_of

PER_PAGE = 24
TAGS = 20
NEWEST_COMMENTS = 3


@require_safe
def pipelines(request: HttpRequest) -> HttpResponse:
    """List the pipelines that fit the query string."""
    return _catalogue(request, Kind.PIPELINE)


@require_safe
def steps(request: HttpRequest) -> HttpResponse:
    """List the steps that fit the query string."""
    return _catalogue(request, Kind.STEP)


def _catalogue(request: HttpRequest, kind: Kind) -> HttpResponse:
    filters = FilterForm(request.GET).filters(kind)
    found: Any = queries.listing(request.user, filters)  # counted and sliced, which is all that pages need
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "kind": kind.value,
        "filters": filters,
        "here": reverse("pipelines:steps" if kind is Kind.STEP else "pipelines:catalogue"),
        "tags": queries.tags(kind.value)[:TAGS],
        "sorts": SORT_WORDS.items(),
        "whose": WHOSE.items(),
        "authors": may(request.user, PipelinePermission.AUTHOR),
    }
    return render(request, "pipelines/catalogue.html", context)


@require_safe
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one pipeline or step, in the newest version that one sees or the one that the query string names."""
    entry = queries.pipeline(slug, request.user)
    versions = queries.versions_of(entry)
    wanted = request.GET.get("version", "")
    chosen = next((one for one in versions if one.version == wanted), None if wanted else versions[0])
    if chosen is None:
        raise NotFound(f"There is no version “{wanted[:40]}” of it.", advice="Choose one of those on its page.")
    version = queries.find_seen(request.user, slug, chosen.version)
    bundle = queries.bundle(version, request.user)
    document = documents.read(bundle)
    context = {
        "entry": entry,
        "version": version,
        "versions": versions,
        "other": _before(versions, chosen),
        "document": document,
        "drawing": draw(document.graph, entry.title, href=lambda node: f"#node-{node.id}"),
        "steps": sources.steps_of(document, bundle),
        "missing": bundle.missing,
        "sources": sources.of(version.files, document.problems, version.main),
        "users": queries.users_of(version, request.user) if entry.is_step else [],
        "terms": terms.shown(queries.terms_of(version), insider=False, kind=terms.Kind.PIPELINE),
        "formats": FORMATS.values(),
        "exports": [(name, one.title) for name, one in archives.EXPORTS.items()],
        "copies": may(request.user, PipelinePermission.AUTHOR),
        "edit": _edit(request, version),
        "reference": _reference(request, version),
        "launch": _launch(version),
        "standing": queries.standing_of(entry),
        "discussed": queries.is_published(entry),
        "moderates": feedback.may_moderate(request.user),
        "talk": feedback.newest(queries.subject_of(entry), NEWEST_COMMENTS),
    }
    return render(request, "pipelines/detail.html", context)


def _before(versions: list[Any], chosen: Any) -> Any:
    """Return the version to compare with: the next older one that one sees, else any other; None for the only one."""
    others = sorted((one for one in versions if one.pk != chosen.pk), key=lambda one: one.pk, reverse=True)
    return next((one for one in others if one.pk < chosen.pk), others[0] if others else None)


@require_safe
def compare(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how the files of two versions differ that one sees."""
    entry = queries.pipeline(slug, request.user)
    versions = queries.versions_of(entry)
    new = queries.find_seen(request.user, slug, request.GET.get("new", "") or versions[0].version)
    before = _before(versions, new)
    old = queries.find_seen(request.user, slug, request.GET.get("old", "") or (before or new).version)
    context = {"entry": entry, "versions": versions, "old": old, "new": new}
    return render(request, "pipelines/compare.html", {**context, "differences": queries.differences(old, new)})


def _launch(version: PipelineVersion) -> str:
    """Return where the version is launched; empty where it can't be."""
    if version.state not in RUNNABLE | KEPT or not version.is_valid:
        return ""
    try:
        return f"{reverse('runs:launch', args=[version.pipeline.slug])}?version={version.version}"
    except NoReverseMatch:
        return ""


def _edit(request: HttpRequest, version: PipelineVersion) -> str:
    """Return where its author edits the version; empty for everybody else, and for what can't be changed."""
    if version.pipeline.maintainer_id != request.user.pk or not version.is_editable:
        return ""
    try:
        return reverse("pipelines:edit", args=[version.pipeline.slug, version.version])
    except NoReverseMatch:
        return reverse("pipelines:author-files", args=[version.pipeline.slug, version.version])


def _reference(request: HttpRequest, version: PipelineVersion) -> Reference | None:
    """Say how a published version is cited; drafts are not."""
    if not version.is_frozen:
        return None
    address = request.build_absolute_uri(reverse("pipelines:detail", args=[version.pipeline.slug]))
    return reference_of(queries.terms_of(version, address))
