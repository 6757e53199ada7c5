"""Turns refusals into answers: a page for people, a problem document (RFC 9457) for programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from spacelab.kit.refusals import NotSignedIn, Refusal

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

Answer = Callable[[HttpRequest], "HttpResponseBase | Awaitable[HttpResponseBase]"]


def problem(refusal: Refusal) -> JsonResponse:
    """Return the refusal as `application/problem+json`."""
    body = {
        "type": "about:blank",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.message,
        "advice": refusal.advice,
        "field": refusal.field,
    }
    return JsonResponse(body, status=refusal.status, content_type="application/problem+json")


class RefusalMiddleware:
    """Answers a `Refusal` that a view lets through; works on both sides of the async divide."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refusal):
            return None
        if request.path.startswith("/api/"):
            return problem(exception)
        if isinstance(exception, NotSignedIn):
            query = urlencode({"next": request.get_full_path()})
            return HttpResponseRedirect(f"{reverse('accounts:sign-in')}?{query}")
        return render(request, "ui/refusal.html", {"refusal": exception}, status=exception.status)
