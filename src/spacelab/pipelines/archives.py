"""Bundles as others take them along: a zip of the files, one packed document, a Workflow RO-Crate; and back."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import cwl_graph
from spacelab.kit.refusals import Conflict
from spacelab.pipelines.rules import Bundle

CRATE_FILE = "ro-crate-metadata.json"
OLD_CRATE_FILES = ("ro-crate-metadata.jsonld",)
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
CRATE_PROFILE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_PROFILE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#cwl"
TYPES_OF_WORKFLOW = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can hold: the same files make the same zip."""


@dataclass(frozen=True)
class About:
    """What an export says of a version beside its files: terms that everybody may see, and where it is found."""

    slug: str
    version: str
    terms: Mapping[str, Any]
    url: str
    published_at: datetime | None


def zipped(files: Mapping[str, str]) -> bytes:
    """Return a zip of the files, byte for byte as they are, in the order of their names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _LONG_AGO)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, text.encode())
    return made.getvalue()


def crate(bundle: Bundle, about: About) -> bytes:
    """Return a Workflow RO-Crate 1.0 as a zip: all files, and what they are.

    https://about.workflowhub.eu/Workflow-RO-Crate/
    """
    files = {path: text for path, text in bundle.files.items() if path != CRATE_FILE}
    return zipped({**files, CRATE_FILE: json.dumps(_graph(files, bundle.main, about), indent=2, ensure_ascii=False)})


def _graph(files: Mapping[str, str], main: str, about: About) -> dict[str, Any]:
    document, terms = main.partition("#")[0], about.terms
    said_at = (about.published_at or datetime.now(UTC)).isoformat(timespec="seconds")
    authors = terms.get("creator.name", [])
    people = [
        {"@id": f"#author-{number}", "@type": "Person", "name": name} for number, name in enumerate(_list(authors))
    ]
    named = {"author": [{"@id": one["@id"]} for one in people]} if people else {}
    licence = {"license": terms["distribution.license"]} if terms.get("distribution.license") else {}
    workflow = {
        "@id": document,
        "@type": TYPES_OF_WORKFLOW,
        "name": terms.get("title") or about.slug,
        "version": about.version,
        "programmingLanguage": {"@id": LANGUAGE},
        **named,
        **licence,
        **({"url": about.url} if about.url else {}),
    }
    others = [{"@id": path, "@type": "File"} for path in sorted(files) if path != document]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": terms.get("title") or about.slug,
        "description": terms.get("abstract") or terms.get("title") or about.slug,
        "datePublished": said_at,
        "mainEntity": {"@id": document},
        "hasPart": [{"@id": path} for path in sorted(files)],
        "keywords": ", ".join(_list(terms.get("keywords", []))),
        "identifier": about.slug,
        "version": about.version,
        **named,
        **licence,
    }
    descriptor = {
        "@id": CRATE_FILE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": [{"@id": CRATE_PROFILE}, {"@id": WORKFLOW_PROFILE}],
    }
    language = {
        "@id": LANGUAGE,
        "@type": "ComputerLanguage",
        "name": "Common Workflow Language",
        "alternateName": "CWL",
        "identifier": {"@id": "https://w3id.org/cwl/"},
        "url": {"@id": "https://www.commonwl.org/"},
    }
    return {"@context": CONTEXT, "@graph": [descriptor, root, workflow, language, *people, *others]}


def _list(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []


@dataclass(frozen=True)
class Crate:
    """What a crate says of itself: which file is the workflow, and terms for its metadata."""

    main: str
    terms: dict[str, Any]


def read_crate(files: Mapping[str, str]) -> Crate | None:
    """Read the RO-Crate that a bundle is; None if it is none, or says nothing that can be understood."""
    name = next((one for one in (CRATE_FILE, *OLD_CRATE_FILES) if one in files), "")
    try:
        found = json.loads(files[name]) if name else None
    except (ValueError, RecursionError):
        return None
    graph = found.get("@graph") if isinstance(found, dict) else None
    nodes = {one["@id"]: one for one in graph or () if isinstance(one, dict) and isinstance(one.get("@id"), str)}
    descriptor = nodes.get(name) or nodes.get(CRATE_FILE) or {}
    root = nodes.get(_id(descriptor.get("about"))) or nodes.get("./")
    if root is None:
        return None
    main = _id(root.get("mainEntity")).removeprefix("./")
    return Crate(main if main in files else "", _terms_of(root, nodes.get(main, {}), nodes))


def _id(value: Any) -> str:
    return str(value.get("@id", "")) if isinstance(value, dict) else value if isinstance(value, str) else ""


def _terms_of(root: dict[str, Any], workflow: dict[str, Any], nodes: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    def said(key: str) -> Any:
        return root.get(key) or workflow.get(key)

    def words(value: Any) -> str:
        return value if isinstance(value, str) else _id(value)

    authors = said("author") or said("creator") or []
    named = [nodes.get(_id(one), {}).get("name") or "" for one in (authors if isinstance(authors, list) else [authors])]
    keywords = said("keywords") or []
    found = {
        "title": words(root.get("name")),
        "abstract": words(root.get("description"))[:1000],
        "creator.name": [str(one) for one in named if one],
        "keywords": keywords if isinstance(keywords, list) else [one.strip() for one in str(keywords).split(",")],
        "distribution.license": words(said("license")).removeprefix("https://spdx.org/licenses/").removesuffix(".html"),
    }
    return {key: value for key, value in found.items() if value}


@dataclass(frozen=True)
class Export:
    """One way to take a version along: its title, the ending of the file's name, and what it is."""

    title: str
    ending: str
    media_type: str
    write: Callable[[Bundle, Bundle, About], bytes]
    """(own files, with the steps that it uses, about) → content."""


def _files(own: Bundle, _whole: Bundle, _about: About) -> bytes:
    return zipped(own.files)


def _whole(_own: Bundle, whole: Bundle, _about: About) -> bytes:
    return zipped(whole.files)


def _crate(_own: Bundle, whole: Bundle, about: About) -> bytes:
    return crate(whole, about)


def _packed(_own: Bundle, whole: Bundle, _about: About) -> bytes:
    try:
        return cwl_graph.pack(whole.files, whole.main).encode()
    except cwl_graph.Refused as refused:
        raise Conflict(refused.message, advice=refused.advice or "Take its files instead.") from refused


EXPORTS: dict[str, Export] = {
    "files": Export("Files (zip)", "zip", "application/zip", _files),
    "bundle": Export("With its steps (zip)", "bundle.zip", "application/zip", _whole),
    "packed": Export("One document ($graph)", "packed.cwl", "text/plain; charset=utf-8", _packed),
    "crate": Export("Workflow RO-Crate (zip)", "crate.zip", "application/zip", _crate),
}
"""The ways to take a version along, by their names in addresses."""
