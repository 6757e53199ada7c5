"""The GA4GH Workflow Execution Service at /ga4gh/wes/v1: who may use it, and errors as its specification says."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from spacelab import __version__
from spacelab.accounts.rules import Scope
from spacelab.kit.refusals import Refusal
from spacelab.runs.wes.api import WesError, info_router, router
from spacelab.site.api import Bearer, Visitor
from spacelab.site.middleware import database_refusal

MALFORMED, UNEXPECTED = 400, 500
TOLD = frozenset({400, 401, 403, 404, 405, 500})
"""Statuses that the specification names (and a wrong method); all else is one of them."""


class WesAPI(NinjaAPI):
    """An API whose document says that every operation refuses as the specification has it."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Return the document, with `WesError` as the answer to what is refused."""
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        document["components"]["schemas"]["WesError"] = WesError.json_schema()
        refused = {
            "description": "Refused",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WesError"}}},
        }
        for methods in document["paths"].values():
            for operation in methods.values():
                operation["responses"].setdefault("default", refused)
        return document


wes = WesAPI(
    title="Spacelab WES",
    version=__version__,
    description="GA4GH Workflow Execution Service 1.1.",
    docs_url=None,
    urls_namespace="wes",
)


def _error(status: int, message: str) -> JsonResponse:
    told = status if status in TOLD else MALFORMED if status < UNEXPECTED else UNEXPECTED
    return JsonResponse({"msg": message, "status_code": told}, status=told)


@wes.exception_handler(Refusal)
def _refused(_request: HttpRequest, refusal: Refusal) -> JsonResponse:
    return _error(refusal.status, f"{refusal.message} {refusal.advice}".strip())


@wes.exception_handler(AuthenticationError)
def _not_signed_in(_request: HttpRequest, _failure: AuthenticationError) -> JsonResponse:
    answer = _error(401, "This needs a token. Make one on your account's page, with the scope runs.")
    answer["WWW-Authenticate"] = "Bearer"
    return answer


@wes.exception_handler(ValidationError)
def _invalid(_request: HttpRequest, error: ValidationError) -> JsonResponse:
    first = error.errors[0]
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    return _error(MALFORMED, f"{where}: {first.get('msg', 'not of the right form')}")


@wes.exception_handler(RequestDataTooBig)
def _too_large(_request: HttpRequest, _failure: RequestDataTooBig) -> JsonResponse:
    return _error(MALFORMED, "This request is too large. Put data into a volume, and name them there.")


@wes.exception_handler(HttpError)
def _http_error(_request: HttpRequest, error: HttpError) -> JsonResponse:
    return _error(error.status_code, str(error))


@wes.exception_handler(OperationalError)
def _no_database(_request: HttpRequest, error: OperationalError) -> JsonResponse:
    refusal = database_refusal(error)
    return _error(refusal.status, f"{refusal.message} {refusal.advice}".strip())


wes.add_router("", info_router, auth=[Bearer(Scope.RUNS), Visitor()])
wes.add_router("/runs", router, auth=Bearer(Scope.RUNS))
