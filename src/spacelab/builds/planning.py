"""From a package to a plan: what was detected, what its metadata lack and what is suggested, and the order to build."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datalab_package
from datalab_package import Manifest, PackageProblem
from spacelab.accounts.models import Person
from spacelab.builds import packages, queries
from spacelab.builds.models import Build
from spacelab.builds.ports import Order
from spacelab.datalabs.rules import refusal_of
from spacelab.kit.refusals import Invalid

LONGEST_ABSTRACT = 300
LARGEST_NOTEBOOK = 5 * 2**20
"""Bytes of a notebook that is looked at for suggestions."""


@dataclass(frozen=True)
class Planned:
    """What is known of a package: its plan, and its manifest or what the manifest lacks."""

    plan: Any
    manifest: Manifest | None
    lacking: Invalid | None = None

    def row(self) -> dict[str, Any]:
        """Return what a build's row keeps of it."""
        known = {"plan": packages.as_json(self.plan)}
        if self.manifest:
            known |= {"slug": self.manifest.slug, "title": self.manifest.title, "version": self.manifest.version}
        return known


NEEDED = ("title", "alternateName", "abstract")
"""Metadata without which there is no datalab; the form asks for what a package leaves out."""


def plan(package: str, answers: Mapping[str, Any]) -> Planned:
    """Plan how a package is built with these answers; raise `Invalid` for one that can't be."""
    folder = packages.folder_of(package)
    try:
        manifest, lacking = _manifest(folder)
        made = datalab_package.make_plan(folder, manifest, answers=answers_of(answers))
    except PackageProblem as problem:
        raise refusal_of(problem) from problem
    return Planned(made, None if lacking else manifest, lacking)


def _manifest(folder: Path) -> tuple[Manifest, Invalid | None]:
    """Read the manifest; where metadata are missing, stand in for them and say what is missing."""
    try:
        return datalab_package.read_manifest(folder), None
    except PackageProblem as problem:
        if datalab_package.meta_file(folder) and problem.key not in NEEDED:
            raise
        stands_in = {"title": "Untitled", "alternateName": "untitled", "abstract": "Not described."}
        known = {key: value for key, value in packages.metadata(folder).items() if value and key not in NEEDED}
        return datalab_package.manifest_of(folder, {**known, **stands_in}), refusal_of(problem)


def answers_of(answers: Mapping[str, Any]) -> Any:
    """Return the person's answers as the package library takes them."""
    taken = answers.get("requirements")
    return datalab_package.Answers(requirements=tuple(taken) if taken is not None else None)


def order_of(build: Build, planned: Planned, *, number: int | None = None) -> Order:
    """Return what a builder is to do for this build."""
    if planned.manifest is None:
        raise planned.lacking or Invalid("The package's metadata are not complete.")
    return Order(
        build_id=build.pk,
        workload_id=build.workload_id or "",
        owner=build.person.username,
        slug=planned.manifest.slug,
        version=planned.manifest.version,
        number=number or build.number or 0,
        package=packages.folder_of(build.package),
        package_hash=build.package,
        manifest=planned.manifest,
        plan=planned.plan,
        work=queries.work_folder(build.pk),
    )


def suggestions(build: Build, person: Person) -> dict[str, str]:
    """Suggest metadata: what the package says, else what its notebook is called and opens with, and the account's."""
    folder = packages.folder_of(build.package)
    name = _name_of(build, folder)
    guessed = {
        "title": name[:1].upper() + name[1:],
        "short_name": datalab_package.slug_of(name) or "datalab",
        "abstract": "",
        "version": "0.1.0",
        "creator": person.display_name,
        "email": person.email,
    }
    guessed |= _opening(folder)
    answered = {key: str(build.answers[key]) for key in guessed if build.answers.get(key)}
    return {**guessed, **packages.said_of(folder), **answered}


def _name_of(build: Build, folder: Path) -> str:
    notebooks = sorted(folder.glob("*.ipynb"))
    if build.source == "upload" and len(notebooks) == 1:
        stem = notebooks[0].stem
    elif build.source == "upload" and not build.brought.endswith(" files"):
        stem = Path(build.brought).stem
    elif build.source == "git":
        stem = build.brought.removesuffix(" from Git")
    else:
        stem = notebooks[0].stem if notebooks else "my datalab"
    return re.sub(r"[_\-.\s]+", " ", stem).strip()[:60] or "my datalab"


def _opening(folder: Path) -> dict[str, str]:
    """Read the first notebook's first text: its heading and the sentences under it."""
    notebook = next((one for one in sorted(folder.glob("*.ipynb")) if one.stat().st_size < LARGEST_NOTEBOOK), None)
    if notebook is None:
        return {}
    try:
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        text = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return {}
    found: dict[str, str] = {}
    heading = re.search(r"^#\s+(.+?)\s*#*$", text, re.MULTILINE)
    if heading:
        found["title"] = heading[1].strip()[:120]
    lines = [line.strip() for line in text.splitlines()]
    body = " ".join(line for line in lines if line and not line.startswith(("#", "!", "<")))
    if body:
        found["abstract"] = body[:LONGEST_ABSTRACT]
    return found
