"""Building the platform's base images with its container engine: only what has changed, told step by step."""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from django.conf import settings
from docker.errors import APIError, ImageNotFound

import spacelab
from spacelab.images import base_images, shelf
from spacelab.images.actions.scanning import describe_image
from spacelab.images.adapters import debian
from spacelab.images.base_images import BaseImage, Site
from spacelab.images.rules.sbom import components_of, contents_of
from spacelab.kit.refusals import Unavailable
from spacelab.workloads.runtimes.container.engine import Engine

STEP = re.compile(r"^step (\d+/\d+) ?: (.+)", re.IGNORECASE)
IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}")
SHOWN_LINES = 12
"""Lines of a failed step that are worth showing."""
BUILD_SECONDS = 3600
PAGE_KB = 4
SHARED_MEMORY_KB = 64 * 1024
"""The size of a step's shared memory, to which a build adds some pages, so that its programs can be told."""


@dataclass(frozen=True)
class Standing:
    """What the engine has of a base image: nothing, an outdated one, or the current one."""

    image: BaseImage
    reference: str
    state: str
    id: str = ""
    size: int = 0
    created: str = ""
    packages: str = ""


@dataclass(frozen=True)
class Built:
    """What one image took: `seconds` is none for an image that was current already."""

    image: BaseImage
    reference: str
    id: str
    size: int
    packages: str
    seconds: float | None


Progress = Callable[[str], None]


def site() -> Site:
    """Return what the settings put into images."""
    configuration = settings.SPACELAB
    return Site(
        registry=configuration.image_registry,
        base=configuration.base_image,
        mirror=configuration.debian_mirror,
        package_index=configuration.package_index,
        npm_registry=configuration.npm_registry,
        ca_bundle=configuration.ca_bundle,
    )


def declared() -> tuple[BaseImage, ...]:
    """Return the declared images in building order."""
    return base_images.read_base_images(settings.BASE_IMAGES_DIRECTORY)


def _engine() -> Engine:
    return Engine(settings.SPACELAB.container_engine, settings.SPACELAB.run_directory)


