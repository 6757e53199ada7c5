"""The platform's base images in the tests' engine: built once per machine, by what the platform builds them with."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import override_settings

from spacelab.site.base_building import Built, build_base_images
from spacelab.site.configuration import Configuration
from support.engine import CONTRACT_IMAGE, Engine

BASE = "bootstrap:bookworm"
"""No registry is needed."""


def certificates() -> Path | None:
    """Return the bundle that this machine trusts beside the usual ones: it may be behind a proxy that inspects."""
    named = os.environ.get("SPACELAB_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    return Path(named) if named else None


def _configured(engine: Engine, state: Path) -> Configuration:
    """Return the settings under which every test builds: others would build the same images anew, in turns."""
    mine = {
        "container_engine": engine.url,
        "base_image": BASE,
        "ca_bundle": certificates(),
        "state": state,
        "image_registry": "localhost",
    }
    configured: Configuration = settings.SPACELAB
    return configured.model_copy(update=mine)


def use_engine(fixture: Any, engine: Engine, state: Path) -> None:
    """Let the platform of this test use the tests' engine and a state folder of its own."""
    fixture.SPACELAB = _configured(engine, state)


@contextmanager
def _locked(engine: Engine) -> Iterator[None]:
    with (engine.cache / "base-images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(engine: Engine, *names: str) -> dict[str, Built]:
    with tempfile.TemporaryDirectory() as folder, override_settings(SPACELAB=_configured(engine, Path(folder))):
        built = build_base_images(names, progress=lambda _image, _text: None, describe=False)
        return {one.image.name: one for one in built}


def provide(engine: Engine, *names: str) -> dict[str, Built]:
    """Have these base images current in the engine; minutes once per machine, a moment afterwards."""
    with _locked(engine):
        return _build(engine, *names)


def contract_image(engine: Engine) -> str:
    """Have the image of the runtime's tests in the engine, made of the smallest base image's files; return its name."""
    with _locked(engine):
        if not engine.client.images.list(CONTRACT_IMAGE):
            smallest = _build(engine, "datalabs_base")["datalabs_base"].image
            engine.flat_copy(f"localhost/datalabs/{smallest.name}:stable", CONTRACT_IMAGE)
    return CONTRACT_IMAGE
