"""The images of the engine as a store: listed, saved, loaded, sent to registries and fetched from them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import docker
import requests
from docker.auth import resolve_repository_name
from docker.errors import APIError, ImageNotFound, create_api_error_from_http_exception
from docker.errors import NotFound as Missing
from docker.utils import parse_repository_tag

from spacelab.kit.loopback import host_name, is_loopback
from spacelab.kit.refusals import NotFound, Unavailable
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.runtimes.container.engine import Engine
from spacelab.workloads.runtimes.container.images import cache_folder, users_of
from spacelab.workloads.runtimes.container.options import Options

PATIENCE = 600
"""Seconds in which the engine must send the next piece: Podman writes a whole archive before it sends the first."""
PIECE = 2**20
TELL_EVERY = 1.0
"""Seconds between two lines of progress."""
LIBPOD = "/v4.0.0/libpod"
"""Where Podman's own API is, beside Docker's; it knows OCI archives."""
FIRST_DOCKER_WITH_OCI = 25
"""The first release of Docker whose saved images are OCI archives too."""
UNNAMED = "<none>:<none>"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class StoredImage:
    """An image of the engine: its id (`sha256:…`), names, bytes, labels, and how registries know it."""

    id: str
    names: tuple[str, ...]
    size: int
    created: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    digests: tuple[str, ...] = ()


def _moment(value: Any) -> datetime | None:
    with contextlib.suppress(ValueError, TypeError):
        if isinstance(value, int):
            return datetime.fromtimestamp(value).astimezone()
        return datetime.fromisoformat(str(value)[:19] + "+00:00")
    return None


def _stored(described: dict[str, Any]) -> StoredImage:
    labels = described.get("Labels") or (described.get("Config") or {}).get("Labels") or {}
    identifier = str(described["Id"])
    return StoredImage(
        id=identifier if ":" in identifier else f"sha256:{identifier}",
        names=tuple(name for name in described.get("RepoTags") or () if name != UNNAMED),
        size=int(described.get("Size") or 0),
        created=_moment(described.get("Created")),
        labels={str(name): str(value) for name, value in labels.items()},
        digests=tuple(described.get("RepoDigests") or ()),
    )


def _registry_of(reference: str) -> str:
    repository, _ = parse_repository_tag(reference)
    return str(resolve_repository_name(repository)[0])


def _plain(reference: str) -> dict[str, str]:
    """Return what lets Podman speak plain HTTP to a registry on this machine, as Docker does unasked."""
    return {"tlsVerify": "false"} if is_loopback(host_name(_registry_of(reference))) else {}


def _is_podman(client: docker.APIClient) -> bool:
    components = client.version(api_version=False).get("Components") or ()
    return any("Podman" in str(one.get("Name")) for one in components)


def _described(client: docker.APIClient, name: str) -> StoredImage:
    described: dict[str, Any] = client.inspect_image(name)  # type: ignore[no-untyped-call]
    return _stored(described)


def _check(answer: requests.Response) -> None:
    """Raise `APIError` or `ImageNotFound` for an answer that says no, as the client's own methods do."""
    try:
        answer.raise_for_status()
    except requests.exceptions.HTTPError as error:
        create_api_error_from_http_exception(error)


def _authorisation(credentials: tuple[str, str] | None) -> dict[str, str]:
    if credentials is None:
        return {}
    header = docker.auth.encode_header({"username": credentials[0], "password": credentials[1]})
    return {"X-Registry-Auth": header.decode() if isinstance(header, bytes) else str(header)}


