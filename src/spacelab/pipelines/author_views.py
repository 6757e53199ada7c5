"""Authoring pages of pipelines beside those that all published things have: new ones, their files, their tests."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require, signed_in
from spacelab.kit.refusals import Invalid, NotFound, Refusal
from spacelab.kit.uploads import brought
from spacelab.pipelines import actions, archives, documents, intake, queries, rules, sources, starting
from spacelab.pipelines.author_forms import NewForm, TextForm, UploadForm
from spacelab.pipelines.drawing import draw
from spacelab.pipelines.models import PipelineVersion
from spacelab.pipelines.permissions import PipelinePermission

WRITES = ["GET", "HEAD", "POST"]
MOST_FILES, UPLOAD_MB = intake.LIMITS.files, intake.LIMITS.total_bytes // 2**20


@require_http_methods(WRITES)
def new(request: HttpRequest) -> HttpResponse:
    """Begin a pipeline or step from a template, from files, or as a copy of one that one sees."""
    person = signed_in(request.user)
    require(person, PipelinePermission.AUTHOR)
    copied = _copied(request, person)
    first = {"title": copied.pipeline.title, "slug": f"my-{copied.pipeline.slug}"[:60]} if copied else _known(request)
    form = NewForm(request.POST or None, request.FILES or None, initial=first, copying=copied is not None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _begun(request, person, form.cleaned_data, copied)
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
    context = {"form": form, "copied": copied, "most_files": MOST_FILES, "upload_mb": UPLOAD_MB}
    return render(request, "pipelines/new.html", context, status=status)


def _copied(request: HttpRequest, person: Person) -> PipelineVersion | None:
    slug = request.GET.get("from", "")
    return queries.find_seen(person, slug, request.GET.get("version", "")) if slug else None


def _known(request: HttpRequest) -> dict[str, str]:
    """Return what an address fills in: the source of another version, for a newer commit of it."""
    known = {name: request.GET[name][:500] for name in ("slug", "title", "git_url", "git_path") if name in request.GET}
    return {**known, "begin": "git"} if "git_url" in known else known


def _begun(request: HttpRequest, person: Person, given: dict[str, Any], copied: PipelineVersion | None) -> HttpResponse:
    """Begin what the form says, and lead there; a repository is fetched first."""
    begin = given["begin"] or "files"
    if not given["upload"] and (begin == "git" or given["git_url"]):
        names = {"url": "git_url", "ref": "git_ref", "path": "git_path"}
        asked = {name: given[field] for name, field in names.items()}
        named = {name: given[name] for name in ("slug", "title", "version")}
        return redirect("pipelines:import", actions.bring_git(by=person, **named, **asked).pk)
    made, told = _begin(person, given, begin, copied)
    if begin == starting.IN_EDITOR and not given["upload"]:
        return redirect("pipelines:edit", made.pipeline.slug, made.version)
    messages.success(request, f"{made} is begun: only you see it. {told}".strip())
    return redirect("pipelines:author-files", made.pipeline.slug, made.version)


def _begin(
    person: Person, given: dict[str, Any], begin: str, copied: PipelineVersion | None
) -> tuple[PipelineVersion, str]:
    """Begin from files, a copy or a template; return it with what was left out."""
    metadata: dict[str, Any] = {}
    main = told = ""
    if given["upload"]:
        taken = intake.take_in(brought(given["upload"], given["paths"]))
        files, told = taken.files, taken.told
        metadata, main = intake.metadata_of(files).values, intake.main_in(files)
    elif begin == "copy" and copied is not None:
        files, main, metadata = copied.files, copied.main, dict(copied.metadata)
        metadata["isBasedOn"] = f"{copied.pipeline.slug} {copied.version}"
    elif begin in starting.TEMPLATES:
        files = starting.begin(begin, given["title"] or given["slug"])
    else:
        raise Invalid("There are no files.", advice="Choose documents, a folder or a zip.", field="files")
    kept = {key: value for key, value in metadata.items() if key not in intake.NAMING}
    said = str(metadata.get("title", ""))
    made = actions.create(
        by=person,
        slug=given["slug"],
        title=given["title"] or said or given["slug"],
        version=given["version"],
        files=files,
        main=main,
        metadata=kept,
    )
    return made, told


@require_http_methods(WRITES)
def files(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Show a version's files with their problems and its graph, and take in more."""
    person = signed_in(request.user)
    found = queries.find_authored(person, slug, version)
    form = UploadForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                more = intake.take_in(brought(form.cleaned_data["upload"], form.cleaned_data["paths"]))
                actions.save(by=person, version=found, files={**found.files, **more.files})
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                if more.told:
                    messages.warning(request, more.told)
                return redirect("pipelines:author-files", slug, version)
    bundle = queries.bundle(found, person)
    document = documents.read(bundle)
    context = {
        **queries.authoring_context(person, found, "files"),
        "document": document,
        "drawing": draw(document.graph, found.pipeline.title),
        "sources": sources.of(found.files, document.problems, found.main),
        "others": [one for one in document.problems if one.file not in found.files],
        "missing": bundle.missing,
        "documents": [path for path in sorted(found.files) if path.endswith(".cwl")],
        "upload": form,
        "most_files": MOST_FILES,
        "upload_mb": UPLOAD_MB,
        "edit": _route("pipelines:edit", slug, version),
    }
    return render(request, "pipelines/author_files.html", context, status=status)