def _inspect(client: docker.APIClient, reference: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = client.inspect_image(reference)  # type: ignore[no-untyped-call]  # a gap of the stubs
    except ImageNotFound:
        return {}
    return found


def _content(found: dict[str, Any]) -> str:
    return str(((found.get("Config") or {}).get("Labels") or {}).get(base_images.CONTENT_LABEL, ""))


def _packages(image_id: str) -> str:
    document = shelf.get(shelf.image_key(image_id), shelf.CONTENTS)
    return contents_of(components_of(document)).sentence if document else ""


def standings() -> list[Standing]:
    """Say for each declared image what the engine has of it; raise `Unavailable` without an engine."""
    here, images = site(), declared()
    hashes = base_images.content_hashes(images, here)
    result = []
    with _engine().call() as client:
        for image in images:
            reference = image.tags(here.registry)[0]
            found = _inspect(client, reference)
            if not found:
                result.append(Standing(image, reference, "missing"))
                continue
            state = "current" if _content(found) == hashes[image.name] else "outdated"
            result.append(
                Standing(
                    image,
                    reference,
                    state,
                    id=str(found["Id"]),
                    size=int(found["Size"]),
                    created=str(found.get("Created", ""))[:16].replace("T", " "),
                    packages=_packages(str(found["Id"])),
                )
            )
    return result


def build_base_images(
    names: Iterable[str], *, progress: Callable[[BaseImage, str], None], fresh: bool = False, describe: bool = True
) -> Iterator[Built]:
    """Build the named images and those below them, or all; yield each when it is there and its contents are listed.

    With `fresh`, images are made anew even if nothing of ours has changed, so that they get Debian's updates.
    Without `describe`, contents are not listed.
    Ends the build in the engine, too, when it is interrupted. Raises `NotFound` for an unknown name, `Unavailable`
    without an engine or if a step fails.
    """
    here, images = site(), declared()
    wanted = base_images.choose(images, names)
    hashes = base_images.content_hashes(images, here)
    versions = {image.name: image.version for image in images}
    engine = _engine()
    for image in wanted:
        started = time.monotonic()

        def tell(text: str, about: BaseImage = image) -> None:
            progress(about, text)

        with engine.call() as client:
            reference = image.tags(here.registry)[0]
            found = _inspect(client, reference)
            current = _content(found) == hashes[image.name]
            if fresh or not current:
                order = _Order(image, here, hashes[image.name], versions, fresh)
                _build(client, order, tell)
                found = _inspect(client, reference)
            for tag in image.tags(here.registry):
                repository, _, version = tag.rpartition(":")
                client.tag(found["Id"], repository, version)
        identity = str(found["Id"])
        if describe:
            describe_image(reference, tell)
        seconds = None if current and not fresh else time.monotonic() - started
        yield Built(image, reference, identity, int(found["Size"]), _packages(identity), seconds)


@dataclass(frozen=True)
class _Order:
    image: BaseImage
    site: Site
    content: str
    versions: dict[str, str]
    fresh: bool


def _build(client: docker.APIClient, order: _Order, tell: Progress) -> None:
    image, here = order.image, order.site
    if image.parent:
        below = f"{here.registry}/datalabs/{image.parent}:{order.versions[image.parent]}"
    else:
        below = here.base_reference
        if order.fresh or not _inspect(client, below):
            _provide_debian(client, here, tell)
    base = _inspect(client, below)
    digest = str((base.get("RepoDigests") or [""])[0].rpartition("@")[2] or base.get("Id", ""))
    mark = SHARED_MEMORY_KB + PAGE_KB * (1 + secrets.randbelow(1 << 14))
    files = base_images.context_files(image, here)
    answer = client.build(
        fileobj=io.BytesIO(base_images.context_archive(files)),
        custom_context=True,
        tag=image.tags(here.registry)[0],
        buildargs=base_images.build_arguments(image, here, order.versions),
        labels=base_images.labels(image, order.content, below, digest, f"spacelab {spacelab.__version__}"),
        network_mode="host",
        shmsize=mark * 1024,
        nocache=order.fresh,
        rm=True,
        forcerm=True,
        timeout=BUILD_SECONDS,
        decode=True,
    )
    try:
        _follow(answer, image, tell)
    except APIError as error:
        raise Unavailable(f"The engine refuses to build {image.name}: {error.explanation}") from error
    except BaseException:
        answer.close()
        _end_steps(mark)
        raise


def _follow(answer: Iterable[dict[str, Any]], image: BaseImage, tell: Progress) -> None:
    """Tell the steps of a build; raise `Unavailable` with the last lines of a step that fails."""
    step, lines = "", [""]
    for event in answer:
        for line in str(event.get("stream", "")).splitlines():
            found = STEP.match(line)
            if found:
                step, lines = f"step {found[1]}: {found[2].strip()[:100]}", []
                tell(step)
            elif line.strip():
                lines.append(line.strip())
                tell(line.strip()[:120])
        if "error" in event:
            told = "\n".join(["", *(f"  {line}" for line in lines[-SHOWN_LINES:]), f"  {event['error']}".rstrip()])
            raise Unavailable(
                f"The base image {image.name} can't be built; {step or 'its start'} failed:{told}",
                advice="If a package can't be fetched, check debian_mirror, package_index and ca_bundle.",
            )


def _provide_debian(client: docker.APIClient, here: Site, tell: Progress) -> None:
    """Have what datalabs_base starts from: pulled, or made from Debian's packages."""
    if not here.suite:
        tell(f"pulling {here.base}")
        try:
            for _event in client.pull(here.base, stream=True, decode=True):
                tell(f"pulling {here.base} {_event.get('progress') or ''}".strip())
        except APIError as error:
            raise Unavailable(
                f"{here.base} can't be pulled: {error.explanation}",
                advice="Set SPACELAB_BASE_IMAGE to bootstrap:bookworm where there is no image registry.",
            ) from error
        return
    repository, _, tag = here.base_reference.rpartition(":")
    mirror = here.mirror.rstrip("/") or base_images.DEFAULT_MIRROR
    with tempfile.TemporaryDirectory(prefix="debian-", dir=settings.SPACELAB.state) as folder:
        archive = Path(folder) / "debian.tar"
        debian.bootstrap(here.suite, mirror, archive, tell)
        tell("handing Debian to the engine")
        with archive.open("rb") as data:
            said = _last(client.import_image_from_data(data, repository=repository, tag=tag))
    if not IMAGE_ID.fullmatch(said):
        raise Unavailable(f"The engine did not take the new Debian: {said}", advice="See the engine's own log.")
    client.tag(said, repository, tag)  # Podman calls what it imports “latest”


def _last(said: str | bytes) -> str:
    lines = (said.decode(errors="replace") if isinstance(said, bytes) else str(said)).strip().splitlines()
    try:
        answer = json.loads(lines[-1])
        return str(answer.get("error") or answer["status"])
    except (IndexError, ValueError, KeyError, AttributeError):
        return lines[-1] if lines else "no answer"


def _end_steps(mark: int) -> None:
    """End what a cancelled build left running: engines finish the step at hand even when nobody listens any more.

    Its programs are those whose shared memory has the build's odd size, in KiB. Where this platform may not look
    into the engine's programs, the step ends by itself.
    """
    size = re.compile(rf" /dev/shm .*\bsize={mark}k\b")
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and size.search((entry / "mountinfo").read_text(encoding="utf-8")):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue
