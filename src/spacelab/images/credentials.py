"""User names and passwords of image registries, from a file in the form of Docker's config.json."""

from __future__ import annotations

import base64
import binascii
import json
import stat
from pathlib import Path
from typing import Any

from spacelab.kit.refusals import Invalid

DOCKER_HUB = "https://index.docker.io/v1/"
"""Under what name Docker's own registry stands in such a file."""
ADVICE = (
    'It holds {"auths": {"registry.example.org": {"username": "…", "password": "…"}}}, as `docker login` writes it.'
)


def registry_of(reference: str) -> str:
    """Return the registry in an image's name: what stands before the first slash, if it looks like a host."""
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _pair(entry: Any) -> tuple[str, str] | None:
    if not isinstance(entry, dict):
        return None
    if entry.get("username") and entry.get("password"):
        return str(entry["username"]), str(entry["password"])
    try:
        text = base64.b64decode(str(entry.get("auth", "")), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    name, colon, password = text.partition(":")
    return (name, password) if colon and name else None


def read_credentials(file: Path | None, reference: str) -> tuple[str, str] | None:
    """Return user name and password for the registry of an image's name; None where the file has none for it.

    Raises `Invalid` if the file can't be used, or if others than its owner may read it. No message holds a secret.
    """
    if file is None:
        return None
    try:
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Invalid(f"Others may read {file}, and it holds passwords.", advice=f"Run: chmod 600 {file}")
        entries = json.loads(file.read_bytes())["auths"]
        found = {str(host).rstrip("/"): entry for host, entry in entries.items()}
    except OSError as error:
        raise Invalid(f"{file} can't be read: {error.strerror}.", advice="Check registry_credentials.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"{file} is no file of credentials.", advice=ADVICE) from error
    host = registry_of(reference)
    names = [host, f"https://{host}", f"http://{host}"]
    if host == "docker.io":
        names.append(DOCKER_HUB.rstrip("/"))
    for name in names:
        if name in found:
            pair = _pair(found[name])
            if pair is None:
                raise Invalid(f"What {file} says for {host} can't be used.", advice=ADVICE)
            return pair
    return None
