"""Reads, checks and plans datalab packages without the platform."""

from datalab_package.contexts import write_context
from datalab_package.dockerfile_checking import DEFAULT_BASES, DockerfileProblem, check_dockerfile
from datalab_package.drafts import suggest_metadata, write_metadata
from datalab_package.failures import Failure, explain_failure
from datalab_package.hashing import package_hash
from datalab_package.imports import Proposal, missing_imports
from datalab_package.intake import Intake, Limits, check_folder, copy_folder, take_files
from datalab_package.known_names import BASE_PACKAGES
from datalab_package.manifest import META_KEYS, Manifest, flatten, manifest_of, meta_file, missing_terms, read_manifest
from datalab_package.names import KINDS, SLUG, SLUG_ADVICE, slug_of
from datalab_package.new_packages import new_package
from datalab_package.paths import safe_path
from datalab_package.planning import make_plan
from datalab_package.plans import Answers, Origin, Plan, PlannedStep
from datalab_package.problems import PackageProblem
from datalab_package.setup import (
    BASE_KEYS,
    INTERFACE_KEYS,
    OPENS_KEYS,
    SETUP_KEYS,
    BasedOn,
    Opens,
    write_path,
    write_setup,
)
from datalab_package.texts import decoded, yaml_of
from datalab_package.threads import INPUT_KEYS, OUTPUT_KEYS, THREAD_KEYS, Thread, ThreadInput, ThreadOutput
from datalab_package.zips import unpack_zip

__all__ = [
    "BASE_KEYS",
    "BASE_PACKAGES",
    "DEFAULT_BASES",
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
    "Answers",
    "BasedOn",
    "DockerfileProblem",
    "Failure",
    "Intake",
    "Limits",
    "Manifest",
    "Opens",
    "Origin",
    "PackageProblem",
    "Plan",
    "PlannedStep",
    "Proposal",
    "Thread",
    "ThreadInput",
    "ThreadOutput",
    "check_dockerfile",
    "check_folder",
    "copy_folder",
    "decoded",
    "explain_failure",
    "flatten",
    "make_plan",
    "manifest_of",
    "meta_file",
    "missing_imports",
    "missing_terms",
    "new_package",
    "package_hash",
    "read_manifest",
    "safe_path",
    "slug_of",
    "suggest_metadata",
    "take_files",
    "unpack_zip",
    "write_context",
    "write_metadata",
    "write_path",
    "write_setup",
    "yaml_of",
]
