"""OCI archives: whether a file is one, whole and unchanged, before an engine gets to see it.

The format is that of https://github.com/opencontainers/image-spec (image layout in a tar file): every part is named
after its SHA-256, so that the manifest's digest speaks for all of it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from spacelab.kit.refusals import Invalid

PIECE = 2**20
MOST_PARTS = 2000
"""Members of an archive; real images have some dozens of layers."""
LARGEST_DOCUMENT = 4 * 2**20
"""Bytes of an index, manifest or configuration, as registries limit them."""
BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})", re.ASCII)
INDEXES = {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
MANIFESTS = {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
ZIPPED = {"application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"}
PLAIN = {"application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"}
AGAIN = "Export it again, and compare sizes after copying."
REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"
RENAMED_FILES = {"index.json", "manifest.json"}
LAYOUT_FILES = RENAMED_FILES | {"oci-layout"}
DEEPEST = 3
"""Indexes inside indexes that are followed."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Archive:
    """What a checked archive holds: the image's digest, its id on engines, its name there, labels, bytes unpacked."""

    digest: str
    image_id: str
    name: str
    labels: dict[str, str] = field(default_factory=dict)
    unpacked: int = 0


def _wrong(text: str, advice: str = AGAIN) -> Invalid:
    return Invalid(f"This is no OCI archive that can be used: {text}.", advice=advice)


def _members(archive: tarfile.TarFile, size: int) -> dict[str, tarfile.TarInfo]:
    """List an archive's files by name; refuse what no image layout holds: links, devices, files with holes."""
    found: dict[str, tarfile.TarInfo] = {}
    strange = ""
    for member in archive:
        name = member.name.removeprefix("./").rstrip("/")
        if len(found) >= MOST_PARTS:
            raise _wrong(f"it has more than {MOST_PARTS} parts")
        if member.isdir():
            continue
        if not member.isreg() or member.issparse() or member.size > size:
            strange = strange or name
        elif name in found:
            raise _wrong(f"“{name[:80]}” is in it twice")
        else:
            found[name] = member
    if "oci-layout" not in found and "manifest.json" in found:
        raise _wrong(
            "it is an image in Docker's own form",
            "Export it with `spacelab images export`, or change it by `skopeo copy docker-archive:… oci-archive:…`.",
        )
    if strange:
        raise _wrong(f"“{strange[:80]}” is no ordinary file")
    return found


class _Reader:
    """Reads the parts of one archive, each checked against its name."""

    def __init__(self, archive: tarfile.TarFile, size: int) -> None:
        self._archive = archive
        self._members = _members(archive, size)

    def _open(self, name: str) -> tuple[IO[bytes], int]:
        member = self._members.get(name)
        file = self._archive.extractfile(member) if member else None
        if member is None or file is None:
            raise _wrong(f"“{name}” is missing")
        return file, member.size

    def document(self, name: str) -> Any:
        """Read a JSON document of the layout."""
        file, size = self._open(name)
        if size > LARGEST_DOCUMENT:
            raise _wrong(f"“{name}” is larger than any such document")
        try:
            found = json.loads(file.read(LARGEST_DOCUMENT))
        except (ValueError, RecursionError) as error:
            raise _wrong(f"“{name}” can't be read") from error
        if not isinstance(found, dict):
            raise _wrong(f"“{name}” holds something else")
        return found

    def _path(self, descriptor: Any) -> str:
        digest = str(descriptor.get("digest", "")) if isinstance(descriptor, dict) else ""
        path = digest.replace("sha256:", "blobs/sha256/", 1)
        if not BLOB.fullmatch(path):
            raise _wrong("it refers to a part without a SHA-256")
        return path

    def described(self, descriptor: Any) -> Any:
        """Read the document that a descriptor speaks of, checked against its digest."""
        path = self._path(descriptor)
        for _ in self.pieces(descriptor):
            pass
        return self.document(path)

    def pieces(self, descriptor: Any) -> Iterator[bytes]:
        """Yield the bytes that a descriptor speaks of; raise `Invalid` unless size and digest are right."""
        path = self._path(descriptor)
        file, size = self._open(path)
        if size != descriptor.get("size"):
            raise _wrong(f"a part has {size} bytes instead of {descriptor.get('size')}")
        digest = hashlib.sha256()
        while piece := file.read(PIECE):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != path.rpartition("/")[2]:
            raise _wrong("a part was changed: its content has another digest than its name")


