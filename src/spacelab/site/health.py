"""The health page that `spacelab up`, load balancers and Kubernetes probes ask."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

HEARTBEAT_LIMIT = 10.0
"""Seconds after which a controller that has not been heard of counts as gone."""


def controller_is_alive() -> bool:
    """Say whether the controller touched its heartbeat file lately."""
    heartbeat: Path = settings.SPACELAB.state / "controller.alive"
    try:
        return time.time() - heartbeat.stat().st_mtime < HEARTBEAT_LIMIT
    except FileNotFoundError:
        return False


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  Django's signature
    """Answer 200 while pages can be served, 503 while the database can't be reached; say how the controller is."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        database = True
    except DatabaseError:
        database = False
    body = {"web": True, "database": database, "controller": controller_is_alive()}
    return JsonResponse(body, status=200 if database else 503)
