"""What looking into images needs from outside: a program that lists contents, and the engine's store of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

Progress = Callable[[str], None]


class Cataloguer(Protocol):
    """Lists the packages in an image or folder, executing nothing of it. `work` is a folder for what is temporary."""

    def describe_archive(self, archive: Path, *, name: str, version: str, work: Path) -> dict[str, Any]:
        """Return the CycloneDX document of an image saved in Docker's form; raise `Unavailable` if it can't be read."""

    def describe_folder(self, folder: Path, *, name: str, version: str, work: Path) -> dict[str, Any]:
        """Return the CycloneDX document of what is installed in a folder; raise `Unavailable` if it can't be read."""

    def to_spdx(self, document: Path, *, work: Path) -> dict[str, Any]:
        """Return a CycloneDX file's content as an SPDX document."""


class StoredImage(Protocol):
    """An image of the engine."""

    @property
    def id(self) -> str:
        """`sha256:…`, the digest of its configuration."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its names, each with a tag."""

    @property
    def size(self) -> int:
        """Bytes that it takes unpacked."""

    @property
    def created(self) -> datetime | None:
        """When it was made."""

    @property
    def digests(self) -> tuple[str, ...]:
        """How registries know it: `name@sha256:…`."""

    @property
    def labels(self) -> dict[str, str]:
        """What it says of its origin."""


class ImageStore(Protocol):
    """The images of the platform's engine. Every method raises `Unavailable` without an engine."""

    def images(self) -> Sequence[StoredImage]:
        """List the images that have a name."""

    def unnamed(self) -> Sequence[StoredImage]:
        """List the images that have no name, and that no other is made upon."""

    def find(self, name: str) -> StoredImage | None:
        """Find an image by a name or its id."""

    def save(self, image: str, target: Path, progress: Progress) -> None:
        """Write an image into a file in Docker's form (`docker save`), layers not compressed."""

    def save_oci(self, image: str, target: Path, progress: Progress) -> None:
        """Write an image into a file as an OCI archive."""

    def load_oci(self, archive: Iterator[bytes], name: str) -> StoredImage:
        """Take an image over from an OCI archive that was found in order, and in which it has this name."""

    def remove(self, name: str) -> None:
        """Take a name away, and with its last name the image."""

    def push(self, image: str, reference: str, credentials: tuple[str, str] | None, progress: Progress) -> str:
        """Send an image to a registry; return the digest by which the registry knows it."""

    def pull(self, reference: str, credentials: tuple[str, str] | None, progress: Progress) -> StoredImage:
        """Fetch an image from a registry."""
