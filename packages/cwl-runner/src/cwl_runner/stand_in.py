"""Paths where no sandbox can be made: the platform's paths then begin below a folder that `SPACELAB_ROOT` names."""

from __future__ import annotations

import os
from typing import Any

PLACES = ("/data", "/media", "/scratch", "/opt", "/var/cache/spacelab-run", "/run/spacelab-run")


def root() -> str:
    """Return the folder, empty where paths are what they say."""
    return os.environ.get("SPACELAB_ROOT", "")


def here(path: str) -> str:
    """Return where a path of the platform is on this machine; other texts as they are."""
    plain = path.removeprefix("file://")
    known = root() and any(plain == place or plain.startswith(f"{place}/") for place in PLACES)
    return root() + plain if known else path


def order_here(value: Any) -> Any:
    """Return a job order with the places of its files and folders on this machine."""
    if isinstance(value, dict):
        entry = value.get("class") in ("File", "Directory")
        return {
            name: here(item) if entry and name in ("location", "path") and isinstance(item, str) else order_here(item)
            for name, item in value.items()
        }
    return [order_here(item) for item in value] if isinstance(value, list) else value


def told(text: str) -> str:
    """Return a text of this machine as the platform knows it."""
    return text.replace(f"{root()}/", "/") if root() else text
