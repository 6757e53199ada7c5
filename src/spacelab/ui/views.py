"""The appearance a visitor chooses, the styleguide, and the pages for what goes wrong."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from spacelab.ui.templatetags.ui import THEME_COOKIE, THEMES

YEAR = 365 * 24 * 3600
"""Seconds that a browser keeps the chosen appearance."""

MISHAPS: dict[int, tuple[str, str, str]] = {
    400: (
        "That request makes no sense",
        "Something in it is not of the form that this address expects.",
        "Go back, and try again.",
    ),
    403: ("You may not do that", "This page is not for you, or not from where you asked.", "Sign in, or go back."),
    404: (
        "There is nothing at this address",
        "It may have moved, it may be private, or the link has a slip in it.",
        "Look for it in the catalogue, or start again from the front page.",
    ),
    500: (
        "Something broke on our side",
        "It was written to the log. Running sessions and saved files are not affected.",
        "Try again in a moment; if it happens again, tell an operator what you did and when.",
    ),
}
"""Status → what went wrong, why, and what to do."""

CSRF_MISHAP = (
    "This form has expired",
    "The page was open for long, you signed in or out elsewhere, or the browser blocks cookies. Nothing was changed.",
    "Go back, reload the page, and send the form again.",
)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen appearance in a cookie, and go back to the page where it was chosen."""
    chosen = request.POST.get("theme", "auto")
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    answer = HttpResponseRedirect(back)
    answer.set_cookie(
        THEME_COOKIE,
        chosen if chosen in THEMES else "auto",
        max_age=YEAR,
        samesite="Lax",
        httponly=True,
        secure=request.is_secure(),
    )
    return answer


def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component; only where `debug` is on."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "ui/styleguide.html")


def _mishap(request: HttpRequest, status: int, words: tuple[str, str, str] | None = None) -> HttpResponse:
    title, message, advice = words or MISHAPS[status]
    if request.path.startswith("/api/"):
        said = {"title": title, "detail": message, "advice": advice, "field": ""}
        body = {"type": "about:blank", "status": status, **said}
        return JsonResponse(body, status=status, content_type="application/problem+json")
    chosen = request.COOKIES.get(THEME_COOKIE, "auto")
    page = render_to_string(
        "ui/error.html",
        {
            "status": status,
            "title": title,
            "message": message,
            "advice": advice,
            "chosen_theme": chosen if chosen in THEMES else "auto",
        },
    )
    return HttpResponse(page, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's signature
    """Answer 400."""
    return _mishap(request, HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's signature
    """Answer 403."""
    return _mishap(request, HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's signature
    """Answer 404."""
    return _mishap(request, HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without asking the database anything."""
    return _mishap(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  Django's signature
    """Answer a form whose secret doesn't fit."""
    return _mishap(request, HTTPStatus.FORBIDDEN, CSRF_MISHAP)
