"""Turns refusals into answers: a page for people, a problem document (RFC 9457) for programs."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from spacelab.accounts.queries import remembering_permissions
from spacelab.kit.refusals import Invalid, NotSignedIn, Refusal, Unavailable, WrongMethod

logger = logging.getLogger(__name__)

ZERO_BYTE = ("NUL (0x00)", "\\u0000 cannot be converted to text")
"""How PostgreSQL refuses a zero byte, in a text and in JSON."""

Answer = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


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


def database_refusal(error: OperationalError) -> Refusal:
    """Say that the database can't do it now, in words for people; the error itself goes to the log."""
    logger.error("The database can't be used", exc_info=error)
    if "disk is full" in str(error) or "No space left" in str(error):
        return Unavailable(
            "The platform's disk is full, so nothing can be changed. Everything stays as it was.",
            advice="Delete what you no longer need in your workspace, or tell an operator.",
        )
    return Unavailable("The database does not answer.", advice="Try again in a moment, or tell an operator.")


def text_refusal(error: Exception) -> Refusal | None:
    """Say that a text can't be kept, if that is why the database refused: half a character in JSON, or a zero byte."""
    half = isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed"
    zero = isinstance(error, ValueError | DataError) and any(sign in str(error) for sign in ZERO_BYTE)
    if not half and not zero:
        return None
    return Invalid("A text holds a character that can't be kept.", advice="Leave out control characters.")


class _OnBothSides(ABC):
    """A middleware that works on both sides of the async divide."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    @abstractmethod
    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer a request, or promise to."""


class RefusalMiddleware(_OnBothSides):
    """Answers a `Refusal` that a view lets through; programs get a problem for a wrong method as well."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        answer = self.get_response(request)
        return self._told(request, answer) if isinstance(answer, HttpResponseBase) else self._later(request, answer)

    async def _later(self, request: HttpRequest, answer: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        return self._told(request, await answer)

    def _told(self, request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
        if not isinstance(answer, HttpResponseNotAllowed) or not request.path.startswith("/api/"):
            return answer
        told = problem(WrongMethod(f"{request.method} is not possible here.", advice=f"Use {answer['Allow']}."))
        told["Allow"] = answer["Allow"]
        return told

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError):
            exception = database_refusal(exception)
        exception = text_refusal(exception) or exception
        if not isinstance(exception, Refusal):
            return None
        if request.path.startswith("/api/"):
            return problem(exception)
        if isinstance(exception, NotSignedIn):
            query = urlencode({"next": request.get_full_path()})
            return HttpResponseRedirect(f"{reverse('accounts:sign-in')}?{query}")
        return render(request, "ui/refusal.html", {"refusal": exception}, status=exception.status)


class PermissionsMiddleware(_OnBothSides):
    """Has a person's permissions asked for once in a request. What streams on after its answer asks each time again."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        with remembering_permissions():
            answer = self.get_response(request)
            return answer if isinstance(answer, HttpResponseBase) else self._later(answer)

    async def _later(self, answer: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        with remembering_permissions():
            return await answer
