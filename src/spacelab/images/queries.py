"""Reads about images and environments: what is kept about each, what is known, and what the gate says of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from spacelab.images import shelf
from spacelab.images.base_images import read_base_images
from spacelab.images.ports import Cataloguer, ImageStore, StoredImage
from spacelab.images.rules.findings import Finding
from spacelab.images.rules.gate import Allowed, Decision, Gate, decide, read_allowed
from spacelab.images.rules.report import Database, Report
from spacelab.images.rules.sbom import Component, Contents, components_of
from spacelab.images.vulnerability_index import open_index
from spacelab.kit.refusals import Invalid, NotFound, Unavailable

Stored = StoredImage
"""An image of the engine, as other domains see it."""
NO_DATABASE = "Import a database with `spacelab vulnerabilities update FILE`."
NAMED = 5
"""Findings that a sentence names before it says how many more there are."""


def cataloguer() -> Cataloguer:
    """Return what lists contents on this platform."""
    made: Cataloguer = import_string(settings.CATALOGUER)()
    return made


def image_store() -> ImageStore:
    """Return the store of the platform's engine."""
    made: ImageStore = import_string(settings.IMAGE_STORE)()
    return made


def base_versions() -> dict[str, str]:
    """Return the version of each base image that the platform declares, by each of its names."""
    images = read_base_images(settings.BASE_IMAGES_DIRECTORY)
    return {name: image.version for image in images for name in (image.name, *image.aliases)}


def found_base(name: str) -> tuple[str, str]:
    """Return a base image's reference and id; raise `Unavailable` if the engine does not have it."""
    reference = f"{settings.SPACELAB.image_registry}/datalabs/{name}:{base_versions()[name]}"
    found = image_store().find(reference)
    if found is None:
        raise Unavailable(
            f"The base image {reference} is not on this machine.",
            advice="Ask an operator to build the base images: `spacelab images build`.",
        )
    return reference, found.id


def key_of(*, image_id: str = "", environment: str = "") -> str:
    """Return the key of the papers of an image, by its id, or of an environment, by its name."""
    return shelf.image_key(image_id) if image_id else shelf.environment_key(environment)


def papers_folder() -> Path:
    """Return the folder of all papers, making it if need be."""
    return shelf.folder()


def papers_kept() -> dict[str, tuple[int, datetime]]:
    """Return what is kept: the key of an image or environment, the bytes of its papers, when the last was written."""
    found: dict[str, tuple[int, datetime]] = {}
    for file in shelf.folder().iterdir():
        key = next((file.name.removesuffix(kind) for kind in shelf.KINDS if file.name.endswith(kind)), "")
        if not shelf.KEY.fullmatch(key):
            continue
        facts = file.stat()
        at = datetime.fromtimestamp(facts.st_mtime).astimezone()
        size, last = found.get(key, (0, at))
        found[key] = size + facts.st_size, max(last, at)
    return found


def contents_file(key: str) -> Path:
    """Return the file of a list of contents, there or not."""
    return shelf.paper(key, shelf.CONTENTS)


def report_file(key: str) -> Path:
    """Return the file of the report that was made last, there or not."""
    return shelf.paper(key, shelf.REPORT)


def provenance_file(key: str) -> Path:
    """Return the file that says where an image or environment comes from, there or not."""
    return shelf.paper(key, shelf.PROVENANCE)


def contents(key: str) -> Contents | None:
    """Summarise a list of contents; None where there is none."""
    with contextlib.suppress(TypeError):
        summary = shelf.get(key, shelf.SUMMARY)
        return Contents.from_json(summary) if summary else None
    return None


def components(key: str) -> list[Component]:
    """List the packages of something; none where no list of contents is kept, or it can't be read."""
    try:
        document = shelf.get(key, shelf.CONTENTS)
        return components_of(document) if document else []
    except (NotFound, ValueError):
        return []


def index_file() -> Path:
    """Return the file of the index of vulnerabilities, there or not."""
    file: Path = settings.SPACELAB.state / "vulnerabilities" / "index.sqlite3"
    return file


def known_database() -> Database | None:
    """Return what the index holds; None where there is none."""
    try:
        with open_index(index_file()) as index:
            return index.database
    except NotFound:
        return None


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


def _names(findings: Iterable[Finding]) -> str:
    every = [
        f"{one.id} in {one.source} {one.version}" + (f" (fixed in {one.fixed})" if one.fixed else "")
        for one in findings
    ]
    more = len(every) - NAMED
    return ", ".join(every[:NAMED]) + (f", and {more} more" if more > 0 else "")


def sentences(report: Report, decision: Decision) -> str:
    """Say in words what a report found and what the gate made of it."""
    if not report.scanned:
        if decision.gate is Gate.OFF:
            return f"{report.sentence.capitalize()}."
        return (
            f"{report.sentence.capitalize()}. The gate is set to “{decision.gate}” and lets nothing through unseen. "
            f"For an operator: {NO_DATABASE[0].lower()}{NO_DATABASE[1:]}"
        )
    said = [f"{report.sentence.capitalize()}."]
    if decision.stopped_by:
        said.append(f"The gate is set to “{decision.gate}”, and in its way: {_names(decision.stopped_by)}.")
    if decision.without_fix:
        said.append(f"{len(decision.without_fix)} more would be, if there were a version that mends them.")
    if decision.allowed:
        said.append(f"Allowed for a time: {', '.join(finding.id for finding, _ in decision.allowed)}.")
    if decision.expired:
        said.append(f"No longer allowed: {', '.join(one.id for one in decision.expired)}.")
    return " ".join([*said, age_warning(report)]).strip()


def passes(report: Report, decision: Decision) -> bool:
    """Say whether the gate lets a build through: never unseen where a gate is set."""
    return decision.passed and (report.scanned or decision.gate is Gate.OFF)
