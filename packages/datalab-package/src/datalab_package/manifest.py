"""Reads a package's folder: `datalab-meta.yml` in all its forms, `spacelab.yml`, and the icon."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datalab_package import names
from datalab_package.icons import read_icon, read_thumbnail
from datalab_package.problems import PackageProblem
from datalab_package.setup import BasedOn, Opens, read_setup
from datalab_package.texts import Keys, read_yaml
from datalab_package.threads import Thread

META_FILES = ("datalab-meta.yml", "datalab-meta.yaml", "lab-meta.yml")

META_KEYS = {
    "title": "the name people see",
    "alternateName": "a short name, from which the address is made",
    "abstract": "one paragraph on what it does",
    "version": "the package's version",
    "description": "the long description, CommonMark",
    "creator.name": "the author",
    "creator.logo": "the author's or institute's logo, an address",
    "contactPoint.email": "whom to ask",
    "contactPoint.organisation-name": "the institute to ask",
    "contactPoint.id": "an identifier of the contact, such as an ORCID",
    "contactPoint.role": "the contact's role",
    "distribution.license": "the licence",
    "keywords": "subjects, preferably of the Unified Astronomy Thesaurus",
    "instrument": "the instrument whose data it is for",
    "mission": "the mission whose data it is for",
    "thumbnailUrl": "the address of a picture; only files of the package are shown",
    "citation": "how to cite it",
    "funder": "who paid for it",
    "doi.notation": "its DOI",
    "domain": "the field of science, a term of esado",
    "language": "the language people need",
    "associatedFileType": "the file types it is for, such as FITS",
    "audienceType": "whom it is for",
    "displayName": "a pipeline's short name; read as `alternateName` where that is missing",
}
"""The terms of ESA's vocabulary that a package's author writes. Others are kept as well."""

NOT_BY_AUTHORS = frozenset({"ESAOfficial", "datalabImage.platform", "datalabImage.id", "dateCreated"})
"""Terms that the platform or a moderator writes; in a package they say nothing."""

EXPECTED = ("contactPoint.email", "creator.name", "version", "distribution.license")
"""Terms that were mandatory in one of ESA's years and not in another: they may be missing, and then it is said."""

LONGEST_VALUE = 20_000


@dataclass(frozen=True)
class Manifest:
    """What a package says about itself. `slug` comes from `alternateName`; `folder` is where it was read.

    `metadata` holds every term of the metadata file, nested keys written with dots: text, or a list of texts.
    `icon` is the text of an SVG, `thumbnail` the name of a PNG in the folder. `declared_kind` is empty where the
    author left the kind open.
    """

    folder: Path
    slug: str
    title: str
    abstract: str
    version: str
    description: str = ""
    author: str = ""
    contact: str = ""
    licence: str = ""
    tags: list[str] = field(default_factory=list)
    icon: str = ""
    thumbnail: str = ""
    kind: str = "jupyter"
    declared_kind: str = ""
    command: list[str] = field(default_factory=list)
    interface: dict[str, Any] = field(default_factory=dict)
    activity_probe: str = ""
    default_volumes: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    opens: Opens = field(default_factory=Opens)
    threads: tuple[Thread, ...] = ()
    root: str = "read-only"
    based_on: BasedOn | None = None
    has_requirements: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)


def meta_file(folder: Path) -> str:
    """Return the name of the folder's metadata file, or an empty text."""
    return next((one for one in META_FILES if (folder / one).is_file()), "")


def read_manifest(folder: Path) -> Manifest:
    """Read the package in `folder`; raise `PackageProblem`, naming file and key, on what can't be used."""
    name = meta_file(folder)
    if not name:
        raise PackageProblem(f"The package has no {META_FILES[0]}.", "Add one to its root.", META_FILES[0])
    return manifest_of(folder, flatten(read_yaml(folder / name)), name)


def manifest_of(folder: Path, values: dict[str, Any], name: str = META_FILES[0]) -> Manifest:
    """Make the manifest of a folder from flat metadata, e.g. what a person entered in a form."""
    values = {key: value for key, value in values.items() if key not in NOT_BY_AUTHORS}
    values.setdefault("alternateName", values.get("displayName", ""))
    meta = Keys(name, values)
    title = meta.text("title", longest=120, needed=True)
    short = meta.text("alternateName", longest=60, needed=True)
    slug = names.slug_of(short)
    if not slug:
        raise meta.wrong("alternateName", f"“{short}” makes no address", names.SLUG_ADVICE)
    return Manifest(
        folder=folder,
        slug=slug,
        title=title,
        abstract=meta.text("abstract", longest=1000, needed=True),
        version=meta.text("version", longest=40) or "1",
        description=meta.text("description", longest=LONGEST_VALUE),
        author=_people(meta, "creator.name"),
        contact=meta.text("contactPoint.email", longest=254),
        licence=meta.text("distribution.license", longest=200),
        tags=meta.words("keywords"),
        icon=read_icon(folder),
        thumbnail=read_thumbnail(folder),
        has_requirements=(folder / "requirements.txt").is_file(),
        metadata=_metadata(meta),
        **read_setup(folder),
    )


def missing_terms(manifest: Manifest) -> list[str]:
    """Name the terms that ESA Datalabs asked for in some year and that this package leaves out."""
    return [term for term in EXPECTED if not manifest.metadata.get(term)]


def flatten(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Write nested keys with dots; a list of mappings becomes one list for each of their keys."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            flat.update(flatten(value, f"{path}."))
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for one in value:
                for below, content in flatten(one, f"{path}.").items():
                    held = flat.get(below, [])
                    more = content if isinstance(content, list) else [content]
                    flat[below] = [*(held if isinstance(held, list) else [held]), *more]
        else:
            flat[path] = value
    return flat


def _people(meta: Keys, key: str) -> str:
    """Return one name, or several joined, as far as there is room: all of them stand in the metadata."""
    value = meta.values.get(key, "")
    if isinstance(value, list):
        return ", ".join(meta.words(key))[:120]
    return meta.text(key, longest=120)


def _metadata(meta: Keys) -> dict[str, Any]:
    """Return all terms, as texts and lists of texts."""
    kept: dict[str, Any] = {}
    for key, value in meta.values.items():
        if key == "keywords" or isinstance(value, list):
            kept[key] = meta.words(key)
        else:
            kept[key] = meta.text(key, longest=LONGEST_VALUE)
    return {key: value for key, value in kept.items() if value}
