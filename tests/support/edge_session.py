"""A session's row at an address, without anything that runs."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.kit.ids import new_id
from spacelab.sessions.models import Session
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Interface, Kind, Phase, WorkloadSpec


def make_session(
    owner: Person, *, address: str = "unix//nowhere/main.sock", phase: str = Phase.RUNNING, path: str = "/"
) -> Session:
    """Create a session of `owner` that lives at `address`."""
    datalab, _ = Datalab.objects.get_or_create(
        slug="edge-app", defaults={"title": "Edge app", "abstract": "For tests.", "author": "Tests"}
    )
    version, _ = DatalabVersion.objects.get_or_create(datalab=datalab, version="1")
    name = new_id()
    spec = WorkloadSpec(
        id=name, owner=owner.username, kind=Kind.INTERACTIVE, command=("true",), interface=Interface(path=path)
    )
    workload = Workload.objects.create(
        id=name, owner=owner, kind=Kind.INTERACTIVE, spec=spec.to_json(), phase=phase, address=address
    )
    return Session.objects.create(
        workload=workload,
        owner=owner,
        version=version,
        datalab_slug=datalab.slug,
        datalab_title=datalab.title,
        version_number=version.version,
        title="Edge app",
        profile="small",
        active_at=timezone.now() - timedelta(minutes=5),
    )
