"""Builds for tests, with a builder that makes nothing and a workshop whose workloads a test ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.utils import timezone

from datalab_package import Plan, PlannedStep
from spacelab.accounts.models import Person
from spacelab.builds import actions, queries
from spacelab.builds.models import Build
from spacelab.builds.ports import Order, Result
from spacelab.builds.upkeep import Workshop
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Kind, Phase, WorkloadSpec
from support.packages import META, files_of, notebook
from support.sessions import QuietRuntime
from support.workloads import AtOnce

ANSWERS = {
    "title": "Nearby stars",
    "short_name": "nearby-stars",
    "abstract": "Where nearby stars move.",
    "version": "0.1.0",
    "creator": "Ada",
    "email": "ada@example.org",
}

PINS: dict[str, list[str]] = {}
"""What the quiet builder finds in an environment, by its name."""


class QuietBuilder:
    """Makes nothing, and says that it did."""

    def provided(self, kind: str) -> frozenset[str] | None:  # noqa: ARG002  the port's signature
        return None

    def steps(self, plan: Plan) -> tuple[PlannedStep, ...]:
        return plan.steps

    def check(self, order: Order) -> None:
        """Everything can be built."""

    def pins(self, environment: str, kind: str) -> list[str]:  # noqa: ARG002  as above
        return PINS.get(environment, [])

    def ready_made(self, order: Order) -> Result | None:  # noqa: ARG002  as above
        return None

    def spec(self, order: Order) -> WorkloadSpec:
        return WorkloadSpec(id=order.workload_id, owner=order.owner, kind=Kind.BATCH, command=("true",))

    def finish(self, order: Order) -> Result:
        return Result(environment=f"{order.owner}-{order.slug}-0", command=["true"], size_bytes=7)


@pytest.fixture
def workshop(db: None, settings: Any, quiet_runtime: type[QuietRuntime]) -> Workshop:
    """Give a workshop that does everything in the test's thread, on a runtime that starts nothing."""
    builder = "support.builds.QuietBuilder"
    settings.BUILDERS = {"environment": builder, "image": builder}
    settings.BUILD_CHECKS = []
    return Workshop(AtOnce())


def bring(person: Person, contents: Mapping[str, str | bytes] | None = None, **more: Any) -> Build:
    """Bring a notebook with its metadata, or these files."""
    whole: dict[str, str | bytes] = {"stars.ipynb": notebook("print(1)"), "datalab-meta.yml": META}
    return actions.bring_files(by=person, files=files_of(contents or whole), **more)


def start(person: Person, build: Build, **answers: Any) -> Build:
    """Start a build."""
    return actions.start(by=person, build_id=build.pk, answers={**ANSWERS, **answers})


def queued(person: Person, name: str = "nearby-stars") -> Build:
    """Bring and start something called so."""
    return start(person, bring(person), short_name=name)


def end_workload(build: Build, phase: Phase = Phase.SUCCEEDED, **values: Any) -> None:
    """End what is at work for a build, as the controller would."""
    fresh = Build.objects.get(pk=build.pk)
    now = timezone.now()
    Workload.objects.filter(pk=fresh.workload_id).update(phase=phase, started_at=now, ended_at=now, **values)


def state_of(build: Build) -> str:
    """Return the state that a build has now."""
    return queries.builds().get(pk=build.pk).state
