"""Pages of reviews: the queue, one version's evidence and decision, its files, its comments, and its author's view."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.feedback import queries as feedback
from spacelab.feedback.rules import LONGEST_COMMENT
from spacelab.kit.files import attachment
from spacelab.kit.refusals import Invalid, Refusal
from spacelab.moderation import actions, queries, rules
from spacelab.moderation.families import Version, of
from spacelab.moderation.forms import AnswerForm, CommentForm, StepForm
from spacelab.moderation.papers import changed_packages, contents_file, papers_of

PER_PAGE = 50
LARGEST_PICTURE = 10 * 2**20
"""Bytes of a screenshot that is shown on the page."""


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """List what waits for review and what is under review, oldest first, with the load of each moderator."""
    person = signed_in(request.user)
    wanted = request.GET.get("show", "")
    shown = rules.Shown(wanted) if wanted in set(rules.Shown) else rules.Shown.ALL
    found: Any = queries.queue(person, shown)  # counted and sliced, which is all that pages need
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "shown": shown,
        "filters": rules.SHOWN_WORDS.items(),
        "load": queries.load(),
        "reports_open": feedback.open_reports(),
    }
    return render(request, "moderation/queue.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, slug: str, number: str, family: str = "datalabs") -> HttpResponse:
    """Show the evidence about one version, and take a step or a decision; a refusal keeps what was written."""
    person = signed_in(request.user)
    version = queries.version_for(person, slug, number, family)
    form = StepForm(request.POST or None, initial={"revision": version.revision})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            chosen = form.cleaned_data
            try:
                actions.decide(
                    by=person,
                    version=version,
                    step=chosen["transition"],
                    reason=chosen["reason"],
                    revision=chosen["revision"],
                )
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
                version = queries.version_for(person, slug, number, family)
            else:
                messages.success(request, f"{version}: done.")
                return redirect(f"{version.family.reviews}:review", slug, number)
    return render(request, "moderation/review.html", _evidence(person, version, form), status=status)


def _evidence(person: Person, version: Version, form: StepForm) -> dict[str, Any]:
    before, points, papers = queries.published_before(version), queries.checklist(version), papers_of(version)
    steps = queries.steps(person, version, queries.missing_of(points, papers))
    return {
        "version": version,
        "tab": "evidence",
        "before": before,
        "terms": queries.terms_of(version, before),
        "points": points,
        "papers": papers,
        "packages": changed_packages(version, before),
        "evidence": queries.evidence_of(version),
        "moves": [one for one in steps if one.transition.name not in rules.DECISIONS],
        "decisions": [one for one in steps if one.transition.name in rules.DECISIONS],
        "form": form,
    }


@require_safe
def contents(request: HttpRequest, slug: str, number: str, family: str = "datalabs") -> HttpResponseBase:
    """Hand out the list of what the version contains, as CycloneDX."""
    file = contents_file(queries.version_for(signed_in(request.user), slug, number, family))
    return attachment(request, file.open("rb"), f"{slug}-{number}.cdx.json", "application/json")


@require_safe
def files(request: HttpRequest, slug: str, number: str, family: str = "datalabs") -> HttpResponse:
    """Show how the files differ from those of the version that was published last, with the open remarks on them."""
    version = queries.version_for(signed_in(request.user), slug, number, family)
    before = queries.published_before(version)
    found, remarks = queries.differences(version, before), queries.comments_by_lines(version)
    context = {
        "version": version,
        "tab": "files",
        "before": before,
        "differences": found,
        "files": [(one, remarks.get(one.path, ())) for one in found.files],
    }
    return render(request, "moderation/files.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def comments(request: HttpRequest, slug: str, number: str, family: str = "datalabs") -> HttpResponse:
    """List the comments on a version, and write one; a refusal keeps what was written."""
    person = signed_in(request.user)
    version = queries.version_for(person, slug, number, family)
    place = {name: request.GET[name] for name in ("path", "line") if name in request.GET}
    form = CommentForm(request.POST or None, initial=place)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = actions.comment(by=person, version=version, **form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                return redirect(_last_page(version, f"{version.family.reviews}:comments", made.pk))
    context = {"version": version, "tab": "comments", "form": form, "page": _page(request, version)}
    return render(request, "moderation/comments.html", context, status=status)


def _page(request: HttpRequest, version: Version) -> Any:
    return Paginator(queries.comments(version), PER_PAGE).get_page(request.GET.get("page"))


def _last_page(version: Version, route: str, comment_id: int) -> str:
    pages = Paginator(queries.comments(version), PER_PAGE).num_pages
    address = reverse(route, args=[version.entry.slug, version.version])
    return f"{address}?page={pages}#comment-{comment_id}"


@require_POST
def answer(request: HttpRequest, slug: str, number: str, family: str = "datalabs") -> HttpResponse:
    """Keep an answer, or the author's own remark, and return to where it was written."""
    person = signed_in(request.user)
    version = queries.talk_about(person, slug, number, family)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        raise Invalid(
            "Write an answer.", advice=f"It has at most {LONGEST_COMMENT} characters; go back and shorten it."
        )
    made = actions.comment(by=person, version=version, **form.cleaned_data)
    page_name = "own" if version.entry.maintainer_id == person.pk else "comments"
    route = f"{version.family.reviews}:{page_name}"
    back = reverse(route, args=[slug, number])
    page = request.POST.get("page", "")
    return redirect(f"{back}{f'?page={page}' if page.isdecimal() else ''}#comment-{made.pk}")


@require_POST
def resolve(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Note that a remark is settled, or open again."""
    wanted = request.POST.get("resolved") != "no"
    found = actions.resolve(by=signed_in(request.user), comment_id=comment_id, resolved=wanted)
    back = reverse(f"{found.about.family.reviews}:comments", args=[found.about.entry.slug, found.about.version])
    page = request.POST.get("page", "")
    return redirect(f"{back}{f'?page={page}' if page.isdecimal() else ''}#comment-{found.pk}")


@require_POST
def checklist(request: HttpRequest, slug: str, number: str, family: str = "datalabs") -> HttpResponse:
    """Keep which points of the checklist are in order."""
    person = signed_in(request.user)
    version = queries.version_for(person, slug, number, family)
    actions.tick(by=person, version=version, points=request.POST.getlist("points"))
    return redirect(f"{reverse(f'{version.family.reviews}:review', args=[slug, number])}#checklist")


@require_safe
def own(request: HttpRequest, slug: str, number: str, family: str = "datalabs") -> HttpResponse:
    """Show the author what moderators wrote about her version, to be answered."""
    person = signed_in(request.user)
    version = queries.own_version(person, slug, number, family)
    context = {**of(version).context(person, version, "review"), "page": _page(request, version)}
    return render(request, "moderation/own.html", context)
