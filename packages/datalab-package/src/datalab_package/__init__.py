"""Reads, checks and plans datalab packages without the platform."""

from datalab_package.manifest import SETUP_KEYS, Manifest, read_manifest
from datalab_package.names import KINDS, SLUG, SLUG_ADVICE, slug_of
from datalab_package.problems import PackageProblem

__all__ = ["KINDS", "SETUP_KEYS", "SLUG", "SLUG_ADVICE", "Manifest", "PackageProblem", "read_manifest", "slug_of"]
