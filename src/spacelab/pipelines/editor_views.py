"""The editor's page, and what it asks the platform for: readings, changes, new steps, the catalogue, saving."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.kit.json_views import as_json, problem, sent_object
from spacelab.kit.refusals import Conflict, Invalid, NotSignedIn, Refusal, TooLarge
from spacelab.pipelines import actions, editor, editor_edits, queries, rules
from spacelab.pipelines.models import Pipeline, PipelineVersion
from spacelab.pipelines.permissions import PipelinePermission

LARGEST_REQUEST = 2 * rules.LARGEST_BUNDLE
"""Bytes of one request: all files of a bundle, as JSON writes them."""
MOST_OFFERED = 60
"""Entries of the catalogue that the list of steps shows at once."""


def _author(request: HttpRequest) -> Person:
    """Return who works in the editor."""
    if not isinstance(request.user, Person):
        raise NotSignedIn("You are signed out.", advice="Sign in in another window, then try again: nothing is lost.")
    require(request.user, PipelinePermission.AUTHOR)
    return request.user


def _sent(request: HttpRequest) -> dict[str, Any]:
    """Read a request's JSON, which may be larger than forms are."""
    return sent_object(request, LARGEST_REQUEST, rules.too_large())


def _bundle(person: Person, sent: dict[str, Any]) -> rules.Bundle:
    """Return the files that were sent with those of the catalogue's steps that they use and the person sees."""
    files, main = sent.get("files"), sent.get("main")
    if not isinstance(files, dict) or not isinstance(main, str):
        raise Invalid("Files and the main document are missing.", advice="Send `files` and `main`.")
    kept = rules.clean_files(files)
    return queries.bundle_of(kept, main, by=person, owner=person)


@require_POST
@as_json
def read(request: HttpRequest) -> HttpResponse:
    """Read a document of unsaved files: graph, problems, fits, layout."""
    person = _author(request)
    sent = _sent(request)
    bundle = _bundle(person, sent)
    return JsonResponse(editor.reading(bundle.files, bundle.main, place=bool(sent.get("place", True))))


@require_POST
@as_json
def edit(request: HttpRequest) -> HttpResponse:
    """Make one change in the text of the main document; return the text and what is read from it."""
    person = _author(request)
    sent = _sent(request)
    bundle = _bundle(person, sent)
    change = sent.get("edit")
    if not isinstance(change, dict):
        raise Invalid("The change is missing.", advice="Send `edit`.")
    named = "\n".join(editor_edits.named_by(change))
    more = queries.bundle_of({bundle.main.partition("#")[0]: named}, bundle.main, by=person, owner=person)
    files = {**more.files, **bundle.files}
    text = editor_edits.changed(files, bundle.main, change, _path(sent))
    after = _bundle(person, {**sent, "files": {**sent["files"], bundle.main.partition("#")[0]: text}})
    return JsonResponse({"text": text, "reading": editor.reading(after.files, after.main)})


def _path(sent: dict[str, Any]) -> list[str]:
    """Return the steps whose workflows were opened on the way to what is changed."""
    path = sent.get("path") or []
    if not isinstance(path, list) or not all(isinstance(one, str) for one in path):
        raise Invalid("This is no way into a step.", advice="Send `path` as a list of ids.")
    return path


@require_POST
@as_json
def copy(request: HttpRequest) -> HttpResponse:
    """Return steps as a text to be pasted."""
    person = _author(request)
    sent = _sent(request)
    bundle = _bundle(person, sent)
    nodes = [str(one) for one in sent.get("nodes") or []]
    return JsonResponse({"text": editor_edits.copied(bundle.files, bundle.main, nodes, _path(sent))})


@require_POST
@as_json
def make(request: HttpRequest) -> HttpResponse:
    """Make a tool from a command line, a script or a notebook."""
    _author(request)
    sent = _sent(request)
    made = editor_edits.made(str(sent.get("kind")), str(sent.get("text", "")), str(sent.get("name", "")))
    return JsonResponse({"name": made.name, "text": made.text, "beside": made.beside})


@require_safe
@as_json
def steps(request: HttpRequest) -> HttpResponse:
    """List what the person may use as a step: the catalogue's steps first, then its pipelines."""
    person = _author(request)
    words = request.GET.get("q", "")[:200]
    found: list[dict[str, str]] = []
    for kind in rules.Kind.STEP, rules.Kind.PIPELINE:
        rows = queries.listing(person, queries.Filters(words=words, kind=kind, sort="name"))[:MOST_OFFERED]
        found += [shown for row in rows if (shown := _offered(row))]
    return JsonResponse({"entries": found[:MOST_OFFERED]})


