"""Reads, checks and plans datalab packages without the platform."""

from datalab_package.hashing import package_hash
from datalab_package.intake import Intake, Limits, copy_folder, take_files
from datalab_package.manifest import META_KEYS, Manifest, manifest_of, meta_file, missing_terms, read_manifest
from datalab_package.names import KINDS, SLUG, SLUG_ADVICE, slug_of
from datalab_package.problems import PackageProblem
from datalab_package.setup import INTERFACE_KEYS, OPENS_KEYS, SETUP_KEYS, Opens
from datalab_package.threads import INPUT_KEYS, OUTPUT_KEYS, THREAD_KEYS, Thread, ThreadInput, ThreadOutput
from datalab_package.zips import unpack_zip

__all__ = [
    "INPUT_KEYS",
    "INTERFACE_KEYS",
    "KINDS",
    "META_KEYS",
    "OPENS_KEYS",
    "OUTPUT_KEYS",
    "SETUP_KEYS",
    "SLUG",
    "SLUG_ADVICE",
    "THREAD_KEYS",
    "Intake",
    "Limits",
    "Manifest",
    "Opens",
    "PackageProblem",
    "Thread",
    "ThreadInput",
    "ThreadOutput",
    "copy_folder",
    "manifest_of",
    "meta_file",
    "missing_terms",
    "package_hash",
    "read_manifest",
    "slug_of",
    "take_files",
    "unpack_zip",
]
