"""Reads `spacelab.yml`: how a datalab is started and what it opens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from datalab_package import names
from datalab_package.texts import Keys, read_text, read_yaml
from datalab_package.threads import read_threads

SETUP_FILE = "spacelab.yml"
SETUP_KEYS = {
    *("kind", "command", "interface", "activity_probe", "default_volumes", "variables"),
    *("opens", "threads", "root", "base"),
}
BASE_KEYS = {"datalab", "version"}
INTERFACE_KEYS = {"port", "path", "health_path"}
OPENS_KEYS = {"formats", "default"}
PROBES = ("jupyter",)
ROOTS = ("read-only", "writable")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Opens:
    """Which files a datalab opens: `formats` by their names' endings, and the paths it shows at first."""

    formats: tuple[str, ...] = ()
    default: tuple[str, ...] = ()


@dataclass(frozen=True)
class BasedOn:
    """The version of another datalab that a package builds on: what that one has need not be installed again."""

    datalab: str
    version: str

    def __str__(self) -> str:
        return f"{self.datalab} {self.version}"


def read_setup(folder: Path) -> dict[str, Any]:
    """Return the manifest's fields that `spacelab.yml` sets; raise `PackageProblem` on what can't be used."""
    file = folder / SETUP_FILE
    if not file.is_file():
        return {}
    keys = Keys(SETUP_FILE, read_yaml(file))
    keys.only(SETUP_KEYS)
    kind = keys.choice("kind", names.KINDS)
    command = keys.command("command")
    opens = keys.table("opens", OPENS_KEYS)
    return {
        "kind": kind or ("web" if command else "jupyter"),
        "declared_kind": kind,
        "activity_probe": keys.choice("activity_probe", PROBES),
        "command": command,
        "interface": _interface(keys),
        "default_volumes": keys.words("default_volumes"),
        "variables": _variables(keys),
        "opens": Opens(
            formats=tuple(word.lower().removeprefix("*").removeprefix(".") for word in opens.words("formats")),
            default=tuple(opens.words("default")),
        ),
        "threads": read_threads(keys),
        "root": keys.choice("root", ROOTS) or ROOTS[0],
        "based_on": _based_on(keys),
    }


def write_setup(folder: Path, more: dict[str, Any]) -> None:
    """Write these keys into `spacelab.yml`, in place of what stood there under them, and keep what else it says."""
    file = folder / SETUP_FILE
    text = read_text(file) if file.is_file() else ""
    known = read_yaml(file) if text.strip() else {}
    if not more:
        return
    if not known or known.keys() & more.keys():
        text = yaml.safe_dump({**known, **more}, allow_unicode=True, sort_keys=False)
    else:
        block = yaml.safe_dump(more, allow_unicode=True, sort_keys=False)
        text = f"{text.rstrip()}\n{block}".lstrip()
    file.write_text(text, "utf-8")


def _based_on(keys: Keys) -> BasedOn | None:
    below = keys.table("base", BASE_KEYS)
    if not below.values:
        return None
    datalab = below.text("datalab", longest=60, needed=True)
    if not re.fullmatch(names.SLUG, datalab):
        raise below.wrong("datalab", f"“{datalab}” is no datalab's short name", names.SLUG_ADVICE)
    return BasedOn(datalab, below.text("version", longest=40, needed=True))


def write_path(folder: Path, path: str) -> None:
    """Write into `spacelab.yml` that the application begins and answers at `path`, and keep what else stands there."""
    file = folder / SETUP_FILE
    known = read_yaml(file) if file.is_file() and read_text(file).strip() else {}
    below = known.get("interface")
    interface = {**(below if isinstance(below, dict) else {}), "path": path, "health_path": path}
    write_setup(folder, {"interface": interface})


def _interface(keys: Keys) -> dict[str, Any]:
    below = keys.table("interface", INTERFACE_KEYS)
    interface: dict[str, Any] = {}
    for key in ("path", "health_path"):
        if key in below.values:
            interface[key] = below.text(key, longest=500)
            if not interface[key].startswith("/"):
                raise below.wrong(key, "must start with /")
    if "port" in below.values:
        port = below.text("port", longest=20)
        if not port.isascii() or not port.isdigit() or not 1024 <= int(port) <= 65535:  # noqa: PLR2004  ports
            raise below.wrong("port", "must be a number from 1024 to 65535")
        interface["port"] = int(port)
    return interface


def _variables(keys: Keys) -> dict[str, str]:
    value = keys.values.get("variables") or {}
    if not isinstance(value, dict):
        raise keys.wrong("variables", "must hold names and values")
    for name, content in value.items():
        if not VARIABLE.fullmatch(name):
            raise keys.wrong(f"variables.{name}", "is not a variable's name")
        if not isinstance(content, str):
            raise keys.wrong(f"variables.{name}", "must be text")
    return value
