"""Where an image or environment comes from: labels on the image, and a provenance document beside its contents.

Labels follow the annotations of the OCI image specification; the document is an in-toto statement (v1) with a SLSA
provenance predicate (v1), not signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

LONGEST_LABEL = 1000
"""Characters; labels stand in every listing of images."""
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPES = {"image": "urn:spacelab:build:image:v1", "environment": "urn:spacelab:build:environment:v1"}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
PACKAGES_DIGEST = "spacelabPackages"
"""What an environment is known by: the SHA-256 of its sorted package URLs, a line each; a folder has no digest."""


class Described(Protocol):
    """What labels need of a package's manifest; `datalab_package.Manifest` has it."""

    @property
    def slug(self) -> str:
        """The datalab's name in addresses."""

    @property
    def title(self) -> str:
        """The datalab's name for people."""

    @property
    def abstract(self) -> str:
        """What it is, in a sentence or two."""

    @property
    def version(self) -> str:
        """The version that the package says it is."""

    @property
    def author(self) -> str:
        """Who made it."""

    @property
    def licence(self) -> str:
        """Under which licence."""


@dataclass(frozen=True)
class Origin:
    """What went into a build: who asked the builder for what, when."""

    kind: str
    """"image" or "environment"."""
    package_hash: str
    base: str = ""
    """The base image's name or digest; the base environment's name."""
    source: str = ""
    revision: str = ""
    build_id: str = ""
    builder: str = ""
    """The platform's public address."""
    builder_version: str = ""
    begun_at: datetime | None = None
    ended_at: datetime | None = None


def public_source(source: str) -> str:
    """Return a repository's address without what is not for everybody: credentials, query, fragment.

    Empty for anything but http, https and ssh: the name of a file of the host says nothing elsewhere and is nobody's
    business.
    """
    try:
        parts = urlsplit(source.strip())
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https", "ssh"} or not host:
        return ""
    return urlunsplit((parts.scheme, f"[{host}]{port}" if ":" in host else f"{host}{port}", parts.path, "", ""))


def _line(text: str) -> str:
    """Return a text as one line without control characters, not too long."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:LONGEST_LABEL]


def image_labels(
    manifest: Described, package_hash: str, base_digest: str, builder_version: str, source: str, *, revision: str = ""
) -> dict[str, str]:
    """Return the labels that say where an image comes from; those that would be empty are left out.

    `package_hash` is that of the package's files, `base_digest` the base image's (`sha256:…`), `source` the repository
    and `revision` its commit, where the package came from one.
    """
    labels = {
        "org.opencontainers.image.title": manifest.title,
        "org.opencontainers.image.description": manifest.abstract,
        "org.opencontainers.image.version": manifest.version,
        "org.opencontainers.image.authors": manifest.author,
        "org.opencontainers.image.licenses": manifest.licence,
        "org.opencontainers.image.source": public_source(source),
        "org.opencontainers.image.revision": revision if public_source(source) else "",
        "org.opencontainers.image.base.digest": base_digest,
        "org.spacelab.datalab": manifest.slug,
        "org.spacelab.package": package_hash,
        "org.spacelab.base": base_digest,
        "org.spacelab.builder": builder_version,
    }
    return {name: line for name, value in labels.items() if (line := _line(value))}


def packages_digest(purls: Iterable[str]) -> str:
    """Return what an environment is known by: see `PACKAGES_DIGEST`."""
    return sha256("".join(f"{one}\n" for one in sorted(set(purls))).encode()).hexdigest()


def _digests(text: str) -> dict[str, str]:
    return {"sha256": text.removeprefix("sha256:")} if DIGEST.fullmatch(text) else {}


def _materials(origin: Origin) -> list[dict[str, Any]]:
    package: dict[str, Any] = {"name": "package"}
    if re.fullmatch(r"[0-9a-f]{64}", origin.package_hash):
        package["digest"] = {"sha256": origin.package_hash}
    found = [package]
    if origin.base:
        digests = _digests(origin.base[-71:])
        base: dict[str, Any] = {"name": "base", "uri": origin.base.removesuffix(f"@{origin.base[-71:]}")}
        if digests:
            base["digest"] = digests
        found.append(base)
    address = public_source(origin.source)
    if address:
        repository: dict[str, Any] = {"name": "source", "uri": f"git+{address}"}
        if origin.revision:
            repository["digest"] = {"gitCommit": origin.revision}
        found.append(repository)
    return found


def provenance(name: str, digest: dict[str, str], origin: Origin) -> dict[str, Any]:
    """Write the provenance document of an image or environment called `name`."""
    metadata = {
        "invocationId": origin.build_id,
        "startedOn": origin.begun_at.isoformat() if origin.begun_at else "",
        "finishedOn": origin.ended_at.isoformat() if origin.ended_at else "",
    }
    external = {"package": origin.package_hash, "source": public_source(origin.source), "revision": origin.revision}
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": digest}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPES[origin.kind],
                "externalParameters": {key: value for key, value in external.items() if value},
                "resolvedDependencies": _materials(origin),
            },
            "runDetails": {
                "builder": {"id": origin.builder, "version": {"spacelab": origin.builder_version}},
                "metadata": {key: value for key, value in metadata.items() if value},
            },
        },
    }
