"""Labels and provenance documents: all that is needed to know an image, and nothing that is nobody's business."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spacelab.images.rules.provenance import Origin, image_labels, packages_digest, provenance, public_source

PACKAGE = "ab" * 32
BASE = "sha256:" + "cd" * 32


def manifest(**changes: Any) -> Any:
    """Make what a manifest says."""
    said = {"slug": "sky", "title": "Sky", "abstract": "The sky.", "version": "1.2", "author": "Ada", "licence": "MIT"}
    return SimpleNamespace(**(said | changes))


def test_labels_say_where_an_image_comes_from() -> None:
    source = "https://git.example.org/ada/sky"
    assert image_labels(manifest(), PACKAGE, BASE, "0.1.0", source, revision="f" * 40) == {
        "org.opencontainers.image.title": "Sky",
        "org.opencontainers.image.description": "The sky.",
        "org.opencontainers.image.version": "1.2",
        "org.opencontainers.image.authors": "Ada",
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.source": source,
        "org.opencontainers.image.revision": "f" * 40,
        "org.opencontainers.image.base.digest": BASE,
        "org.spacelab.datalab": "sky",
        "org.spacelab.package": PACKAGE,
        "org.spacelab.base": BASE,
        "org.spacelab.builder": "0.1.0",
    }


def test_labels_are_single_lines_and_never_empty() -> None:
    labels = image_labels(
        manifest(title='Sky"\nLABEL evil=1', abstract="x" * 5000, licence="", author="\x1b[31m"), PACKAGE, "", "1", ""
    )
    assert labels["org.opencontainers.image.title"] == 'Sky" LABEL evil=1'
    assert len(labels["org.opencontainers.image.description"]) == 1000
    assert not {name for name, value in labels.items() if not value or not value.isprintable()}
    assert "org.opencontainers.image.licenses" not in labels
    assert "org.spacelab.base" not in labels


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("https://ada:secret@git.example.org:8443/ada/sky.git?token=1#x", "https://git.example.org:8443/ada/sky.git"),
        ("https://token@git.example.org/sky", "https://git.example.org/sky"),
        ("ssh://git@git.example.org/sky", "ssh://git.example.org/sky"),
        ("https://[2001:db8::1]/sky", "https://[2001:db8::1]/sky"),
        ("file:///home/ada/sky", ""),
        ("/home/ada/sky", ""),
        ("https://[broken", ""),
        ("upload", ""),
        ("", ""),
    ],
)
def test_a_source_is_shown_without_credentials_and_never_as_a_path(source: str, shown: str) -> None:
    assert public_source(source) == shown
    labels = image_labels(manifest(), PACKAGE, BASE, "1", source, revision="abc")
    assert labels.get("org.opencontainers.image.source", "") == shown
    assert ("org.opencontainers.image.revision" in labels) == bool(shown)


def test_a_provenance_document_has_the_parts_of_slsa() -> None:
    origin = Origin(
        kind="image",
        package_hash=PACKAGE,
        base=f"localhost/datalabs/jl_base:1@{BASE}",
        source="https://ada:secret@git.example.org/sky",
        revision="f" * 40,
        build_id="b1",
        builder="https://lab.example.org",
        builder_version="0.1.0",
        begun_at=datetime(2026, 11, 21, 8, 0, tzinfo=UTC),
    )
    document = provenance("localhost/ada_sky:v1-1", {"sha256": "ef" * 32}, origin)
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    assert document["subject"] == [{"name": "localhost/ada_sky:v1-1", "digest": {"sha256": "ef" * 32}}]
    definition = document["predicate"]["buildDefinition"]
    assert definition["resolvedDependencies"] == [
        {"name": "package", "digest": {"sha256": PACKAGE}},
        {"name": "base", "uri": "localhost/datalabs/jl_base:1", "digest": {"sha256": "cd" * 32}},
        {"name": "source", "uri": "git+https://git.example.org/sky", "digest": {"gitCommit": "f" * 40}},
    ]
    assert document["predicate"]["runDetails"] == {
        "builder": {"id": "https://lab.example.org", "version": {"spacelab": "0.1.0"}},
        "metadata": {"invocationId": "b1", "startedOn": "2026-11-21T08:00:00+00:00"},
    }
    assert "secret" not in json.dumps(document)


def test_what_an_upload_came_from_is_its_hash_alone(tmp_path: Path) -> None:
    origin = Origin(kind="environment", package_hash=PACKAGE, base="jupyterlab-0123456789", source=str(tmp_path))
    document = provenance("lab-1", {"spacelabPackages": "0" * 64}, origin)
    assert str(tmp_path) not in json.dumps(document)
    assert document["predicate"]["buildDefinition"]["resolvedDependencies"] == [
        {"name": "package", "digest": {"sha256": PACKAGE}},
        {"name": "base", "uri": "jupyterlab-0123456789"},
    ]


def test_an_environment_is_known_by_its_packages_in_any_order() -> None:
    assert packages_digest(["pkg:pypi/a@1", "pkg:pypi/b@2"]) == packages_digest(
        ["pkg:pypi/b@2", "pkg:pypi/a@1", "pkg:pypi/a@1"]
    )
    assert packages_digest(["pkg:pypi/a@1"]) != packages_digest(["pkg:pypi/a@2"])
