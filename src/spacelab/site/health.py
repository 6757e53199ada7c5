"""The health page that `spacelab up`, load balancers and Kubernetes probes ask."""

from __future__ import annotations

import shutil

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from spacelab.notifications.queries import mail_health
from spacelab.workloads.queries import controller_is_running


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  Django's signature
    """Answer 200 while pages can be served, 503 while the database can't be reached; and how the rest is."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        database = True
    except DatabaseError:
        database = False
    try:
        mail = mail_health().well
    except DatabaseError:
        mail = False
    free = shutil.disk_usage(settings.SPACELAB.state).free
    body = {
        "disk": free > settings.SPACELAB.disk_floor_mb * 2**20,
        "web": True,
        "mail": mail,
        "database": database,
        "controller": controller_is_running(),
    }
    return JsonResponse(body, status=200 if database else 503)
