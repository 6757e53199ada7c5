"""Static files under names that hold their content's hash, so that browsers may keep them for good."""

from __future__ import annotations

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedStaticFiles(ManifestStaticFilesStorage):
    """Hashed names; a file that is missing from the manifest keeps its plain name instead of breaking the page."""

    manifest_strict = False