def _route(name: str, *args: str) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@require_http_methods(WRITES)
def file(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Change one file's text, or write a new one; a refusal keeps what was written."""
    person = signed_in(request.user)
    found = queries.find_authored(person, slug, version)
    path = request.GET.get("path", "")
    if path and path not in found.files:
        raise NotFound(f"There is no file “{path[:60]}” in it.", advice="Look at its files.")
    first = {"path": path or "new.cwl", "text": found.files.get(path, ""), "seen": found.content_hash}
    form = TextForm(request.POST or None, initial=first)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _keep_text(person, found, path, form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                return redirect("pipelines:author-files", slug, version)
    context = {**queries.authoring_context(person, found, "files"), "form": form, "path": path}
    return render(request, "pipelines/author_file.html", context, status=status)


def _keep_text(person: Person, found: PipelineVersion, path: str, given: dict[str, Any]) -> None:
    """Save one file, under its new name if it has one; browsers send CRLF, which stays only where it was before."""
    text = given["text"]
    if "\r\n" not in found.files.get(path, ""):
        text = text.replace("\r\n", "\n")
    others = {name: kept for name, kept in found.files.items() if name != path}
    if given["path"] in others:
        raise Invalid("There is a file of that name already.", advice="Choose another one.", field="files")
    main = given["path"] if path == found.main else ""
    actions.save(by=person, version=found, files={**others, given["path"]: text}, main=main, was=given["seen"])


@require_POST
def remove(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Take one file away."""
    person = signed_in(request.user)
    found = queries.find_authored(person, slug, version)
    path = request.POST.get("path", "")
    kept = {name: text for name, text in found.files.items() if name != path}
    actions.save(by=person, version=found, files=kept)
    messages.success(request, f"{path} is gone.")
    return redirect("pipelines:author-files", slug, version)


@require_POST
def choose_main(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Say which document is the main one."""
    person = signed_in(request.user)
    found = queries.find_authored(person, slug, version)
    actions.save(by=person, version=found, files=found.files, main=request.POST.get("main", ""))
    return redirect("pipelines:author-files", slug, version)


@require_safe
def testing(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Show what runs of a version have shown, and lead to the next one."""
    person = signed_in(request.user)
    found = queries.find_authored(person, slug, version)
    launch = _route("runs:launch", slug)
    context = {
        **queries.authoring_context(person, found, "testing"),
        "evidence": found.evidence.all()[:20],
        "passed": queries.has_passed(found),
        "launch": f"{launch}?version={version}" if launch and found.is_valid else "",
    }
    return render(request, "pipelines/author_testing.html", context)


@require_safe
def content(request: HttpRequest, slug: str, version: str, path: str) -> HttpResponse:
    """Send one file of a version, byte for byte, as a download that no browser runs."""
    found = queries.find_seen(request.user, slug, version)
    if path not in found.files:
        raise NotFound(f"There is no file “{path[:60]}” in it.", advice="Look at its documents.")
    return _download(found.files[path].encode(), path.rpartition("/")[2], "text/plain; charset=utf-8")


@require_safe
def export(request: HttpRequest, slug: str, version: str, name: str) -> HttpResponse:
    """Send a version to take along: its files, with the steps that it uses, or as a Workflow RO-Crate."""
    found = queries.find_seen(request.user, slug, version)
    chosen = archives.EXPORTS.get(name)
    if chosen is None:
        known = ", ".join(archives.EXPORTS)
        raise NotFound(f"There is no export “{name[:40]}”.", advice=f"There are {known}.")
    address = request.build_absolute_uri(reverse("pipelines:detail", args=[slug]))
    whole = queries.bundle(found, request.user)
    made = chosen.write(rules.Bundle(found.files, found.main), whole, queries.about(found, address))
    return _download(made, f"{slug}-{version}.{chosen.ending}", chosen.media_type)


def _download(made: bytes, name: str, media_type: str) -> HttpResponse:
    headers = {
        "Content-Disposition": content_disposition_header(True, name) or "attachment",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return HttpResponse(made, content_type=media_type, headers=headers)