class EngineStore:
    """The images of the platform's engine (`images.ports.ImageStore`)."""

    def __init__(self, engine: Engine | None = None) -> None:
        options = Options.from_settings()
        self._engine = engine or Engine(options.engine, options.run_directory)
        self._cache = cache_folder(options.run_directory)

    @contextlib.contextmanager
    def _client(self, doing: str) -> Iterator[docker.APIClient]:
        """Yield a client with patience; what hinders it is raised as a refusal with the engine's own words."""
        try:
            address = self._engine.address
            with self._engine.call():  # a missing engine is told by the one place that knows how
                pass
            client = docker.APIClient(base_url=address, timeout=PATIENCE, version="1.41")
            try:
                yield client
            finally:
                client.close()
        except RuntimeFault as fault:
            raise Unavailable(str(fault)) from fault
        except ImageNotFound as error:
            raise NotFound("The engine has no such image.", advice="`spacelab images list` shows them.") from error
        except APIError as error:
            said = str(error.explanation or error)[:300]
            raise Unavailable(
                f"The container engine can't {doing}: {said}", advice="Mend that and try again."
            ) from error
        except requests.exceptions.RequestException as error:
            raise Unavailable(
                f"The container engine broke off while it was to {doing}.", advice="Try again."
            ) from error
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
            raise Unavailable(f"{what}.", advice="Mend that and try again.") from error

    def images(self) -> list[StoredImage]:
        """List the images that have a name, by name."""
        with self._client("list its images") as client:
            found = [_stored(one) for one in client.images()]
        return sorted((one for one in found if one.names), key=lambda one: one.names[0])

    def unnamed(self) -> list[StoredImage]:
        """List the images that have no name, and that no other is made upon."""
        with self._client("list its images") as client:
            return [_stored(one) for one in client.images(filters={"dangling": True})]

    def find(self, name: str) -> StoredImage | None:
        """Find an image by a name or its id."""
        with self._client("describe an image") as client:
            try:
                return _described(client, name)
            except Missing:
                return None

    def save(self, image: str, target: Path, progress: Progress) -> None:
        """Write an image into a file in Docker's form, layers not compressed."""
        with self._client("save the image") as client:
            _write(client.get_image(image, chunk_size=PIECE), target, progress)

    def save_oci(self, image: str, target: Path, progress: Progress) -> None:
        """Write an image into a file as an OCI archive."""
        with self._client("save the image") as client:
            if _is_podman(client):
                answer = client.get(
                    f"{client.base_url}{LIBPOD}/images/{quote(image, safe='')}/get",
                    params={"format": "oci-archive", "compress": "true"},
                    stream=True,
                )
                _check(answer)
                _write(answer.iter_content(PIECE), target, progress)
                return
            version = str(client.version(api_version=False).get("Version", "0"))
            if int(version.partition(".")[0] or 0) >= FIRST_DOCKER_WITH_OCI:
                _write(client.get_image(image, chunk_size=PIECE), target, progress)
            else:
                raise Unavailable(
                    "This release of Docker can't write OCI archives.",
                    advice=f"Use Docker {FIRST_DOCKER_WITH_OCI} or Podman.",
                )

    def load_oci(self, archive: Iterator[bytes], name: str) -> StoredImage:
        """Take an image over from an OCI archive in which it has this name."""
        with self._client("load the image") as client:
            address = f"{client.base_url}/v1.41/images/load"
            answer = client.post(address, data=archive, headers={"Content-Type": "application/x-tar"})
            _check(answer)
            if "oaded image" not in answer.text:
                raise Unavailable(f"The engine took no image over: {answer.text[:300]}", advice="Try again.")
            return _described(client, name)

    def remove(self, name: str) -> None:
        """Take a name away, and with its last name the image."""
        with self._client("remove the image") as client, contextlib.suppress(Missing):  # Podman: "image not known"
            found = _described(client, name)
            client.remove_image(name)
            try:
                _described(client, found.id)
            except Missing:
                users_of(found.id, self._cache).unlink(missing_ok=True)

    def push(self, image: str, reference: str, credentials: tuple[str, str] | None, progress: Progress) -> str:
        """Send an image to a registry; return the digest by which the registry knows it."""
        repository, tag = parse_repository_tag(reference)
        with self._client("push the image") as client:
            named = reference in _described(client, image).names
            if not named:
                client.tag(image, repository, tag or "latest")
            try:
                answer = client.post(
                    f"{client.base_url}/v1.41/images/{quote(repository, safe='/:')}/push",
                    params={"tag": tag or "latest", **_plain(reference)},
                    headers=_authorisation(credentials) or {"X-Registry-Auth": "e30="},
                    stream=True,
                )
                _check(answer)
                said = _follow(answer, progress)
            finally:
                if not named:
                    with contextlib.suppress(APIError):
                        client.remove_image(reference, noprune=True)
        return next((word for line in said for word in line.split() if word.startswith("sha256:")), "")

    def pull(self, reference: str, credentials: tuple[str, str] | None, progress: Progress) -> StoredImage:
        """Fetch an image from a registry."""
        repository, tag = parse_repository_tag(reference)
        with self._client("pull the image") as client:
            if _is_podman(client):
                address, wanted = f"{LIBPOD}/images/pull", {"reference": reference, **_plain(reference)}
            else:
                address, wanted = "/v1.41/images/create", {"fromImage": repository, "tag": tag or "latest"}
            answer = client.post(
                f"{client.base_url}{address}", params=wanted, headers=_authorisation(credentials), stream=True
            )
            _check(answer)
            _follow(answer, progress)
            return _described(client, reference)


def _follow(answer: requests.Response, progress: Progress) -> list[str]:
    """Read what the engine says line by line; raise `Unavailable` with its words when it says that it failed."""
    said: list[str] = []
    for line in answer.iter_lines():
        data = json.loads(line) if line.strip() else {}
        failure = data.get("error") or (data.get("errorDetail") or {}).get("message")
        if failure:
            raise Unavailable(
                f"The registry or the engine refused: {str(failure)[:300]}",
                advice="Check the name, the registry and registry_credentials.",
            )
        text = " ".join(str(data.get(key, "")) for key in ("id", "status", "progress", "stream")).strip()
        aux = (data.get("aux") or {}).get("Digest", "") if isinstance(data.get("aux"), dict) else ""
        if text or aux:
            said.append(f"{text} {aux}".strip())
            progress(text[:120])
    return said


def _write(parts: Iterator[bytes], target: Path, progress: Progress) -> None:
    """Write what arrives into a new file for the platform's own eyes, saying how far it is."""
    written, told = 0, time.monotonic()
    with target.open("xb") as file:
        target.chmod(0o600)
        for part in parts:
            file.write(part)
            written += len(part)
            if time.monotonic() - told > TELL_EVERY:
                told = time.monotonic()
                progress(f"{written / 1e6:.0f} MB")
