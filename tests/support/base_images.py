"""The platform's base images in the tests' engine: built once per machine, by what the platform builds them with."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import override_settings

from spacelab.site.base_building import Built, build_base_images
from spacelab.site.configuration import Configuration
from support.engine import Engine

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


def provide(engine: Engine, *names: str) -> dict[str, Built]:
    """Have these base images current in the engine; minutes once per machine, a moment afterwards."""
    with (
        (engine.cache / "base-images.lock").open("w") as lock,
        tempfile.TemporaryDirectory() as folder,
        override_settings(SPACELAB=_configured(engine, Path(folder))),
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = build_base_images(names, progress=lambda _image, _text: None, describe=False)
        return {one.image.name: one for one in built}
