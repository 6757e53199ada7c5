"""The API at /api/v1: who may use it and how, and which domain answers what."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import APIKeyCookie, HttpBearer

from spacelab import __version__
from spacelab.accounts import actions, queries
from spacelab.accounts.api import router as accounts_router
from spacelab.accounts.models import Person
from spacelab.accounts.rules import Scope
from spacelab.builds.api import router as builds_router
from spacelab.datalabs.api import router as datalabs_router
from spacelab.datalabs.author_api import publishing_router
from spacelab.datalabs.author_api import router as author_router
from spacelab.datalabs.feedback_api import bookmarks_router
from spacelab.datalabs.feedback_api import router as feedback_router
from spacelab.kit.refusals import Forbidden, Invalid, NotSignedIn, Refusal, TooLarge
from spacelab.moderation.api import pipelines_router as pipeline_reviews_router
from spacelab.moderation.api import router as reviews_router
from spacelab.moderation.report_api import router as reports_router
from spacelab.notifications.api import router as notifications_router
from spacelab.pipelines.api import router as pipelines_router
from spacelab.pipelines.author_api import publishing_router as pipeline_publishing_router
from spacelab.pipelines.author_api import router as pipeline_author_router
from spacelab.publishing.api import router as vocabulary_router
from spacelab.runs.api import router as runs_router
from spacelab.runs.saved_api import router as saved_router
from spacelab.runs.schedules.api import router as schedules_router
from spacelab.sessions.api import router as sessions_router
from spacelab.sessions.launches_api import router as launches_router
from spacelab.sessions.saving_api import router as saving_router
from spacelab.sessions.steps_api import router as steps_router
from spacelab.site.middleware import database_refusal, problem
from spacelab.site.openapi import DescribedAPI
from spacelab.testing.api import router as testing_router
from spacelab.volumes.api import router as volumes_router
from spacelab.volumes.api import workspace_router

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def _no_token() -> NotSignedIn:
    return NotSignedIn("This token doesn't hold: it is unknown, expired or revoked.", advice="Make a new token.")


class Cookie(APIKeyCookie):
    """The sign-in of a browser; what changes something needs the CSRF token as well."""

    param_name = "spacelab"

    def _get_key(self, request: HttpRequest) -> str | None:
        if "Authorization" in request.headers:
            return None
        super()._get_key(request)
        return "signed in" if isinstance(request.user, Person) else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Person | None:
        return request.user if key and isinstance(request.user, Person) else None


class Bearer(HttpBearer):
    """A token. Reading needs the scope `read` or the router's own, all else the router's own.

    A workload's token is in the hands of whoever wrote the datalab: it reads nothing `confidential` by `read` alone.
    """

    def __init__(self, scope: Scope, *, confidential: bool = False) -> None:
        super().__init__()
        self.scope = scope
        self.confidential = confidential

    def authenticate(self, request: HttpRequest, token: str) -> Person:
        row = queries.token_for(token)
        if row is None:
            raise _no_token()
        reads = request.method in SAFE_METHODS and not (self.confidential and row.workload)
        enough = {self.scope, Scope.READ} if reads else {self.scope}
        if not enough & set(row.scopes):
            raise Forbidden(f"This token lacks the scope “{self.scope}”.", advice="Make a token that has it.")
        actions.note_token_use(token=row)
        request.user = row.person
        return row.person


class Visitor(APIKeyCookie):
    """Nobody in particular: for what the public may see."""

    param_name = "none"

    def __call__(self, request: HttpRequest) -> Any:
        return "visitor" if "Authorization" not in request.headers else None

    def authenticate(self, request: HttpRequest, key: str | None) -> None:
        """Never asked: `__call__` answers."""


def people(scope: Scope, *, confidential: bool = False) -> list[Any]:
    """Say who may use a router: somebody signed in, or a token with the scope.

    `confidential` is what one would not show to the author of a datalab that one launches.
    """
    return [Bearer(scope, confidential=confidential), Cookie()]


def everybody(scope: Scope) -> list[Any]:
    """Say that a router's handlers decide for themselves, visitors included."""
    return [*people(scope), Visitor()]


