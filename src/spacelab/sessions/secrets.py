"""What a session must know and nobody may store: asked for by the controller right before a start."""

from __future__ import annotations

from collections.abc import Mapping

from spacelab.accounts.actions import issue_workload_token
from spacelab.accounts.models import Person
from spacelab.accounts.rules import Scope
from spacelab.sessions.models import Session
from spacelab.workloads.rules import WorkloadSpec


def workload_secrets(spec: WorkloadSpec) -> Mapping[str, str]:
    """Provide a session with a token to the platform, in the owner's name, that ends with it; a build gets nothing."""
    if not Session.objects.filter(pk=spec.id).exists():
        return {}
    owner = Person.objects.get(username=spec.owner)
    return {"SPACELAB_TOKEN": issue_workload_token(person=owner, workload=spec.id, scopes=[Scope.READ, Scope.SESSIONS])}
