"""The API against its own OpenAPI document: whatever is sent, no operation breaks, and each answers as it says."""

from __future__ import annotations

import inspect
import json
import re
import socket
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import Phase as HypothesisPhase
from hypothesis import settings as bounds
from ninja import Schema
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Invitation, Person
from spacelab.accounts.rules import Scope
from spacelab.builds.upkeep import Workshop
from spacelab.datalabs.rules import State
from spacelab.moderation import actions as moderation
from spacelab.notifications import actions as notifications
from spacelab.notifications.models import Notification
from spacelab.notifications.rules import Kind
from spacelab.site.api import api
from support import builds, pipelines, runs, sessions
from support.authoring import make_version
from support.datalabs import make_datalab
from support.people import make_person

quiet_runtime = sessions.quiet_runtime
workshop = builds.workshop
pytestmark = pytest.mark.django_db
EXAMPLES = {GenerationMode.POSITIVE: 5, GenerationMode.NEGATIVE: 3}
"""Requests of an operation that its document allows, and that it does not."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STREAMS = {"/api/v1/sessions/{session_id}/events", "/api/v1/runs/{run_id}/events"}
"""They go on as long as a session or run, so they are asked about some that there are not."""
INSTEAD = {
    "/api/v1/pipelines": {"slug": "chain"},
    "/api/v1/my-pipelines": {"slug": "chain"},
    "/api/v1/reviews": {"slug": "spectra"},
    "/api/v1/teams": {"slug": "plasma"},
}
"""Where an address names something else than one's own version."""

document: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
described = schemathesis.openapi.from_dict(document)
described.app = get_wsgi_application()
OPERATIONS: list[Any] = [found.ok() for found in cast("Any", described.get_all_operations())]


@pytest.fixture
def token(
    db: None, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give a token that may do everything, and the names of things that there are; no address can be looked up."""

    def nobody(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    for signal in (request_started, request_finished):  # as Django's own client does: the test keeps its connection
        signal.disconnect(close_old_connections)
    person = make_person("ada", "operator", "moderator", "advanced-developer")
    row, secret = accounts.create_token(by=person, name="all", lifetime_days=1, scopes=list(Scope))
    yield secret, {"token_id": row.pk, **known_to(person, tmp_path)}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def known_to(person: Person, folder: Path) -> dict[str, Any]:
    """Make one of each thing that an address may name; return their names."""
    dora = make_person("dora", "developer")
    submitted = make_version(dora, state=State.SUBMITTED)
    sessions.make_archive("euclid", folder)
    sessions.make_datalab("jupyterlab")
    make_datalab("mine", state="built", maintainer=person)
    pipelines.make_pipeline("chain", state="built", maintainer=person)
    accounts.create_team(by=person, name="Plasma", slug="plasma")
    accounts.invite(by=dora, team=accounts.create_team(by=dora, name="Suns", slug="suns"), username=person.username)
    notifications.tell(people=[person], kind=Kind.BUILD_ENDED, title="It is built.")
    return {
        "slug": "mine",
        "version": "1.0",
        "build_id": builds.bring(person).pk,
        "run_id": runs.launch(person).pk,
        "pipeline": runs.make_pipeline(person).pipeline.slug,
        "session_id": sessions.launch(person).pk,
        "comment_id": moderation.comment(by=person, version=submitted, text="A remark").pk,
        "invitation_id": Invitation.objects.get().pk,
        "notification_id": Notification.objects.filter(person=person)[0].pk,
        "name": "euclid",
        "format_name": "json-ld",
    }


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_an_operation_answers_as_its_document_says(operation: Any, token: tuple[str, dict[str, Any]]) -> None:
    secret, known = token
    headers = {"Authorization": f"Bearer {secret}", "Host": "localhost"}
    names = {**known, **next((one for path, one in INSTEAD.items() if operation.path.startswith(path)), {})}

    def asked(case: Case[Any]) -> None:
        case.validate_response(case.call(headers=headers), checks=CHECKS)
        if case.path_parameters and operation.path not in STREAMS:
            case.path_parameters = {name: names.get(name, value) for name, value in case.path_parameters.items()}
            case.validate_response(case.call(headers=headers), checks=CHECKS)

    for mode, examples in EXAMPLES.items():
        bounded = bounds(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[HypothesisPhase.generate],
            suppress_health_check=list(HealthCheck),
        )
        drawn: Any = given(operation.as_strategy(generation_mode=mode))
        run: Any = bounded(drawn(asked))
        run()


def test_what_is_for_people_is_for_no_visitor() -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            ways = [name for way in operation.get("security", []) for name in way]
            if ways and "Visitor" not in ways:
                address = re.sub(r"\{\w+\}", "1", path)  # what an id and a name can be
                answer = Client().generic(method.upper(), address)
                assert answer.status_code == 401, (method, path)


def test_no_two_things_of_the_document_have_one_name() -> None:
    """The document knows them by their names alone: of two, one would be described as the other."""
    named: dict[str, set[str]] = defaultdict(set)
    for module in [one for name, one in sys.modules.items() if name.startswith("spacelab.")]:
        for value in vars(module).values():
            if inspect.isclass(value) and issubclass(value, Schema) and value.__module__.startswith("spacelab."):
                named[value.__name__].add(value.__module__)
    assert not {name: modules for name, modules in named.items() if len(modules) > 1}


def test_every_operation_says_how_it_refuses() -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len(operations) > 60
    assert all("default" in one["responses"] and one["operationId"] for one in operations)
    assert len({one["operationId"] for one in operations}) == len(operations)


def test_a_wrong_method_is_a_problem_document() -> None:
    answer = Client().delete("/api/v1/datalabs")
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
    assert answer["Allow"] in answer.json()["advice"]
