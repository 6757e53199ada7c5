"""Authoring pages that every kind of version has: the list, its history, for whom it is, its steps, its metadata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, signed_in
from spacelab.kit.refusals import Conflict, Invalid, NotFound, Refusal
from spacelab.publishing import queries
from spacelab.publishing.actions import Life
from spacelab.publishing.author_forms import ShareForm, StepForm
from spacelab.publishing.forms import MetadataFileForm, TermsForm
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.rules import TRANSITIONS, Need, State, exports, terms
from spacelab.publishing.rules.authoring import NOT_BY_THEMSELVES, tone_of

Version = TypeVar("Version", bound=PublishedVersion)
PER_PAGE = 30
WRITES = ["GET", "HEAD", "POST"]


@dataclass(frozen=True)
class AuthorPages(Generic[Version]):
    """The pages of one kind of version; `urls` has their addresses below the domain's prefix."""

    life: Life[Version]
    context: Callable[[Person, Version, str], dict[str, Any]]
    """(person, version, tab) → what the frame around the tabs shows."""
    steps_of: Callable[[Person, Version], list[queries.Step]]
    terms_of: Callable[[Version, str], dict[str, Any]]
    """(version, address of its entry) → all its terms."""
    uses_of: Callable[[Version], Sequence[Any]]
    """What runs of a version, with `owner`, `who`, `title`, `url`."""

    def urls(self, prefix: str) -> list[URLPattern]:
        """Return the addresses of the pages of one version, below a prefix with `slug` and `version` in it."""
        one, post = require_http_methods(WRITES), require_POST
        return [
            path(prefix, require_safe(self.home), name="author"),
            path(f"{prefix}metadata", one(self.metadata), name="author-metadata"),
            path(f"{prefix}metadata/import", post(self.take_in_metadata), name="import-metadata"),
            path(f"{prefix}visibility", one(self.visibility), name="author-visibility"),
            path(f"{prefix}history", require_safe(self.history), name="author-history"),
            path(f"{prefix}advance", one(self.advance), name="advance"),
            path(f"{prefix}delete", one(self.delete_draft), name="delete-draft"),
        ]

    def own(self, request: HttpRequest) -> HttpResponse:
        """List every version that one maintains, with what to do next."""
        person, family = signed_in(request.user), self.life.kind.family
        found = queries.authored_by(self.life.kind, person)
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        standing = [(one, State(one.state)) for one in page]
        rows = [(one, tone_of(state), family.next[state], family.words_of(state)) for one, state in standing]
        context = {"page": page, "rows": rows, "authors": may(person, family.author)}
        return render(request, f"{family.namespace}/author_list.html", context)

    def home(self, request: HttpRequest, slug: str, version: str) -> HttpResponse:
        """Lead to the authoring page that matters most in the version's state."""
        found = queries.find_authored(self.life.kind, request.user, slug, version)
        routes = {name: route for name, _, route in found.family.tabs}
        try:
            return redirect(reverse(routes[queries.home_tab(found)], args=[slug, version]))
        except NoReverseMatch:
            return redirect(found.family.route("author-history"), slug, version)

    def history(self, request: HttpRequest, slug: str, version: str) -> HttpResponse:
        """Tell what happened to a version: who moved it, when, and why."""
        person, found = self._found(request, slug, version)
        review = reverse(f"{found.family.reviews}:own", args=[slug, version])
        context = {**self.context(person, found, "history"), "told": queries.history_of(found), "review": review}
        return render(request, "publishing/author_history.html", context)

    def visibility(self, request: HttpRequest, slug: str, version: str) -> HttpResponse:
        """Say for whom a version is: its author alone, named people, her teams, or everybody."""
        person, found = self._found(request, slug, version)
        form = ShareForm(request.POST if request.method == "POST" else None, person=person, version=found)
        status = 200
        if request.method == "POST":
            status = 422
            if form.is_valid():
                try:
                    self.life.share(by=person, version=found, **form.wanted())
                except Refusal as refusal:
                    form.refuse(refusal)
                    status = refusal.status
                else:
                    messages.success(request, "That is for whom it is now.")
                    return redirect(found.family.route("author-visibility"), slug, version)
        context = {
            **self.context(person, found, "visibility"),
            "form": form,
            "people": found.people.order_by("display_name"),
            "teams": found.teams.order_by("name"),
        }
        return render(request, "publishing/author_visibility.html", context, status=status)

    def advance(self, request: HttpRequest, slug: str, version: str) -> HttpResponse:
        """Make a step of a version's life; opened as a page, it says what is lacking, and asks for the reason."""
        person, found = self._found(request, slug, version)
        form = StepForm(request.POST if request.method == "POST" else request.GET)
        if not form.is_valid():
            raise Invalid("This is no step of a version.", advice="Use the buttons of its pages.")
        name, given = form.cleaned_data["transition"], form.cleaned_data
        if name in NOT_BY_THEMSELVES:
            raise Conflict("This step is not made by itself.", advice=NOT_BY_THEMSELVES[name])
        unsaid = Need.REASON in TRANSITIONS[name].needs and not given["reason"]
        if request.method != "POST" or unsaid:
            return self._ask(request, person, found, name)
        moved = self.life.advance(
            by=person, version=found, transition=name, reason=given["reason"], revision=given["revision"]
        )
        messages.success(request, f"{found.entry.title} {version} is {found.family.words_of(State(moved.state))} now.")
        return redirect(found.family.route("author"), slug, version)

    def _ask(self, request: HttpRequest, person: Person, found: Version, name: str) -> HttpResponse:
        """Ask for a step's reason on a page of its own, as somebody without scripts needs it."""
        step = next((one for one in self.steps_of(person, found) if one.transition.name == name), None)
        if step is None:
            stands = found.family.words_of(State(found.state))
            raise Conflict(
                f"“{TRANSITIONS[name].title}” is not for you, or not possible: the version is {stands}.",
                advice="Look at its history.",
            )
        posted = request.method == "POST"
        context = {"version": found, "entry": found.entry, "family": found.family, "step": step, "empty": posted}
        return render(request, "publishing/author_step.html", context, status=422 if posted else 200)

    def delete_draft(self, request: HttpRequest, slug: str, version: str) -> HttpResponse:
        """Ask whether a version that was never published shall go, and delete it."""
        person, found = self._found(request, slug, version)
        if request.method != "POST":
            context = {
                "version": found,
                "entry": found.entry,
                "family": found.family,
                "uses": self.uses_of(found),
            }
            return render(request, "publishing/author_delete.html", context)
        self.life.delete_draft(by=person, version=found)
        messages.success(request, f"{found.entry.title} {version} is deleted.")
        return redirect(found.family.route("author-list"))

    def metadata(self, request: HttpRequest, slug: str, version: str) -> HttpResponse:
        """Show the metadata of a version; whoever may write some of them finds a form."""
        person, found = self._found(request, slug, version)
        writer = queries.writer_of(person, found)
        if request.method != "POST":
            return self._show(request, person, found, _form(found, writer) if writer else None)
        if writer is None:
            self.life.edit_metadata(by=person, version=found, values={})
            raise Conflict("There is nothing to write here.", advice="Look at the version's history.")
        form = _form(found, writer, request.POST)
        status = 422
        if form.is_valid():
            try:
                self.life.edit_metadata(by=person, version=found, values=form.changes)
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                messages.success(request, "The metadata are saved.")
                return redirect(found.family.route("author-metadata"), slug, version)
        return self._show(request, person, found, form, status)

    def take_in_metadata(self, request: HttpRequest, slug: str, version: str) -> HttpResponse:
        """Read metadata from a file into the form, where its author checks them before she saves them."""
        person, found = self._found(request, slug, version)
        if queries.writer_of(person, found) is not terms.Writer.AUTHOR:
            raise Conflict("These metadata can't be changed now.", advice="Look at the version's history.")
        upload = MetadataFileForm(request.POST, request.FILES, kind=found.family.kind)
        if not upload.is_valid() or upload.imported is None:
            return self._show(request, person, found, _form(found, terms.Writer.AUTHOR), 422, upload=upload)
        read = upload.imported
        form = _form(found, terms.Writer.AUTHOR, more=read.values)
        strange = [one.key for one in read.not_understood]
        unknown = [key for key in read.values if key not in terms.TERMS]
        said: dict[str, Any] = {
            "imported": read,
            "taken": len(read.values) - len(unknown),
            "left": [*unknown, *strange],
        }
        return self._show(request, person, found, form, **said)

    def export_metadata(self, request: HttpRequest, slug: str, version: str, format_name: str) -> HttpResponse:
        """Write what one may see of a version's metadata in a format of others."""
        found, insider = queries.find_described(self.life.kind, request.user, slug, version)
        chosen = exports.FORMATS.get(format_name)
        if chosen is None:
            known = ", ".join(exports.FORMATS)
            raise NotFound(f"There is no format “{format_name[:40]}”.", advice=f"There are {known}.")
        address = request.build_absolute_uri(reverse(found.family.route("detail"), args=[slug]))
        values = self.terms_of(found, address)
        keywords = values.get("keywords", [])
        concepts = queries.concepts_of(keywords if isinstance(keywords, list) else [])
        text = exports.export(values, format_name, kind=found.family.kind, insider=insider, concepts=concepts)
        headers = {
            "Content-Disposition": content_disposition_header(True, f"{slug}-{version}-{chosen.file}") or "attachment",
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(text, content_type=f"{chosen.media_type}; charset=utf-8", headers=headers)

    def _found(self, request: HttpRequest, slug: str, version: str) -> tuple[Person, Version]:
        person = signed_in(request.user)
        return person, queries.find_authored(self.life.kind, person, slug, version)

    def _show(
        self,
        request: HttpRequest,
        person: Person,
        found: Version,
        form: TermsForm | None,
        status: int = 200,
        **more: Any,
    ) -> HttpResponse:
        writes = form is not None and form.writer is terms.Writer.AUTHOR
        kind = found.family.kind
        context = {
            **self.context(person, found, "metadata"),
            "form": form,
            "terms": terms.shown(self.terms_of(found, ""), insider=True, kind=kind),
            "formats": exports.FORMATS.values(),
            "upload": MetadataFileForm(kind=kind) if writes else None,
            **more,
        }
        return render(request, "publishing/author_metadata.html", context, status=status)


def _form(
    found: PublishedVersion, writer: terms.Writer, data: Any = None, more: dict[str, Any] | None = None
) -> TermsForm:
    naming = {found.family.naming: found.entry.slug, "version": found.version}
    initial = {**found.metadata, **(more or {}), **naming}
    form = TermsForm(data, kind=found.family.kind, writer=writer, initial=initial)
    for name in naming:
        form.fields.pop(name, None)  # they name the version: the form shows them, and they stay
    return form
