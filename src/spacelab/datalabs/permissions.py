"""What a role may allow in the app store."""

from enum import StrEnum


class DatalabPermission(StrEnum):
    """Permissions on datalabs and their versions."""

    VIEW = "datalabs.view"
    AUTHOR = "datalabs.author"
    AUTHOR_DOCKERFILE = "datalabs.author-dockerfile"
    MODERATE = "datalabs.moderate"
    LAUNCH_ARCHIVED = "datalabs.launch-archived"
    SHARE = "datalabs.share"
    ARCHIVE_ANY = "datalabs.archive-any"
