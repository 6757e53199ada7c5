"""Pages of a version's metadata: the form, a file taken in, and the formats that it is written in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.datalabs import actions, queries
from spacelab.datalabs.author_views import person_of
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import Conflict, NotFound, Refusal
from spacelab.publishing.forms import MetadataFileForm, TermsForm
from spacelab.publishing.queries import concepts_of
from spacelab.publishing.rules import exports, terms


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Show the metadata of a version; whoever may write some of them finds a form."""
    person = person_of(request)
    found = queries.find_authored(person, slug, version)
    writer = queries.writer_of(person, found)
    if request.method != "POST":
        return _show(request, person, found, _form(found, writer) if writer else None)
    if writer is None:
        actions.edit_metadata(by=person, version=found, values={})
        raise Conflict("There is nothing to write here.", advice="Look at the version's history.")
    form = _form(found, writer, request.POST)
    status = 422
    if form.is_valid():
        try:
            actions.edit_metadata(by=person, version=found, values=form.changes)
        except Refusal as refusal:
            form.refuse(refusal)
            status = refusal.status
        else:
            messages.success(request, "The metadata are saved.")
            return redirect("datalabs:author-metadata", slug, version)
    return _show(request, person, found, form, status)


@require_POST
def take_in(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Read metadata from a file into the form, where its author checks them before she saves them."""
    person = person_of(request)
    found = queries.find_authored(person, slug, version)
    if queries.writer_of(person, found) is not terms.Writer.AUTHOR:
        raise Conflict("These metadata can't be changed now.", advice="Look at the version's history.")
    upload = MetadataFileForm(request.POST, request.FILES, kind=terms.Kind.DATALAB)
    if not upload.is_valid() or upload.imported is None:
        return _show(request, person, found, _form(found, terms.Writer.AUTHOR), 422, upload=upload)
    read = upload.imported
    form = _form(found, terms.Writer.AUTHOR, more=read.values)
    strange = [one.key for one in read.not_understood]
    unknown = [key for key in read.values if key not in terms.TERMS]
    said: dict[str, Any] = {"imported": read, "taken": len(read.values) - len(unknown), "left": [*unknown, *strange]}
    return _show(request, person, found, form, **said)


@require_safe
def export(request: HttpRequest, slug: str, version: str, format_name: str) -> HttpResponse:
    """Write what one may see of a version's metadata in a format of others."""
    found, insider = queries.find_described(request.user, slug, version)
    chosen = exports.FORMATS.get(format_name)
    if chosen is None:
        raise NotFound(f"There is no format “{format_name[:40]}”.", advice=f"There are {', '.join(exports.FORMATS)}.")
    values = queries.terms_of(found, request.build_absolute_uri(reverse("datalabs:detail", args=[slug])))
    keywords = values.get("keywords", [])
    concepts = concepts_of(keywords if isinstance(keywords, list) else [])
    text = exports.export(values, format_name, kind=terms.Kind.DATALAB, insider=insider, concepts=concepts)
    headers = {
        "Content-Disposition": content_disposition_header(True, f"{slug}-{version}-{chosen.file}") or "attachment",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(text, content_type=f"{chosen.media_type}; charset=utf-8", headers=headers)


def _form(
    found: DatalabVersion, writer: terms.Writer, data: Any = None, more: dict[str, Any] | None = None
) -> TermsForm:
    naming = {"alternateName": found.datalab.slug, "version": found.version}
    initial = {**found.metadata, **(more or {}), **naming}
    form = TermsForm(data, kind=terms.Kind.DATALAB, writer=writer, initial=initial)
    for name in naming:
        form.fields.pop(name, None)  # they name the version: the form shows them, and they stay
    return form


def _show(
    request: HttpRequest,
    person: Person,
    found: DatalabVersion,
    form: TermsForm | None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    writes = form is not None and form.writer is terms.Writer.AUTHOR
    context = {
        **queries.authoring_context(person, found, "metadata"),
        "form": form,
        "terms": terms.shown(queries.terms_of(found), insider=True, kind=terms.Kind.DATALAB),
        "formats": exports.FORMATS.values(),
        "upload": MetadataFileForm(kind=terms.Kind.DATALAB) if writes else None,
        **more,
    }
    return render(request, "datalabs/author_metadata.html", context, status=status)