def _unzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip piece by piece, so that a bomb never stands in memory; several members may follow each other."""
    engine = zlib.decompressobj(wbits=31)
    for piece in pieces:
        data = piece
        while data:
            try:
                out = engine.decompress(data, PIECE)
            except zlib.error as error:
                raise _wrong("a layer can't be unpacked") from error
            yield out
            if engine.eof:
                data = engine.unused_data
                if data:
                    engine = zlib.decompressobj(wbits=31)
            else:
                data = engine.unconsumed_tail
    if not engine.eof:
        raise _wrong("a layer is cut short")


def _layer(reader: _Reader, descriptor: Any, diff_id: str, room: int) -> int:
    """Check one layer against the digest that the image's configuration gives; return its unpacked bytes."""
    kind = descriptor.get("mediaType")
    pieces = reader.pieces(descriptor)
    if kind in ZIPPED:
        pieces = _unzipped(pieces)
    elif kind not in PLAIN:
        raise _wrong(f"a layer is of the kind {str(kind)[:80]}", "Export it with layers compressed by gzip.")
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        if size > room:
            raise _wrong("it unpacks to more than this platform takes in", "An operator can raise image_import_mb.")
    if f"sha256:{digest.hexdigest()}" != diff_id:
        raise _wrong("a layer is another one than the image's configuration says")
    return size


def _manifest(reader: _Reader, index: Any, depth: int = 0) -> tuple[dict[str, Any], Any]:
    """Find the one image of an index: its descriptor and manifest."""
    entries = index.get("manifests")
    images = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    # Attestations of other builders stand beside the image as one of an unknown platform.
    images = [one for one in images if (one.get("platform") or {}).get("os") != "unknown"]
    if len(images) != 1:
        raise _wrong(f"it holds {len(images)} images instead of one", "Export one image for one platform.")
    found = reader.described(images[0])
    kind = images[0].get("mediaType") or found.get("mediaType")
    if kind in INDEXES and depth < DEEPEST:
        return _manifest(reader, found, depth + 1)
    if kind not in MANIFESTS:
        raise _wrong(f"it holds something of the kind {str(kind)[:80]}, not an image")
    return images[0], found


def _check(reader: _Reader, most_bytes: int, progress: Progress) -> Archive:
    if reader.document("oci-layout").get("imageLayoutVersion") != "1.0.0":
        raise _wrong("its layout is of another version")
    index = reader.document("index.json")
    descriptor, manifest = _manifest(reader, index)
    config = reader.described(manifest.get("config"))
    rootfs = config.get("rootfs")
    wanted = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    layers = manifest.get("layers")
    if not isinstance(wanted, list) or not isinstance(layers, list) or len(layers) != len(wanted):
        raise _wrong("its configuration and its manifest name different layers")
    unpacked = 0
    for number, (layer, diff_id) in enumerate(zip(layers, wanted, strict=True), 1):
        progress(f"checking layer {number} of {len(layers)}")
        unpacked += _layer(reader, layer, str(diff_id), most_bytes - unpacked)
    outer = index["manifests"][0]
    notes = {**(outer.get("annotations") or {}), **(descriptor.get("annotations") or {})}
    labels = (config.get("config") or {}).get("Labels") or {}
    return Archive(
        digest=str(descriptor["digest"]),
        image_id=str(manifest["config"]["digest"]),
        name=str(notes.get(CONTAINERD_NAME) or notes.get(REF_NAME) or ""),
        labels={str(name): str(value) for name, value in labels.items()},
        unpacked=unpacked,
    )


def _called(name: str, part: str, content: bytes) -> bytes:
    """Return an index that calls its image by another name: `index.json`, or Docker's own beside it."""
    document = json.loads(content)
    if part == "manifest.json":
        document = [{**one, "RepoTags": [name]} for one in document]
    else:
        for entry in document["manifests"]:
            entry["annotations"] = {REF_NAME: name, CONTAINERD_NAME: name}
    return json.dumps(document).encode()


def renamed(file: Path, name: str) -> Iterator[bytes]:
    """Yield a checked archive as a tar stream in which the image has another name and nothing else is changed.

    An engine gives a loaded image the name that its archive says; that could be the name of another one there.
    """
    with tarfile.open(file, "r:") as archive:
        for member in archive:
            part = member.name.removeprefix("./")
            content = archive.extractfile(member) if member.isreg() else None
            if content is None or not (BLOB.fullmatch(part) or part in LAYOUT_FILES):
                continue
            entry = tarfile.TarInfo(part)
            if part in RENAMED_FILES:
                changed = _called(name, part, content.read(LARGEST_DOCUMENT))
                content, entry.size = io.BytesIO(changed), len(changed)
            else:
                entry.size = member.size
            yield entry.tobuf()
            while piece := content.read(PIECE):
                yield piece
            yield b"\0" * (-entry.size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def check_archive(file: Path, *, most_bytes: int, progress: Progress) -> Archive:
    """Read an OCI archive from one end to the other; raise `Invalid` unless it is one image, whole and unchanged.

    `most_bytes` is what its layers may unpack to together. Nothing is unpacked to the disk.
    """
    try:
        with tarfile.open(file, "r:") as archive:
            return _check(_Reader(archive, file.stat().st_size), most_bytes, progress)
    except (tarfile.TarError, EOFError) as error:
        raise _wrong("it is cut short, or no tar file at all") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _wrong("one of its documents is not of the form that the format asks for") from error
    except OSError as error:
        raise Invalid(
            f"{file.name} can't be read: {error.strerror}", advice="Check the file's name and rights."
        ) from error
