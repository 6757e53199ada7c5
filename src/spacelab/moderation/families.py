"""What is reviewed: each kind of version with what its domain does about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacelab.datalabs import actions as datalabs
from spacelab.datalabs import queries as datalab_queries
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.feedback.actions import Talk
from spacelab.pipelines import actions as pipelines
from spacelab.pipelines import queries as pipeline_queries
from spacelab.pipelines.models import Pipeline, PipelineVersion
from spacelab.publishing.actions import Life
from spacelab.publishing.models import PublishedEntry, PublishedVersion

Version = DatalabVersion | PipelineVersion


@dataclass(frozen=True)
class Reviewed:
    """One kind of version that moderators decide about."""

    kind: type[Any]
    entry: type[PublishedEntry]
    column: str
    """The column of a remark or tick that leads to it."""
    life: Life[Any]
    talk: Talk
    context: Callable[..., dict[str, Any]]
    """(person, version, tab) → what its authoring pages show."""


FAMILIES: dict[str, Reviewed] = {
    "datalabs": Reviewed(
        DatalabVersion, Datalab, "version", datalabs.LIFE, datalabs.TALK, datalab_queries.authoring_context
    ),
    "pipelines": Reviewed(
        PipelineVersion,
        Pipeline,
        "pipeline_version",
        pipelines.LIFE,
        pipelines.TALK,
        pipeline_queries.authoring_context,
    ),
}
"""By the namespace of their domain."""


def of(version: PublishedVersion) -> Reviewed:
    """Return the kind that a version is of."""
    return FAMILIES[version.family.namespace]


def of_subject(subject: str) -> Reviewed | None:
    """Return the kind that feedback or the trail names; None for a name of something else."""
    word = subject.partition(":")[0]
    return next((one for one in FAMILIES.values() if one.kind.family.word == word), None)


def entry_named(subject: str) -> Any:
    """Find the entry that feedback names so, whoever may see it; None for anything else."""
    found = of_subject(subject)
    rows: Any = found.entry._default_manager if found else None  # noqa: SLF001  Django's name for it
    return rows.select_related("maintainer").filter(slug=subject.partition(":")[2]).first() if rows else None


@contextmanager
def folder_of(version: PublishedVersion | None) -> Iterator[Path | None]:
    """Give the folder with a version's files: a package where it lies, documents written out for as long as needed."""
    if isinstance(version, DatalabVersion):
        yield Path(version.package) if version.package else None
        return
    if not isinstance(version, PipelineVersion):
        yield None
        return
    with pipeline_queries.written(version) as folder:
        yield folder