def _offered(entry: Pipeline) -> dict[str, str] | None:
    newest = next(iter([*entry.published_versions, *entry.drafts]), None)
    if newest is None:
        return None
    return {
        "ref": f"catalogue/{entry.slug}/{newest.version}.cwl",
        "slug": entry.slug,
        "title": entry.title,
        "version": newest.version,
        "kind": entry.kind,
        "abstract": entry.abstract[:200],
    }


def _address(name: str, *args: str) -> str:
    """Return an address of another part of the platform; nothing where there is no such part."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _settings(person: Person, version: PipelineVersion) -> dict[str, Any]:
    """Return what the page hands to the editor."""
    slug, number = version.pipeline.slug, version.version
    launch = _address("runs:launch", slug)
    return {
        "key": f"{person.pk}/{slug}/{number}",
        "slug": slug,
        "title": version.pipeline.title,
        "version": number,
        "main": version.main,
        "files": version.files,
        "base": version.content_hash,
        "writable": _writable(person, version),
        "urls": {
            "read": reverse("pipelines:editor-read"),
            "edit": reverse("pipelines:editor-edit"),
            "copy": reverse("pipelines:editor-copy"),
            "make": reverse("pipelines:editor-make"),
            "steps": reverse("pipelines:editor-steps"),
            "save": reverse("pipelines:edit-save", args=[slug, number]),
            "back": reverse("pipelines:author-files", args=[slug, number])
            if _writable(person, version)
            else reverse("pipelines:detail", args=[slug]),
            "launch": f"{launch}?version={number}" if launch else "",
            "test": _address("runs:test", slug, number),
            "browse": _address("runs:browse"),
            "icons": static("ui/icons.svg"),
        },
    }


def _writable(person: Person, version: PipelineVersion) -> bool:
    return version.pipeline.maintainer_id == person.pk and version.is_editable


@ensure_csrf_cookie
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Open a version in the editor; without scripts the page is a form with the main document's text."""
    if not isinstance(request.user, Person):
        raise NotSignedIn("The editor needs an account.", advice="Sign in to open it.")
    found = queries.find_seen(request.user, slug, version)
    path = found.main.partition("#")[0]
    text, status, refused = found.files.get(path, ""), HTTPStatus.OK, None
    if request.method == "POST":
        text = _as_it_was(request.POST.get("text", ""), text)
        try:
            was = request.POST.get("was", "")
            actions.save(by=request.user, version=found, files={**found.files, path: text}, was=was)
        except Refusal as refusal:
            refused, status = refusal, HTTPStatus(refusal.status)
        else:
            messages.success(request, "The draft is saved.")
            return redirect("pipelines:edit", slug, version)
    context = {
        "version": found,
        "path": path,
        "text": text,
        "refused": refused,
        "writable": _writable(request.user, found),
        "problems": editor.reading(queries.bundle(found, request.user).files, found.main, place=False)["problems"],
        "settings": _settings(request.user, found),
    }
    return render(request, "pipelines/editor.html", context, status=status)


def _as_it_was(text: str, before: str) -> str:
    """Undo what forms do to ends of lines, where the document had others."""
    return text if "\r\n" in before else text.replace("\r\n", "\n")


@require_POST
@as_json
def save(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Save all files of a draft; what somebody else saved meanwhile is told, with her files, and stays."""
    person = _author(request)
    sent = _sent(request)
    found = queries.find_seen(person, slug, version)
    base, files = sent.get("base"), sent.get("files")
    if not isinstance(base, str) or not isinstance(files, dict):
        raise Invalid("Files are missing.", advice="Send `files`, and `base`: the version that you began from.")
    try:
        kept = actions.save(by=person, version=found, files=files, main=str(sent.get("main") or ""), was=base)
    except Conflict as refusal:
        found.refresh_from_db()
        if found.content_hash == base:
            raise
        return problem(refusal, conflict=_conflict(person, found))
    except TooLarge as refusal:
        return problem(refusal)
    words = "Saved. It can run." if kept.is_valid else "Saved. It has problems that keep it from running."
    return JsonResponse({"base": kept.content_hash, "message": words})


def _conflict(person: Person, version: PipelineVersion) -> dict[str, Any]:
    who = version.pipeline.maintainer
    return {
        "by": "You (in another window)" if who == person else str(who.display_name if who else "The platform"),
        "at": timezone.localtime(version.changed_at).strftime("%H:%M:%S"),
        "base": version.content_hash,
        "files": version.files,
    }
