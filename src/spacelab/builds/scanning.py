"""Looking into images and environments: contents are listed once, vulnerabilities looked up as often as wanted."""

from __future__ import annotations

import contextlib
import fcntl
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from spacelab.builds import shelf
from spacelab.builds.findings import match
from spacelab.builds.gate import Allowed, Decision, Gate, decide, read_allowed
from spacelab.builds.report import Report, report_of
from spacelab.builds.sbom import Contents, components_of, contents_of
from spacelab.builds.supply_ports import Cataloguer, ImageStore, Progress
from spacelab.builds.vulnerability_index import Database, build_index, open_index
from spacelab.kit.refusals import Invalid, NotFound, Unavailable

ROOM = 2.2
"""Disk that looking into an image takes for a while, in image sizes: the saved archive, and the layers out of it."""
RESERVE = 64 * 2**20
NO_DATABASE = "Import a database with `spacelab vulnerabilities update FILE`."


def silent(_text: str) -> None:
    """Take progress, and tell nobody."""


def cataloguer() -> Cataloguer:
    """Return what lists contents on this platform."""
    made: Cataloguer = import_string(settings.CATALOGUER)()
    return made


def image_store() -> ImageStore:
    """Return the store of the platform's engine."""
    made: ImageStore = import_string(settings.IMAGE_STORE)()
    return made


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
    store = image_store()
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
            document = cataloguer().describe_archive(archive, name=name, version=found.id, work=place)
        _keep(key, document)
    return key


def describe_environment(name: str, folder: Path, progress: Progress = silent) -> str:
    """Make the list of contents of an environment unless it is there, and return the key of its papers."""
    key = shelf.environment_key(name)
    shelf.paper(key, shelf.CONTENTS)
    with _alone(key):
        if not shelf.get(key, shelf.CONTENTS):
            progress("listing what it contains")
            document = cataloguer().describe_folder(folder, name=name, version="", work=shelf.folder())
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


def contents(key: str) -> Contents | None:
    """Summarise a list of contents; None where there is none."""
    with contextlib.suppress(TypeError):
        summary = shelf.get(key, shelf.SUMMARY)
        return Contents.from_json(summary) if summary else None
    return None


def index_file() -> Path:
    """Return the file of the index of vulnerabilities, there or not."""
    file: Path = settings.SPACELAB.state / "vulnerabilities" / "index.sqlite3"
    return file


def update_index(paths: list[Path], progress: Progress = silent) -> Database:
    """Replace what is known about vulnerabilities by these OSV records; see `vulnerability_index.build_index`."""
    index_file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with index_file().with_name(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        return build_index(paths, index_file(), progress)


def _stale(source: Path) -> bool:
    """Say whether the configured database has changed since it was imported."""
    if not source.exists():
        return False
    files = [source, *source.rglob("*")] if source.is_dir() else [source]
    newest = max((one.stat().st_mtime for one in files), default=0.0)
    return not index_file().exists() or index_file().stat().st_mtime < newest


def current_index(progress: Progress = silent) -> Path:
    """Return the index, made anew first where the setting `vulnerability_database` names something newer."""
    source = settings.SPACELAB.vulnerability_database
    if source is not None and _stale(source):
        progress("importing the database of vulnerabilities")
        update_index([source], progress)
    return index_file()


def known_database() -> Database | None:
    """Return what the index holds; None where there is none."""
    try:
        with open_index(index_file()) as index:
            return index.database
    except NotFound:
        return None


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


def last_report(key: str) -> Report | None:
    """Read the report that was made last; None where there is none, or none that this release can read."""
    found = shelf.get(key, shelf.REPORT)
    try:
        return Report.from_json(found) if found else None
    except (KeyError, TypeError, ValueError):
        return None


def allowed() -> list[Allowed]:
    """Read the list of allowed vulnerabilities; raise `Invalid` for a mistake in it."""
    file = settings.SPACELAB.vulnerability_allow_list
    if file is None:
        return []
    try:
        return read_allowed(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            f"The list of allowed vulnerabilities can't be read: {error}",
            advice="Mend the file that vulnerability_allow_list names.",
        ) from error


def judge(report: Report, today: date | None = None) -> Decision:
    """Say whether a report passes the gate as it is set today."""
    return decide(
        report.findings,
        gate(),
        allowed(),
        today=today or timezone.now().date(),
        unfixed=settings.SPACELAB.vulnerability_gate_unfixed,
    )


def gate() -> Gate:
    """Return how the gate is set."""
    return Gate(settings.SPACELAB.vulnerability_gate)


def is_old(database: Database, now: datetime) -> bool:
    """Say whether a database is older than this platform's operators wish."""
    return database.days_old(now) > int(settings.SPACELAB.vulnerability_database_days)


def age_warning(report: Report) -> str:
    """Say that the database was too old for this platform's taste when the report was made; empty when it wasn't."""
    days, most = report.days_old(report.made_at), settings.SPACELAB.vulnerability_database_days
    if days is None or days <= most:
        return ""
    return f"The database of vulnerabilities is {days} days old; what became known since then is not in it."
