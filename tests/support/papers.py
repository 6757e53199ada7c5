"""Papers of images and environments for tests: contents, reports, and an engine's store that holds what it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from spacelab.images import shelf
from spacelab.images.actions import scanning
from spacelab.images.rules.provenance import Origin, provenance
from spacelab.workloads.runtimes.container.store import StoredImage

IMAGE_ID = "sha256:" + "12" * 32
IMAGE = StoredImage(
    id=IMAGE_ID,
    names=("localhost/ada_sky:v1.0-1",),
    size=742_000_000,
    created=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    labels={"org.spacelab.package": "ab" * 32, "org.spacelab.builder": "0.1.0"},
)
FOREIGN = StoredImage(id="sha256:" + "34" * 32, names=("localhost/other:1",), size=1)
PURLS = (
    "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?distro=debian-12&upstream=glibc",
    "pkg:pypi/urllib3@2.0.5",
    "pkg:pypi/pyyaml@5.3.1",
    "pkg:npm/lodash@4.17.20",
    "pkg:maven/org.example/thing@1.0",
)


class Store:
    """An engine with one image of the platform and one of somebody else's."""

    def images(self) -> list[StoredImage]:
        """List both."""
        return [IMAGE, FOREIGN]

    def find(self, name: str) -> StoredImage | None:
        """Find one of both."""
        return next((one for one in self.images() if name == one.id or name in one.names), None)


def document(*purls: str) -> dict[str, Any]:
    """Write a list of contents."""
    components = [
        {"type": "library", "name": "", "purl": one, "licenses": [{"license": {"id": "MIT"}}]} for one in purls
    ]
    return {"bomFormat": "CycloneDX", "components": components}


def make_environment(name: str) -> Path:
    """Make the folder of a finished environment."""
    folder: Path = settings.ENVIRONMENTS_DIRECTORY / name
    package = folder / "lib" / "python3.11" / "site-packages" / "urllib3-2.0.5.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: urllib3\nVersion: 2.0.5\nLicense: MIT\n")
    (folder / ".complete").touch()
    return folder


def keep_papers(key: str, *purls: str) -> None:
    """Keep contents and provenance of something, as a scan does."""
    scanning._keep(key, document(*purls))
    origin = Origin(
        kind="image",
        package_hash="ab" * 32,
        base="localhost/datalabs/jl_base:1.0",
        source="https://git.example.org/ada/sky",
        revision="f" * 40,
        builder="http://localhost:8080",
        builder_version="0.1.0",
    )
    shelf.put(key, shelf.PROVENANCE, provenance("sky", {"sha256": "0" * 64}, origin))
