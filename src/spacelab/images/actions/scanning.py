"""Looking into images and environments: contents are listed once, vulnerabilities looked up as often as wanted."""

from __future__ import annotations

import fcntl
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from spacelab.images import queries, shelf
from spacelab.images.ports import Progress
from spacelab.images.rules.findings import match
from spacelab.images.rules.provenance import PACKAGES_DIGEST, Origin, packages_digest, provenance
from spacelab.images.rules.report import Database, Report, report_of
from spacelab.images.rules.sbom import components_of, contents_of
from spacelab.images.vulnerability_index import build_index, open_index
from spacelab.kit.refusals import NotFound, Unavailable

ROOM = 2.2
"""Disk that looking into an image takes for a while, in image sizes: the saved archive, and the layers out of it."""
RESERVE = 64 * 2**20


def silent(_text: str) -> None:
    """Take progress, and tell nobody."""


@contextmanager
def _alone(key: str) -> Iterator[None]:
    """Let one program at a time look into the same thing; the others find it done."""
    with (shelf.folder() / f".{key}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            Path(file.name).unlink(missing_ok=True)


def describe_image(image: str, progress: Progress = silent) -> str:
    """Make the list of contents of an image unless it is there, and return the key of its papers.

    Raises `NotFound` without the image, `Unavailable` without an engine or enough disk, or if it can't be read.
    """
    store = queries.image_store()
    found = store.find(image)
    if found is None:
        raise NotFound(f"There is no image “{image}”.", advice="`spacelab images list` shows what there is.")
    key = shelf.image_key(found.id)
    if shelf.get(key, shelf.CONTENTS):
        return key
    with _alone(key):
        if shelf.get(key, shelf.CONTENTS):
            return key
        place = shelf.folder()
        needed = int(found.size * ROOM) + RESERVE
        if shutil.disk_usage(place).free < needed:
            raise Unavailable(
                f"Looking into {image} takes {needed / 1e9:.1f} GB of disk for a while, and less is free.",
                advice="Free some space in the state directory and try again.",
            )
        with tempfile.TemporaryDirectory(prefix=".image-", dir=place) as folder:
            archive = Path(folder) / "image.tar"
            progress("taking the image out of the engine")
            store.save(found.id, archive, progress)
            progress("listing what it contains")
            name = found.names[0] if found.names else found.id
            document = queries.cataloguer().describe_archive(archive, name=name, version=found.id, work=place)
        _keep(key, document)
    return key


def describe_environment(name: str, folder: Path, progress: Progress = silent) -> str:
    """Make the list of contents of an environment unless it is there, and return the key of its papers."""
    key = shelf.environment_key(name)
    shelf.paper(key, shelf.CONTENTS)
    with _alone(key):
        if not shelf.get(key, shelf.CONTENTS):
            progress("listing what it contains")
            document = queries.cataloguer().describe_folder(folder, name=name, version="", work=shelf.folder())
            _add_interpreter(document, folder)
            _keep(key, document)
    return key


def _keep(key: str, document: dict[str, Any]) -> None:
    """Keep a list of contents, and a summary of it, so that pages need not read the whole."""
    shelf.put(key, shelf.SUMMARY, asdict(contents_of(components_of(document))))
    shelf.put(key, shelf.CONTENTS, document)


def _add_interpreter(document: dict[str, Any], folder: Path) -> None:
    """Name the Python that an environment was made for: it stands outside, so that nothing in the folder is it."""
    try:
        text = (folder / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return
    found = re.search(r"^version(?:_info)?\s*=\s*([0-9]+(?:\.[0-9]+)+)", text, re.MULTILINE)
    if found:
        component: dict[str, Any] = {"type": "platform", "name": "python", "version": found[1]}
        component |= {"bom-ref": f"python@{found[1]}", "purl": f"pkg:generic/python@{found[1]}"}
        component["licenses"] = [{"license": {"id": "Python-2.0"}}]
        document.setdefault("components", []).append(component)


def update_index(paths: list[Path], progress: Progress = silent) -> Database:
    """Replace what is known about vulnerabilities by these OSV records; see `vulnerability_index.build_index`."""
    queries.index_file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with queries.index_file().with_name(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        return build_index(paths, queries.index_file(), progress)


def _stale(source: Path) -> bool:
    """Say whether the configured database has changed since it was imported."""
    if not source.exists():
        return False
    files = [source, *source.rglob("*")] if source.is_dir() else [source]
    newest = max((one.stat().st_mtime for one in files), default=0.0)
    return not queries.index_file().exists() or queries.index_file().stat().st_mtime < newest


def current_index(progress: Progress = silent) -> Path:
    """Return the index, made anew first where the setting `vulnerability_database` names something newer."""
    source = settings.SPACELAB.vulnerability_database
    if source is not None and _stale(source):
        progress("importing the database of vulnerabilities")
        update_index([source], progress)
    return queries.index_file()


def look_up(key: str, progress: Progress = silent) -> Report:
    """Look an image's or environment's packages up in the index, and keep and return the report.

    Without an index the report says so. Raises `NotFound` where the contents were never listed.
    """
    document = shelf.get(key, shelf.CONTENTS)
    if document is None:
        raise NotFound("Its contents were never listed.", advice="Scan it first: `spacelab images scan NAME`.")
    now = timezone.now()
    try:
        with open_index(current_index(progress)) as index:
            report = report_of(key, match(components_of(document), index), index.database, now)
    except NotFound:
        report = Report(subject=key, made_at=now)
    shelf.put(key, shelf.REPORT, report.to_json())
    return report


def record_provenance(name: str, key: str, origin: Origin) -> None:
    """Write down where an image or environment called `name` comes from; its contents are listed already."""
    if origin.kind == "image":
        digest = {"sha256": key.removeprefix("sha256-")}
    else:
        document = shelf.get(key, shelf.CONTENTS) or {}
        digest = {PACKAGES_DIGEST: packages_digest(one.purl for one in components_of(document))}
    shelf.put(key, shelf.PROVENANCE, provenance(name, digest, origin))