api = DescribedAPI(
    title="Spacelab",
    version=__version__,
    description="What the pages do, for programs. Errors are problem documents (RFC 9457).",
    docs_url=None,
    urls_namespace="api",
)


@api.exception_handler(Refusal)
def _refused(_request: HttpRequest, refusal: Refusal) -> HttpResponse:
    answer = problem(refusal)
    if isinstance(refusal, NotSignedIn):
        answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(OperationalError)
def _no_database(_request: HttpRequest, error: OperationalError) -> HttpResponse:
    return problem(database_refusal(error))


@api.exception_handler(AuthenticationError)
def _not_signed_in(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return _refused(request, NotSignedIn("This needs an account.", advice="Sign in, or send a token."))


@api.exception_handler(ValidationError)
def _invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    field = ".".join(str(part) for part in first.get("loc", ())[2:])
    return problem(Invalid(str(first.get("msg", "This is not of the right form")), field=field))


@api.exception_handler(RequestDataTooBig)
def _too_large(_request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    most = (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) // 2**20
    return problem(TooLarge(f"This is too large: at most {most} MiB of JSON are read.", advice="Send files as files."))


@api.exception_handler(HttpError)
def _http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
    refusal = Refusal(str(error))
    refusal.status = error.status_code
    return problem(refusal)


def reference(request: HttpRequest) -> HttpResponse:
    """Show the API as a page: each operation with its words, made from the OpenAPI document."""
    paths: dict[str, dict[str, Any]] = api.get_openapi_schema()["paths"]
    operations: dict[str, list[dict[str, Any]]] = {}
    for path, methods in paths.items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            operations.setdefault(tag, []).append({**operation, "method": method.upper(), "path": path})
    return render(request, "site/api_reference.html", {"operations": sorted(operations.items())})


api.add_router("", accounts_router, auth=people(Scope.ACCOUNT))
api.add_router("/notifications", notifications_router, auth=people(Scope.ACCOUNT, confidential=True))
api.add_router("/datalabs", datalabs_router, auth=everybody(Scope.READ))
api.add_router("/author", author_router, auth=people(Scope.AUTHOR, confidential=True))
api.add_router("/author", publishing_router, auth=people(Scope.PUBLISH, confidential=True))
api.add_router("/datalabs", feedback_router, auth=everybody(Scope.FEEDBACK))
api.add_router("/datalabs", launches_router, auth=everybody(Scope.READ))
api.add_router("/bookmarks", bookmarks_router, auth=people(Scope.FEEDBACK))
api.add_router("/builds/from-session", saving_router, auth=people(Scope.AUTHOR, confidential=True))
api.add_router("/builds", builds_router, auth=people(Scope.AUTHOR, confidential=True))
api.add_router("/launch-tests", testing_router, auth=people(Scope.AUTHOR, confidential=True))
api.add_router("/reviews/reports", reports_router, auth=people(Scope.REVIEW, confidential=True))
api.add_router("/reviews", reviews_router, auth=people(Scope.REVIEW, confidential=True))
api.add_router("/pipeline-reviews", pipeline_reviews_router, auth=people(Scope.REVIEW, confidential=True))
api.add_router("/pipelines", pipelines_router, auth=everybody(Scope.READ))
api.add_router("/my-pipelines", pipeline_author_router, auth=people(Scope.AUTHOR, confidential=True))
api.add_router("/my-pipelines", pipeline_publishing_router, auth=people(Scope.PUBLISH, confidential=True))
api.add_router("/runs/saved", saved_router, auth=people(Scope.RUNS, confidential=True))
api.add_router("/runs", runs_router, auth=people(Scope.RUNS, confidential=True))
api.add_router("/schedules", schedules_router, auth=people(Scope.RUNS))
api.add_router("/sessions/from-job", steps_router, auth=people(Scope.SESSIONS))
api.add_router("/sessions", sessions_router, auth=people(Scope.SESSIONS))
api.add_router("/vocabulary", vocabulary_router, auth=everybody(Scope.READ))
api.add_router("/volumes", volumes_router, auth=everybody(Scope.READ))
api.add_router("/workspace", workspace_router, auth=people(Scope.READ))
