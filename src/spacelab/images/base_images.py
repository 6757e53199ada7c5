"""The platform's base images: what is declared in `base-images/`, and by which hash an image is known to be current."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spacelab.kit.refusals import Invalid, NotFound

DECLARATION = "image.toml"
BOOTSTRAP = "bootstrap:"
"""How a base begins that is made from Debian's packages, e.g. `bootstrap:bookworm`, instead of being pulled."""

CONTENT_LABEL = "org.spacelab.content"
BASE_LABEL = "org.spacelab.base"
BUILDER_LABEL = "org.spacelab.builder"

USUAL_TAGS = ("latest", "stable")
"""Further versions under which an image is found: packages say `stable` where they don't care."""

DEFAULT_MIRROR = "http://deb.debian.org"
BUNDLE = "ca-bundle.pem"


@dataclass(frozen=True)
class BaseImage:
    """One declared image: its folder with a Dockerfile, and the image of ours it starts from (none: from Debian)."""

    name: str
    folder: Path
    title: str
    description: str
    version: str
    parent: str = ""
    aliases: tuple[str, ...] = ()

    def tags(self, registry: str) -> tuple[str, ...]:
        """Return all names of the image, the canonical one first."""
        names = (self.name, *self.aliases)
        return tuple(f"{registry}/datalabs/{name}:{tag}" for name in names for tag in (self.version, *USUAL_TAGS))


@dataclass(frozen=True)
class Site:
    """What a platform's own settings put into its images: where packages come from, and whom to trust."""

    registry: str = "localhost"
    base: str = "docker.io/library/debian:bookworm-slim"
    mirror: str = ""
    package_index: str = ""
    npm_registry: str = ""
    ca_bundle: Path | None = None

    @property
    def suite(self) -> str:
        """The Debian suite to bootstrap; empty where the base is pulled."""
        return self.base.removeprefix(BOOTSTRAP) if self.base.startswith(BOOTSTRAP) else ""

    @property
    def base_reference(self) -> str:
        """The image that datalabs_base starts from."""
        return f"{self.registry}/datalabs/debian:{self.suite}" if self.suite else self.base

    def files(self) -> dict[str, bytes]:
        """Return the files of the folder `site/` in the build context of an image that starts from Debian.

        Raises `Invalid` if the bundle can't be read or holds no certificate.
        """
        mirror = self.mirror.rstrip("/") or (DEFAULT_MIRROR if self.suite else "")
        index = self.package_index
        return {
            "mirror": f"{mirror}\n".encode() if mirror else b"",
            "pip.conf": f"index-url = {index}\n".encode() if index else b"",
            "uv.toml": f'[[index]]\nurl = "{index}"\ndefault = true\n'.encode() if index else b"",
            "npmrc": f"registry={self.npm_registry}\n".encode() if self.npm_registry else b"",
            BUNDLE: self._bundle(),
        }

    def _bundle(self) -> bytes:
        if self.ca_bundle is None:
            return b""
        try:
            data = self.ca_bundle.read_bytes()
        except OSError as error:
            raise Invalid(
                f"The certificates in {self.ca_bundle} can't be read: {error.strerror}.",
                advice="Check SPACELAB_CA_BUNDLE.",
            ) from error
        if b"-----BEGIN CERTIFICATE-----" not in data:
            raise Invalid(
                f"There is no certificate in {self.ca_bundle}.",
                advice="SPACELAB_CA_BUNDLE names a file in PEM form.",
            )
        return data


def read_base_images(root: Path) -> tuple[BaseImage, ...]:
    """Read the images declared below a folder, each after the one it starts from; raise `Invalid` for a wrong one."""
    declared = {file.parent.name: _read(file) for file in sorted(root.glob(f"*/{DECLARATION}"))}
    if not declared:
        raise Invalid(f"No base image is declared in {root}.", advice="The folder base-images/ belongs to Spacelab.")
    ordered: dict[str, BaseImage] = {}
    for name in declared:
        _place(name, declared, ordered, ())
    return tuple(ordered.values())


