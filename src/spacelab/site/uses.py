"""What a lower domain may want to show of a higher one, handed down through the settings."""

from __future__ import annotations

from django.urls import reverse

from spacelab.datalabs.models import DatalabVersion
from spacelab.datalabs.queries import preselecting
from spacelab.datalabs.rules import Use as VersionUse
from spacelab.pipelines.models import PipelineVersion
from spacelab.runs.queries import unfinished_of
from spacelab.runs.schedules.queries import needing
from spacelab.sessions.queries import running_of
from spacelab.volumes.rules import Use


def of_volume(name: str) -> list[Use]:
    """List the datalabs whose newest version preselects the volume (see `VOLUME_USES`)."""
    return [Use(one.title, reverse("datalabs:detail", args=[one.slug])) for one in preselecting(name)]


def of_version(version: DatalabVersion) -> list[VersionUse]:
    """List the sessions that run a version now (see `VERSION_USES`)."""
    return [
        VersionUse(one.owner_id, one.owner.display_name, one.title, reverse("lab_sessions:detail", args=[one.id]))
        for one in running_of(version)
    ]


def of_pipeline_version(version: PipelineVersion) -> list[str]:
    """Name the runs at work and the schedules that need a pipeline's version (see `PIPELINE_USES`)."""
    slug, number = version.pipeline.slug, version.version
    others = version.pipeline.versions.exclude(pk=version.pk).exists()
    runs = [f"the run “{one.title}” of {one.owner.display_name}" for one in unfinished_of(slug, number)]
    schedules = needing(slug, number, alone=not others)
    return [*runs, *(f"the schedule “{one.title}” of {one.owner.display_name}" for one in schedules)]
