"""Pages of what people say about entries of any kind: ratings, comments with answers, and reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from spacelab.accounts.queries import signed_in
from spacelab.feedback import queries
from spacelab.feedback.actions import Talk
from spacelab.feedback.forms import CommentForm, RatingForm, ReportForm
from spacelab.feedback.models import Comment
from spacelab.kit.refusals import Invalid, Refusal, TooMany

THREADS_PER_PAGE = 20
ANSWERS_PER_PAGE = 50
WRITES = ["GET", "HEAD", "POST"]


def _page(request: HttpRequest, rows: QuerySet[Any], size: int) -> Page[Any]:
    return Paginator(rows, size).get_page(request.GET.get("page"))


@dataclass(frozen=True)
class FeedbackPages:
    """The pages of one kind of entry; `urls` has their addresses below the domain's prefix."""

    talk: Talk

    def urls(self, prefix: str) -> list[URLPattern]:
        """Return the addresses of the pages of one entry, below a prefix with `slug` in it."""
        both, one = require_http_methods(WRITES), f"{prefix}comments/<int:comment_id>/"
        return [
            path(f"{prefix}bookmark", require_POST(self.bookmark), name="bookmark"),
            path(f"{prefix}rating", require_POST(self.rating), name="rating"),
            path(f"{prefix}comments/", both(self.comments), name="comments"),
            path(one, both(self.comment), name="comment"),
            path(f"{one}edit", both(self.edit_comment), name="edit-comment"),
            path(f"{one}delete", require_POST(self.take_back_comment), name="take-back"),
            path(f"{one}hide", require_POST(self.hide_comment), name="hide-comment"),
            path(f"{prefix}report", both(self.report), name="report"),
        ]

    def _route(self, page: str) -> str:
        return f"{self.talk.namespace}:{page}"

    def _named(self, entry: Any) -> dict[str, Any]:
        return {"entry": entry, "ns": self.talk.namespace}

    def bookmark(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Bookmark an entry, or take its bookmark away."""
        wanted = request.POST.get("wanted") != "no"
        self.talk.bookmark(by=signed_in(request.user), slug=slug, wanted=wanted)
        messages.success(request, "Bookmarked: you hear of its new versions." if wanted else "The bookmark is gone.")
        return redirect(f"{self.talk.namespace}:detail", slug)

    def rating(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Give an entry one to five stars, or take one's rating back."""
        person, form = signed_in(request.user), RatingForm(request.POST)
        if not form.is_valid():
            raise Invalid("That is no rating.", advice="Give one to five stars.", field="stars")
        self.talk.rate(by=person, slug=slug, stars=form.cleaned_data["stars"])
        messages.success(request, "Your rating counts." if form.cleaned_data["stars"] else "Your rating is gone.")
        return redirect(f"{reverse(self._route('detail'), args=[slug])}#ratings")

    def comments(self, request: HttpRequest, slug: str) -> HttpResponse:
        """List the comments on an entry with their first answers, and write one; a refusal keeps what was written."""
        form = CommentForm(request.POST if request.method == "POST" else None)
        status = 200
        if request.method == "POST":
            made, status = self._write(request, form, slug)
            if made:
                return redirect(f"{reverse(self._route('comments'), args=[slug])}#comment-{made.pk}")
        found = self.talk.find(slug, request.user)
        page = _page(request, queries.threads(self.talk.subject_of(found)), THREADS_PER_PAGE)
        context = {**self._about(request, found), "page": page, "talk": queries.with_answers(page), "form": form}
        return render(request, "feedback/comments.html", context, status=status)

    def _write(
        self, request: HttpRequest, form: CommentForm, slug: str, answers: int | None = None
    ) -> tuple[Comment | None, int]:
        """Keep what was written, and return it; or the status of what was refused, which the form then says."""
        person = signed_in(request.user)
        if not form.is_valid():
            return None, 422
        try:
            return self.talk.comment(by=person, slug=slug, answers=answers, **form.cleaned_data), 200
        except Refusal as refusal:
            if refusal.field not in form.fields and not isinstance(refusal, TooMany):
                raise
            form.refuse(refusal)
            return None, refusal.status

    def _about(self, request: HttpRequest, found: Any) -> dict[str, Any]:
        """Return what every page of comments shows beside them."""
        return {
            **self._named(found),
            "discussed": self.talk.is_discussed(found),
            "moderates": queries.may_moderate(request.user),
        }

    def comment(self, request: HttpRequest, slug: str, comment_id: int) -> HttpResponse:
        """Show a comment with all its answers, and write one; an answer leads to where it stands."""
        found = self.talk.find(slug, request.user)
        one = queries.find_comment(self.talk.subject_of(found), comment_id)
        form = CommentForm(request.POST if request.method == "POST" else None, label="Your answer")
        status = 200
        if request.method == "POST":
            made, status = self._write(request, form, slug, comment_id)
            if made:
                return redirect(self._place(slug, made))
        elif one.answers_id:
            return redirect(self._place(slug, one))
        root = one.answers or one
        page = _page(request, queries.answers_to(root), ANSWERS_PER_PAGE)
        context = {**self._about(request, found), "root": root, "page": page, "form": form}
        return render(request, "feedback/comment.html", context, status=status)

    def _place(self, slug: str, one: Comment) -> str:
        """Return the address at which a comment or an answer stands."""
        root = one.answers or one
        before = queries.answers_to(root).filter(pk__lt=one.pk).count() if one.answers_id else 0
        page = f"?page={before // ANSWERS_PER_PAGE + 1}" if before >= ANSWERS_PER_PAGE else ""
        return f"{reverse(self._route('comment'), args=[slug, root.pk])}{page}#comment-{one.pk}"

    def edit_comment(self, request: HttpRequest, slug: str, comment_id: int) -> HttpResponse:
        """Change one's own comment; a refusal keeps what was written."""
        person = signed_in(request.user)
        found = self.talk.find(slug, person)
        one = queries.find_own_comment(person, self.talk.subject_of(found), comment_id)
        form = CommentForm(request.POST if request.method == "POST" else None, initial={"text": one.text})
        status = 200
        if request.method == "POST":
            status = 422
            if form.is_valid():
                try:
                    self.talk.edit_comment(by=person, slug=slug, comment_id=comment_id, **form.cleaned_data)
                except Refusal as refusal:
                    form.refuse(refusal)
                    status = refusal.status
                else:
                    return redirect(self._place(slug, one))
        context = {**self._named(found), "comment": one, "form": form}
        return render(request, "feedback/comment_edit.html", context, status=status)

    def take_back_comment(self, request: HttpRequest, slug: str, comment_id: int) -> HttpResponse:
        """Remove the words of one's own comment."""
        self.talk.take_back_comment(by=signed_in(request.user), slug=slug, comment_id=comment_id)
        messages.success(request, "Your comment is gone.")
        return redirect(f"{self.talk.namespace}:comments", slug)

    def hide_comment(self, request: HttpRequest, slug: str, comment_id: int) -> HttpResponse:
        """Hide a comment with a reason, or show it again, as a moderator."""
        hidden = request.POST.get("hidden") != "no"
        one = self.talk.hide_comment(
            by=signed_in(request.user),
            slug=slug,
            comment_id=comment_id,
            reason=request.POST.get("reason", ""),
            hidden=hidden,
        )
        messages.success(
            request, "The comment is hidden; its author hears why." if hidden else "Everybody reads it again."
        )
        return redirect(self._place(slug, one))

    def report(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Report an entry, or with `comment` in the query string a comment on it, to the moderators."""
        person = signed_in(request.user)
        found = self.talk.discussed(slug, person)
        named = request.GET.get("comment", "")
        one = queries.find_comment(self.talk.subject_of(found), int(named)) if named.isdecimal() else None
        form = ReportForm(request.POST if request.method == "POST" else None, about_comment=one is not None)
        status = 200
        if request.method == "POST":
            status = 422
            if form.is_valid():
                try:
                    self.talk.report(by=person, slug=slug, comment_id=one.pk if one else None, **form.cleaned_data)
                except Refusal as refusal:
                    form.refuse(refusal)
                    status = refusal.status
                else:
                    messages.success(request, "The moderators have your report. You hear what they did about it.")
                    return redirect(f"{self.talk.namespace}:detail", slug)
        text = one.text if one and queries.may_read(one, person) else ""
        context = {**self._named(found), "comment": one, "text": text, "form": form}
        return render(request, "feedback/report.html", context, status=status)
