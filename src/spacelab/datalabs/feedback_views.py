"""Pages of what people say about datalabs: bookmarks, ratings, comments with answers, and reports."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.queries import signed_in
from spacelab.datalabs import actions, queries
from spacelab.datalabs.forms import CommentForm, RatingForm, ReportForm
from spacelab.datalabs.models import Datalab
from spacelab.feedback import queries as feedback
from spacelab.feedback.models import Comment
from spacelab.kit.refusals import Invalid, Refusal, TooMany

BOOKMARKS_PER_PAGE = 24
THREADS_PER_PAGE = 20
ANSWERS_PER_PAGE = 50


def _page(request: HttpRequest, rows: QuerySet[Any], size: int) -> Page[Any]:
    return Paginator(rows, size).get_page(request.GET.get("page"))


@require_safe
def bookmarks(request: HttpRequest) -> HttpResponse:
    """List the datalabs that one has bookmarked."""
    page = _page(request, queries.bookmarked(signed_in(request.user)), BOOKMARKS_PER_PAGE)
    return render(request, "datalabs/bookmarks.html", {"page": page})


@require_POST
def bookmark(request: HttpRequest, slug: str) -> HttpResponse:
    """Bookmark a datalab, or take its bookmark away."""
    wanted = request.POST.get("wanted") != "no"
    actions.bookmark(by=signed_in(request.user), slug=slug, wanted=wanted)
    messages.success(request, "Bookmarked: you hear of its new versions." if wanted else "The bookmark is gone.")
    return redirect("datalabs:detail", slug)


@require_POST
def rating(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a datalab one to five stars, or take one's rating back."""
    person, form = signed_in(request.user), RatingForm(request.POST)
    if not form.is_valid():
        raise Invalid("That is no rating.", advice="Give one to five stars.", field="stars")
    actions.rate(by=person, slug=slug, stars=form.cleaned_data["stars"])
    messages.success(request, "Your rating counts." if form.cleaned_data["stars"] else "Your rating is gone.")
    return redirect(f"{reverse('datalabs:detail', args=[slug])}#ratings")


@require_http_methods(["GET", "HEAD", "POST"])
def comments(request: HttpRequest, slug: str) -> HttpResponse:
    """List the comments on a datalab with their first answers, and write one; a refusal keeps what was written."""
    form = CommentForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        made, status = _write(request, form, slug)
        if made:
            return redirect(f"{reverse('datalabs:comments', args=[slug])}#comment-{made.pk}")
    found = queries.datalab(slug, request.user)
    page = _page(request, queries.comments_on(found), THREADS_PER_PAGE)
    context = {**_about(request, found), "page": page, "talk": feedback.with_answers(page), "form": form}
    return render(request, "datalabs/comments.html", context, status=status)


def _write(
    request: HttpRequest, form: CommentForm, slug: str, answers: int | None = None
) -> tuple[Comment | None, int]:
    """Keep what was written, and return it; or the status of what was refused, which the form then says."""
    person = signed_in(request.user)
    if not form.is_valid():
        return None, 422
    try:
        return actions.comment(by=person, slug=slug, answers=answers, **form.cleaned_data), 200
    except Refusal as refusal:
        if refusal.field not in form.fields and not isinstance(refusal, TooMany):
            raise
        form.refuse(refusal)
        return None, refusal.status


def _about(request: HttpRequest, found: Datalab) -> dict[str, Any]:
    """Return what every page of comments shows beside them."""
    return {
        "datalab": found,
        "discussed": queries.is_discussed(found),
        "moderates": feedback.may_moderate(request.user),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: HttpRequest, slug: str, comment_id: int) -> HttpResponse:
    """Show a comment with all its answers, and write one; an answer leads to where it stands."""
    found = queries.datalab(slug, request.user)
    one = feedback.find_comment(queries.subject_of(found), comment_id)
    form = CommentForm(request.POST if request.method == "POST" else None, label="Your answer")
    status = 200
    if request.method == "POST":
        made, status = _write(request, form, slug, comment_id)
        if made:
            return redirect(_place(slug, made))
    elif one.answers_id:
        return redirect(_place(slug, one))
    root = one.answers or one
    page = _page(request, feedback.answers_to(root), ANSWERS_PER_PAGE)
    context = {**_about(request, found), "root": root, "page": page, "form": form}
    return render(request, "datalabs/comment.html", context, status=status)


def _place(slug: str, one: Comment) -> str:
    """Return the address at which a comment or an answer stands."""
    root = one.answers or one
    before = feedback.answers_to(root).filter(pk__lt=one.pk).count() if one.answers_id else 0
    page = f"?page={before // ANSWERS_PER_PAGE + 1}" if before >= ANSWERS_PER_PAGE else ""
    return f"{reverse('datalabs:comment', args=[slug, root.pk])}{page}#comment-{one.pk}"


@require_http_methods(["GET", "HEAD", "POST"])
def edit_comment(request: HttpRequest, slug: str, comment_id: int) -> HttpResponse:
    """Change one's own comment; a refusal keeps what was written."""
    person = signed_in(request.user)
    found = queries.datalab(slug, person)
    one = feedback.find_own_comment(person, queries.subject_of(found), comment_id)
    form = CommentForm(request.POST if request.method == "POST" else None, initial={"text": one.text})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                actions.edit_comment(by=person, slug=slug, comment_id=comment_id, **form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                return redirect(_place(slug, one))
    context = {"datalab": found, "comment": one, "form": form}
    return render(request, "datalabs/comment_edit.html", context, status=status)


@require_POST
def take_back_comment(request: HttpRequest, slug: str, comment_id: int) -> HttpResponse:
    """Remove the words of one's own comment."""
    actions.take_back_comment(by=signed_in(request.user), slug=slug, comment_id=comment_id)
    messages.success(request, "Your comment is gone.")
    return redirect("datalabs:comments", slug)


@require_POST
def hide_comment(request: HttpRequest, slug: str, comment_id: int) -> HttpResponse:
    """Hide a comment with a reason, or show it again, as a moderator."""
    hidden = request.POST.get("hidden") != "no"
    one = actions.hide_comment(
        by=signed_in(request.user),
        slug=slug,
        comment_id=comment_id,
        reason=request.POST.get("reason", ""),
        hidden=hidden,
    )
    messages.success(request, "The comment is hidden; its author hears why." if hidden else "Everybody reads it again.")
    return redirect(_place(slug, one))


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """Report a datalab, or with `comment` in the query string a comment on it, to the moderators."""
    person = signed_in(request.user)
    found = queries.discussed(slug, person)
    named = request.GET.get("comment", "")
    one = feedback.find_comment(queries.subject_of(found), int(named)) if named.isdecimal() else None
    form = ReportForm(request.POST if request.method == "POST" else None, about_comment=one is not None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                actions.report(by=person, slug=slug, comment_id=one.pk if one else None, **form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                messages.success(request, "The moderators have your report. You hear what they did about it.")
                return redirect("datalabs:detail", slug)
    text = one.text if one and feedback.may_read(one, person) else ""
    context = {"datalab": found, "comment": one, "text": text, "form": form}
    return render(request, "datalabs/report.html", context, status=status)
