"""Views that are asked by scripts of a page: their refusals are problems (RFC 9457), which the page shows in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from spacelab.kit.refusals import Invalid, Refusal, TooLarge

Answer = Callable[..., HttpResponse]


def as_json(view: Answer) -> Answer:
    """Have a view's refusals answered as problems."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        try:
            return view(request, *args, **named)
        except Refusal as refusal:
            return problem(refusal)

    return answered


def problem(refusal: Refusal, **more: object) -> JsonResponse:
    """Return a refusal as a problem, with whatever else the page needs to know of it."""
    told = {"title": refusal.title, "detail": refusal.message, "advice": refusal.advice, "status": refusal.status}
    return JsonResponse({**told, **more}, status=refusal.status, content_type="application/problem+json")


def sent_object(request: HttpRequest, most: int, refusal: TooLarge) -> dict[str, Any]:
    """Read a request's JSON object of at most so many bytes; raise `Invalid` for anything else, `refusal` beyond."""
    body = request.read(most + 1)
    if len(body) > most:
        raise refusal
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("This is no JSON.", advice="Send an object.") from error
    if not isinstance(found, dict):
        raise Invalid("This is no JSON object.", advice="Send an object.")
    return found
