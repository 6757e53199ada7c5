"""What a role may allow with pipelines and steps."""

from enum import StrEnum


class PipelinePermission(StrEnum):
    """Permissions on pipelines, steps and their versions."""

    LAUNCH = "pipelines.launch"
    AUTHOR = "pipelines.author"
    PUBLISH = "pipelines.publish"
    MODERATE = "pipelines.moderate"
    ARCHIVE_ANY = "pipelines.archive-any"
