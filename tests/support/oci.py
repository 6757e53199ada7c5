"""Small OCI archives made by hand, whole or with one thing wrong."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
LABELS = {"org.spacelab.package": "ab" * 32, "org.spacelab.builder": "0.1.0"}


def layer(**files: bytes) -> bytes:
    """Make a layer of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Layout:
    """An image layout in the making; `parts` are its files by name, to be changed at will before it is written."""

    def __init__(self, *layers: bytes, labels: dict[str, str] | None = None, zipped: bool = True) -> None:
        self.parts: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
        stored = [(gzip.compress(one, mtime=0) if zipped else one) for one in layers]
        self.config: dict[str, Any] = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": LABELS if labels is None else labels, "Cmd": ["/bin/true"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(one).hexdigest()}" for one in layers]},
        }
        kind = f"{LAYER}+gzip" if zipped else LAYER
        self.manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {},
            "layers": [self.put(one, kind) for one in stored],
        }
        self.name = "localhost/ada_sky:v1-1"
        self.seal()

    def put(self, content: bytes, kind: str) -> dict[str, Any]:
        """Add a part, and return what refers to it."""
        digest = sha256(content).hexdigest()
        self.parts[f"blobs/sha256/{digest}"] = content
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    def seal(self) -> None:
        """Write configuration, manifest and index anew after a change."""
        self.manifest["config"] = self.put(json.dumps(self.config).encode(), CONFIG)
        entry = self.put(json.dumps(self.manifest).encode(), MANIFEST)
        self.index: dict[str, Any] = {
            "schemaVersion": 2,
            "manifests": [{**entry, "annotations": {"org.opencontainers.image.ref.name": self.name}}],
        }
        self.parts["index.json"] = json.dumps(self.index).encode()

    def write(self, file: Path) -> Path:
        """Write the archive."""
        with tarfile.open(file, "w") as archive:
            for name, content in self.parts.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return file
