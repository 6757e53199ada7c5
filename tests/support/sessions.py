"""Datalabs, archives and sessions for tests, with a runtime of which a test says what it can and what it logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.utils import timezone

from spacelab.accounts.models import Membership, Person, Team
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.datalabs.rules import KEPT
from spacelab.sessions import actions
from spacelab.sessions.models import Session
from spacelab.volumes.actions import ensure_team_area
from spacelab.volumes.models import Volume
from spacelab.workloads.models import PhaseChange, Workload
from spacelab.workloads.rules import Capabilities, Observation, Phase, WorkloadSpec


class QuietRuntime:
    """Starts nothing; `isolation`, `warnings`, `printed` and what is `absent` are as a test says."""

    images: ClassVar[bool] = False
    isolation: ClassVar[str] = "sandbox"
    warnings: ClassVar[tuple[str, ...]] = ()
    printed: ClassVar[dict[str, bytes]] = {}
    absent: ClassVar[frozenset[str]] = frozenset()

    def capabilities(self) -> Capabilities:
        return Capabilities(images=self.images, isolation=self.isolation, limits="cgroup", warnings=self.warnings)

    def lacks(self, *, environment: str, image: str) -> bool:
        return bool({environment, image} & self.absent)

    def start(self, spec: WorkloadSpec, secrets: Mapping[str, str]) -> None:
        """Do nothing."""

    def observe(self) -> dict[str, Observation]:
        return {}

    def logs(self, workload_id: str, since: int = 0) -> Iterator[bytes]:
        yield self.printed.get(workload_id, b"")[since:]

    def stop(self, workload_id: str, grace_seconds: float) -> None:
        """Do nothing."""

    def forget(self, workload_id: str) -> None:
        """Do nothing."""


@pytest.fixture
def quiet_runtime(settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[QuietRuntime]:
    """Put the quiet runtime into the settings."""
    settings.WORKLOAD_RUNTIME = "support.sessions.QuietRuntime"
    monkeypatch.setattr(QuietRuntime, "images", False)
    monkeypatch.setattr(QuietRuntime, "isolation", "sandbox")
    monkeypatch.setattr(QuietRuntime, "warnings", ())
    monkeypatch.setattr(QuietRuntime, "printed", {})
    monkeypatch.setattr(QuietRuntime, "absent", frozenset())
    return QuietRuntime


@pytest.fixture
def archive(db: None, tmp_path: Path) -> Volume:
    """Create an archive volume for everyone."""
    return make_archive("euclid", tmp_path)


@pytest.fixture
def jupyterlab(db: None, quiet_runtime: type[QuietRuntime]) -> Datalab:
    """Create a datalab with one published version, whose default volume is `euclid`."""
    return make_datalab("jupyterlab", default_volumes=["euclid"])


def make_archive(name: str, folder: Path, **fields: object) -> Volume:
    """Create an archive volume with a folder of its own."""
    path = folder / name
    path.mkdir()
    return Volume.objects.create(name=name, kind="archive", path=str(path), title=name.capitalize(), **fields)


def make_datalab(
    slug: str,
    *,
    version: str = "1.0",
    default_volumes: Sequence[str] = (),
    state: str = "published",
    maintainer: Person | None = None,
    **fields: Any,
) -> Datalab:
    """Create a datalab with one version."""
    datalab, _ = Datalab.objects.get_or_create(
        slug=slug,
        defaults={"title": slug.capitalize(), "abstract": "For tests.", "author": "Tests", "maintainer": maintainer},
    )
    DatalabVersion.objects.create(
        datalab=datalab,
        version=version,
        state=state,
        default_volumes=list(default_volumes),
        visibility="everybody" if state in KEPT else "private",
        published_at=timezone.now() if state in KEPT else None,
        **{
            "environment": "base",
            "command": ["true"],
            "interface": {"port": 10000, "path": "/datalabs/{id}/lab"},
            **fields,
        },
    )
    return datalab


def make_team(slug: str, *members: Person) -> Team:
    """Create a team with its area."""
    team = Team.objects.create(slug=slug, name=slug.capitalize())
    for member in members:
        Membership.objects.create(team=team, person=member)
    ensure_team_area(by=members[0], team=team)
    return team


def launch(person: Person, *, profile: str = "small", volumes: Sequence[str] = (), title: str = "") -> Session:
    """Launch the datalab `jupyterlab`."""
    return actions.launch(by=person, datalab_slug="jupyterlab", profile=profile, volumes=volumes, teams=[], title=title)


def move(session: Session, *phases: Phase, reason: str = "") -> Session:
    """Bring the session's workload through these phases, as the controller would; return it as it is then."""
    now = timezone.now()
    for phase in phases:
        Workload.objects.filter(pk=session.id).update(phase=phase, reason=reason)
        PhaseChange.objects.create(workload_id=session.id, phase=phase, reason=reason)
        if phase is Phase.STARTING:
            Workload.objects.filter(pk=session.id).update(started_at=now)
        if phase is Phase.RUNNING:
            Workload.objects.filter(pk=session.id).update(ready_at=now)
        if phase in {Phase.STOPPED, Phase.FAILED}:
            Workload.objects.filter(pk=session.id).update(ended_at=now)
    return Session.objects.select_related("workload").get(pk=session.id)


def idle_since(session: Session, length: timedelta) -> datetime:
    """Make the session's last activity lie so far back; return when that was."""
    then = timezone.now() - length
    Session.objects.filter(pk=session.id).update(active_at=then)
    return then
