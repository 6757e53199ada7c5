"""A job of a run that a session has at hand: what is shown of it, at the launch and at each restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from spacelab.accounts.models import Person
from spacelab.runs import actions as run_actions
from spacelab.volumes.rules import Mount
from spacelab.workloads.rules import ENVIRONMENTS


@dataclass(frozen=True)
class OpenedJob:
    """A job that was laid out in `folder` of its owner's workspace.

    `environment` is the step's software where the session's own is another.
    """

    run: str
    job: str
    folder: str
    environment: str = ""

    def to_json(self) -> dict[str, str]:
        """Return it as plain JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> OpenedJob | None:
        """Read back what `to_json` made; None from nothing."""
        return cls(**data) if data else None

    def mounts(self, by: Person) -> tuple[Mount, ...]:
        """Return what the session shows of it; raise `Conflict` if its run was deleted."""
        shown = run_actions.show_job(by=by, run_id=self.run, folder=self.folder)
        software = Path(settings.ENVIRONMENTS_DIRECTORY) / self.environment
        if not self.environment or not software.is_dir():
            return shown
        return (*shown, Mount(str(software), f"{ENVIRONMENTS}/{self.environment}"))
