"""What the runtime reads from an image: how it starts, what it says of itself, whom its /etc/passwd names."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import posixpath
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, ImageNotFound, NotFound

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Trouble
from spacelab.workloads.runtimes.container.engine import TIMEOUT, Engine

ROOT_LABEL = "org.spacelab.root"
"""An image with this label set to `writable` gets a root file system that it can write."""

READ = ("/etc/passwd", "/etc/group")
LARGEST_READ = 2**20
MOST_LINKS = 5
LINK = 1 << 27
NO_FILE = 0x8F280000
"""The bits of the mode that an engine tells (Go's `fs.ModeType`) for folders, links, pipes and devices."""


@dataclass(frozen=True)
class Image:
    """An image: its id, the command it was made to run, its variables, labels and working directory."""

    id: str
    command: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    volumes: tuple[str, ...] = ()
    """Folders for which an engine would make a volume of its disk."""
    checks_health: bool = False
    """Whether the image has an engine start programs of its own to look after it."""

    @property
    def writable_root(self) -> bool:
        """Whether the image asks for a root file system that it can write."""
        return self.labels.get(ROOT_LABEL) == "writable"


def read_image(described: Mapping[str, Any]) -> Image:
    """Read the engine's description of an image."""
    config = described.get("Config") or {}
    words = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    pairs = (str(entry).partition("=") for entry in config.get("Env") or ())
    return Image(
        id=str(described["Id"]),
        command=tuple(str(word) for word in words),
        variables={name: value for name, _, value in pairs},
        labels=dict(config.get("Labels") or {}),
        directory=str(config.get("WorkingDir") or ""),
        checks_health=bool(config.get("Healthcheck")),
        volumes=tuple(posixpath.normpath("/" + path.lstrip("/")) for path in config.get("Volumes") or ()),
    )


def find(engine: Engine, name: str) -> Image:
    """Return an image of this engine; raise `RuntimeFault` when it isn't there."""
    with engine.call() as client:
        try:
            return read_image(client.inspect_image(name))  # type: ignore[no-untyped-call]
        except ImageNotFound as error:
            message = f"The image “{name}” is not on this machine. Build it again, or have an operator import it."
            raise RuntimeFault(message, trouble=Trouble.IMAGE_MISSING) from error


def is_there(engine: Engine, name: str) -> bool:
    """Say whether this engine has an image of that name."""
    with engine.call() as client:
        try:
            client.inspect_image(name)  # type: ignore[no-untyped-call]
        except NotFound:
            return False
        except APIError as error:
            raise RuntimeFault(f"The container engine can't describe an image: {error.explanation}") from error
    return True


def cache_folder(run_directory: Path) -> Path:
    """Return the folder that keeps what was read from images."""
    return run_directory / ".images"


def users_of(image_id: str, cache: Path) -> Path:
    """Return the file that keeps whom an image's /etc/passwd names."""
    return cache / f"{image_id.rpartition(':')[2][:32]}.json"


def user_files(engine: Engine, image: Image, cache: Path, name: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Return the image's own /etc/passwd and /etc/group, by path; read once per image, through a container `name`."""
    kept = users_of(image.id, cache)
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(kept.read_text()))
    engine.remove(name)
    with engine.call() as client:
        made = client.create_container(
            image.id,
            ["true"],
            name=name,
            entrypoint=["true"],
            labels=dict(labels),
            # For the image's own volumes some engines read its /etc/passwd, whatever that is, before we could look.
            host_config=client.create_host_config(
                network_mode="none", cap_drop=["ALL"], tmpfs=dict.fromkeys(image.volumes, "")
            ),
            network_disabled=True,
        )
        try:
            found = {path: _read(client, made["Id"], path) for path in READ}
        finally:
            engine.remove(name)
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = kept.with_name(f"{kept.name}.{name}")
    fresh.write_text(json.dumps(found))
    fresh.replace(kept)
    return found


def _read(client: docker.APIClient, container: str, path: str) -> str:
    """Read a small file of a container; empty where there is none, or nothing in it."""
    try:
        if not _is_small_file(client, container, path):
            return ""
        parts, _ = client.get_archive(container, path)
        data = b""
        for part in parts:
            data += part
            if len(data) > 2 * LARGEST_READ:
                return ""
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            member = archive.next()
            file = archive.extractfile(member) if member and member.isreg() else None
            return file.read().decode(errors="replace") if file else ""
    except (NotFound, APIError, tarfile.TarError, KeyError):
        return ""


def _is_small_file(client: docker.APIClient, container: str, path: str) -> bool:
    """Say whether there is a file, without opening it; raise `RuntimeFault` for what an engine never reads to its end.

    Engines read these files themselves when a container starts, and one that waits for a pipe waits for good.
    """
    url = f"{client.base_url}/v{client.api_version}/containers/{container}/archive"
    place = path
    for _ in range(MOST_LINKS):
        answer = client.head(url, params={"path": place}, timeout=TIMEOUT)
        if answer.status_code == requests.codes.not_found:
            return False
        try:
            about = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
            mode, size, target = int(about["mode"]), int(about["size"]), str(about.get("linkTarget") or "")
        except (ValueError, KeyError, TypeError):
            break
        if mode & NO_FILE == 0 and size <= LARGEST_READ:
            return True
        if mode & NO_FILE != LINK or target == place:
            break
        place = posixpath.join(posixpath.dirname(place), target)
    raise RuntimeFault(f"This image can't be started: its {path} is no ordinary file, or a very large one.")