def _read(file: Path) -> BaseImage:
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        return BaseImage(
            name=file.parent.name,
            folder=file.parent,
            title=str(said["title"]),
            description=str(said["description"]),
            version=str(said["version"]),
            parent=str(said.get("from", "")),
            aliases=tuple(str(alias) for alias in said.get("aliases", ())),
        )
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise Invalid(
            f"{file} can't be used: {error}", advice="It needs title, description and version, as TOML."
        ) from error


def _place(name: str, declared: Mapping[str, BaseImage], ordered: dict[str, BaseImage], path: tuple[str, ...]) -> None:
    if name in ordered:
        return
    image = declared.get(name)
    if image is None or name in path:
        raise Invalid(
            f"The image {path[-1]} starts from “{name}”, which is not there or starts from it.",
            advice=f"Correct `from` in {DECLARATION}.",
        )
    if image.parent:
        _place(image.parent, declared, ordered, (*path, name))
    ordered[name] = image


def choose(images: tuple[BaseImage, ...], names: Iterable[str]) -> tuple[BaseImage, ...]:
    """Pick images by name with those they start from, in building order; all without a name; `NotFound` otherwise."""
    known = {image.name: image for image in images}
    wanted: set[str] = set()
    for name in names:
        if name not in known:
            raise NotFound(f"There is no base image “{name}”.", advice=f"There are {', '.join(known)}.")
        while name:
            wanted.add(name)
            name = known[name].parent  # noqa: PLW2901  up to the root
    return tuple(image for image in images if not wanted or image.name in wanted)


def context_files(image: BaseImage, site: Site) -> dict[str, tuple[bytes, int]]:
    """Return the build context of an image: for each path its content and its mode. Links are followed."""
    files: dict[str, tuple[bytes, int]] = {}
    for file in sorted(image.folder.rglob("*")):
        path = file.relative_to(image.folder)
        if file.is_file() and "__pycache__" not in path.parts and path.name != DECLARATION:
            executable = file.stat().st_mode & stat.S_IXUSR
            files[path.as_posix()] = (file.read_bytes(), 0o755 if executable else 0o644)
    if not image.parent:
        files |= {f"site/{name}": (data, 0o644) for name, data in site.files().items()}
    return files


def content_hash(image: BaseImage, files: Mapping[str, tuple[bytes, int]], below: str) -> str:
    """Hash everything that makes an image what it is; `below` is the hash, or else the name, of what it starts from."""
    digest = hashlib.sha256()
    for part in (image.name, image.version, image.title, image.description, *image.aliases, below):
        digest.update(f"{part}\0".encode())
    for path, (data, mode) in sorted(files.items()):
        digest.update(f"{path}\0{mode:o}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def content_hashes(images: Iterable[BaseImage], site: Site) -> dict[str, str]:
    """Return for each image, given in building order, the hash that a current one carries as a label."""
    hashes: dict[str, str] = {}
    for image in images:
        below = hashes[image.parent] if image.parent else site.base_reference
        hashes[image.name] = content_hash(image, context_files(image, site), below)
    return hashes


def context_archive(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Pack a build context as a tar archive that is the same for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, (data, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def build_arguments(image: BaseImage, site: Site, versions: Mapping[str, str]) -> dict[str, str]:
    """Return the Dockerfile's arguments: the registry, the base of all, and the version of each image of ours."""
    arguments = {f"{name.upper()}_VERSION": version for name, version in versions.items()}
    return arguments | {"REGISTRY": site.registry} | ({} if image.parent else {"BASE_IMAGE": site.base_reference})


def labels(image: BaseImage, content: str, base_reference: str, base_digest: str, builder: str) -> dict[str, str]:
    """Return what an image says of its origin: OCI's common labels, and ours."""
    opencontainers = {
        "title": image.title,
        "description": image.description,
        "version": image.version,
        "base.name": base_reference,
        "base.digest": base_digest,
    }
    ours = {CONTENT_LABEL: content, BASE_LABEL: base_digest, BUILDER_LABEL: builder}
    return {f"org.opencontainers.image.{name}": value for name, value in opencontainers.items()} | ours
