"""Authoring pages of a version's files and builds: the list, a small editor, what is added, and what was built."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.builds import actions, packages, progress, queries
from spacelab.builds.forms import UploadForm, brought
from spacelab.builds.packages import MOST_FILES, Brought
from spacelab.builds.rules import FINAL, State
from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.queries import authoring_context, find_authored
from spacelab.kit.files import attachment
from spacelab.kit.highlighting import highlighted
from spacelab.kit.refusals import Conflict, NotSignedIn, Refusal

PER_PAGE = 200


def _opened(request: HttpRequest, slug: str, version: str) -> tuple[Person, DatalabVersion]:
    if not isinstance(request.user, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in to see what you wrote.")
    return request.user, find_authored(request.user, slug, version)


def _is_author(person: Person, version: DatalabVersion) -> bool:
    return version.datalab.maintainer_id == person.pk


def _folder(person: Person, version: DatalabVersion) -> Path:
    folder = queries.files_folder(version, unsent=_is_author(person, version))
    if folder is None:
        raise Conflict("The files of this version are not kept here.", advice="Bring them again.")
    return folder


@require_http_methods(["GET", "HEAD", "POST"])
def files(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """List the files of a version; its author adds others, as files, a folder or a zip."""
    person, found = _opened(request, slug, version)
    upload = UploadForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    status = 200
    if request.method == "POST":
        status = 422
        if upload.is_valid():
            try:
                given = upload.cleaned_data
                actions.put_files(by=person, version=found, files=brought(given["upload"], given["paths"]))
            except Refusal as refusal:
                upload.refuse(refusal)
                status = refusal.status
            else:
                messages.success(request, "The files are saved.")
                return redirect("builds:author-files", slug, version)
    folder = queries.files_folder(found, unsent=_is_author(person, found))
    listed = packages.list_files(folder) if folder else []
    copy = queries.working_copy(found) if found.is_editable and _is_author(person, found) else None
    context = {
        **authoring_context(person, found, "files"),
        "page": Paginator(listed, PER_PAGE).get_page(request.GET.get("page")),
        "total": sum(size for _, size in listed),
        "plan": copy if copy and copy.state == State.PLANNED else None,
        "upload": upload,
        "upload_mb": settings.SPACELAB.build_upload_mb,
        "most_files": MOST_FILES,
    }
    return render(request, "builds/author_files.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Show a file of a version with its syntax; its author changes a short text here."""
    person, found = _opened(request, slug, version)
    folder = _folder(person, found)
    asked = request.POST if request.method == "POST" else request.GET
    path = asked.get("path", "")
    file = packages.file_of(folder, path)
    stored = packages.text_of(file)
    text, refused, status = stored, None, 200
    if request.method == "POST" and stored is not None:
        text = request.POST.get("text", "").replace("\r\n", "\n")
        if "preview" not in request.POST:
            try:
                ended = text.replace("\n", "\r\n") if "\r\n" in stored else text
                sent = Brought(path, io.BytesIO(ended.encode()))
                actions.put_files(by=person, version=found, files=[sent], seen=request.POST.get("seen", ""))
            except Refusal as refusal:
                refused, status = refusal, refusal.status
            else:
                messages.success(request, f"{path} is saved.")
                return redirect("builds:author-files", slug, version)
    context = {
        **authoring_context(person, found, "files"),
        "path": path,
        "size": file.stat().st_size,
        "text": text,
        "seen": folder.name,
        "shown": highlighted(path, text) if text is not None else "",
        "refused": refused,
    }
    return render(request, "builds/author_file.html", context, status=status)


@require_safe
def content(request: HttpRequest, slug: str, version: str) -> HttpResponseBase:
    """Hand out one file of a version as it is."""
    person, found = _opened(request, slug, version)
    file = packages.file_of(_folder(person, found), request.GET.get("path", ""))
    return attachment(request, file.open("rb"), file.name, "application/octet-stream")


@require_POST
def move_file(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Give a file of a version another name, or take it out."""
    person, found = _opened(request, slug, version)
    path, to, seen = (request.POST.get(name, "").strip() for name in ("path", "to", "seen"))
    if "remove" in request.POST:
        actions.remove_file(by=person, version=found, path=path, seen=seen)
        messages.success(request, f"{path} is removed.")
    elif to and to != path:
        actions.rename_file(by=person, version=found, path=path, to=to, seen=seen)
        messages.success(request, f"{path} is {to} now.")
    return redirect("builds:author-files", slug, version)


@require_safe
def build(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """List the builds of a version, the newest first; its author builds it again."""
    person, found = _opened(request, slug, version)
    page = Paginator(queries.of_version(found, unsent=_is_author(person, found)), PER_PAGE).get_page(
        request.GET.get("page")
    )
    newest = page[0] if page.number == 1 and len(page) else None
    own = newest is not None and newest.person_id == person.pk
    more: dict[str, Any] = progress.context_of(newest, person) if newest and own and newest.number else {}
    context = {
        **more,
        **authoring_context(person, found, "build"),
        "page": page,
        "newest": newest,
        "own": own,
        "plan": newest if own and newest and newest.state == State.PLANNED else None,
        "again": newest
        if own and newest and State(newest.state) in FINAL and queries.is_package_kept(newest)
        else None,
    }
    return render(request, "builds/author_build.html", context)
