"""What a document needs beside its own text: the catalogue's steps that it uses, and the software of those."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from spacelab.accounts.models import Person
from spacelab.datalabs.queries import launchable_by as launchable_datalabs
from spacelab.pipelines import rules
from spacelab.pipelines.models import PipelineVersion, Software
from spacelab.pipelines.queries.seeing import VISITOR, seen_by
from spacelab.publishing.models import PublishedVersion
from spacelab.publishing.rules.differences import Differences, compare
from spacelab.workloads import queries as workloads
from spacelab.workloads.rules import IMAGE

SOFTWARE = re.compile(r"(?P<kind>datalabs|software)/(?P<name>[a-z0-9-]{2,60}):(?P<version>[0-9A-Za-z.+_-]{1,40})")
MOST_SOFTWARE = 200
"""Names of software that one document's steps may have; further ones are not there."""
MOST_USED, AT_ONCE = 500, 100
"""Steps of the catalogue that one document may use, and those that one query asks for; further ones are missing."""


def bundle(version: PipelineVersion, by: Person | AnonymousUser | None = None) -> rules.Bundle:
    """Return a version's files with those of the steps that it uses, each at the path by which it is used.

    Steps are found that everybody sees, or that `by` sees, or that the version's own maintainer keeps: whoever shares
    a pipeline shares her steps in it.
    """
    return bundle_of(version.files, version.main, by=by, owner=version.pipeline.maintainer)


def bundle_of(
    files: rules.Files, main: str, *, by: Person | AnonymousUser | None = None, owner: Person | None = None
) -> rules.Bundle:
    """Return files that may not be saved yet with those of the steps that they use; as `bundle` does."""
    found = rules.Bundle(dict(files), main)
    wanted = _wanted(files, found)
    for _ in range(rules.DEEPEST):
        if not wanted:
            break
        texts = _texts(wanted, by or VISITOR, owner)
        added: dict[str, str] = {}
        for one in wanted:
            text = texts.get((one.slug, one.version))
            if text is None:
                found.missing.append(one)
            else:
                found.steps.append(one)
                added[one.path] = text
        found.files.update(added)
        wanted = _wanted(added, found)
    found.missing.extend(wanted)
    return found


def _wanted(files: Mapping[str, str], found: rules.Bundle) -> list[rules.Reference]:
    """List the references of these files that lead to nothing yet, each path once."""
    known = {one.path for one in found.missing} | found.files.keys()
    wanted = {one.path: one for path, text in files.items() for one in rules.references(text, path)}
    return [one for path, one in wanted.items() if path not in known]


def _texts(
    wanted: list[rules.Reference], by: Person | AnonymousUser, owner: Person | None
) -> dict[tuple[str, str], str]:
    """Read the main documents of the steps that are there, as many as a bundle has room for."""
    allowed = Q(pk__in=seen_by(by).order_by().values("pk"))
    if owner is not None:
        allowed |= Q(pipeline__maintainer=owner)
    found: dict[tuple[str, str], str] = {}
    room = rules.LARGEST_BUNDLE
    for start in range(0, min(len(wanted), MOST_USED), AT_ONCE):
        asked = Q(pk__in=[])
        for one in wanted[start : start + AT_ONCE]:
            asked |= Q(pipeline__slug=one.slug, version=one.version)
        rows = PipelineVersion.objects.filter(asked).filter(allowed)
        for slug, number, files, main in rows.values_list("pipeline__slug", "version", "files", "main").iterator(20):
            text = files.get(main.partition("#")[0], "")
            room -= len(text)
            if room < 0:
                return found
            found[slug, number] = text
    return found


def environments_for(by: Person | AnonymousUser, files: rules.Files) -> dict[str, str]:
    """Return what `dockerPull` names stand for here: folders below the environments', or `IMAGE` and an image.

    Those are `datalabs/<slug>:<version>` of what the person may launch, and `software/<name>:<version>`; where the
    runtime has images also those that the operator allows (`pipeline_images`), if they are there. Others are left out.
    """
    names = rules.software_names(files)[:MOST_SOFTWARE]
    wanted = {one: match for one in names if (match := SOFTWARE.fullmatch(one))}
    there: dict[tuple[str, str, str], str] = {}
    if wanted:
        named, numbers = {one["name"] for one in wanted.values()}, {one["version"] for one in wanted.values()}
        software = Software.objects.filter(name__in=named, version__in=numbers)
        for name, number, environment in software.values_list("name", "version", "environment"):
            there["software", name, number] = environment
        datalabs = launchable_datalabs(by).filter(datalab__slug__in=named, version__in=numbers)
        for name, number, environment, image in datalabs.values_list(
            "datalab__slug", "version", "environment", "image"
        ):
            there["datalabs", name, number] = environment or (f"{IMAGE}{image}" if image else "")
    found = {one: there.get((match["kind"], match["name"], match["version"]), "") for one, match in wanted.items()}
    return _allowed_images(names) | {one: environment for one, environment in found.items() if environment}


def _allowed_images(names: list[str]) -> dict[str, str]:
    """Return the images among these names that any pipeline may use, and that are on this machine."""
    allowed = settings.SPACELAB.pipeline_images
    usable = [one for one in names if any(fnmatchcase(one, pattern) for pattern in allowed)]
    if not usable or not workloads.capabilities().images:
        return {}
    return {one: f"{IMAGE}{one}" for one in usable if not workloads.lacks(image=one)}


def users_of(version: PublishedVersion, by: Person | AnonymousUser) -> list[PipelineVersion]:
    """List the newest versions that use a step and that the person sees, at most twenty."""
    rows = seen_by(by).filter(uses__slug=version.entry.slug, uses__version=version.version)
    return list(rows.select_related("pipeline").defer("files")[:20])


@contextmanager
def written(version: PipelineVersion) -> Iterator[Path]:
    """Give a folder with a version's files, for as long as needed."""
    with tempfile.TemporaryDirectory(prefix="spacelab-pipeline-") as place:
        for path, text in version.files.items():
            file = Path(place, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        yield Path(place)


def differences(old: PipelineVersion, new: PipelineVersion) -> Differences:
    """Compare the files of two versions."""
    with written(old) as before, written(new) as after:
        return compare(before, after)


def needing(version: PipelineVersion) -> list[str]:
    """Name what uses a version as a step, each in words that its maintainer may read."""
    rows = PipelineVersion.objects.filter(uses__slug=version.pipeline.slug, uses__version=version.version)
    others = rows.exclude(pk=version.pk).select_related("pipeline__maintainer").defer("files").order_by("pk")
    mine = version.pipeline.maintainer_id
    return [
        f"“{one}”"
        if one.pipeline.maintainer_id == mine or one.visibility == rules.Visibility.EVERYBODY
        else f"a draft of {one.pipeline.maintainer}"
        for one in others
    ]
