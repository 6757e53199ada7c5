"""Metadata in the formats of others: written for whoever may see it, and read back from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from datalab_package import PackageProblem, decoded
from spacelab.kit.refusals import Invalid, NotFound
from spacelab.publishing.rules.exports import citation_file, codemeta, datalab_meta, linked_data
from spacelab.publishing.rules.exports.documents import Found
from spacelab.publishing.rules.terms import MOST_BYTES, Kind, Problem, Value, Writer, acceptable, visible

__all__ = ["FORMATS", "Format", "Imported", "export", "read"]

MOST_REPORTED = 100
"""Lines of what was not understood; more help nobody."""


@dataclass(frozen=True)
class Format:
    """One format: its name in addresses, its title, the usual name of its file, and its media type."""

    name: str
    title: str
    file: str
    media_type: str
    write: Callable[..., str]
    read: Callable[..., Found]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        one.name: one
        for one in (
            Format(
                "datalab-meta",
                "datalab-meta.yml",
                "datalab-meta.yml",
                "application/yaml",
                datalab_meta.write,
                datalab_meta.read,
            ),
            Format(
                "json-ld",
                "JSON-LD (schema.org, DCAT)",
                "metadata.jsonld",
                "application/ld+json",
                linked_data.write,
                linked_data.read,
            ),
            Format("codemeta", "CodeMeta 3", "codemeta.json", "application/ld+json", codemeta.write, codemeta.read),
            Format("cff", "CITATION.cff", "CITATION.cff", "application/yaml", citation_file.write, citation_file.read),
        )
    }
)
"""Every format by its name."""


@dataclass(frozen=True)
class Imported:
    """What was read from a file: the terms that can be kept, and what was not understood, with the reason."""

    format: Format
    values: dict[str, Value]
    not_understood: list[Problem]


def export(
    values: Mapping[str, Any],
    format_name: str,
    *,
    kind: Kind | str,
    insider: bool = False,
    concepts: Mapping[str, str] | None = None,
) -> str:
    """Write what somebody may see of the terms; raises `NotFound` for a format that there is not.

    `concepts` gives the IRI of each keyword that a thesaurus has, for the formats that can say so.
    """
    if format_name not in FORMATS:
        raise NotFound(f"There is no format “{format_name[:40]}”.", advice=f"There are {', '.join(FORMATS)}.")
    seen = visible(values, insider=insider)
    return FORMATS[format_name].write(seen, kind=Kind(kind), concepts=concepts or {})


def read(content: bytes, name: str, *, kind: Kind | str, writer: Writer | str = Writer.AUTHOR) -> Imported:
    """Read a file in any of the formats: by its name, and by what it says of itself.

    Raises `Invalid` if it is too large, no UTF-8, or of no form that is known.
    """
    name = name.replace("\\", "/").rpartition("/")[2][:100] or "The file"
    if len(content) > MOST_BYTES:
        raise Invalid(
            f"{name} is larger than {MOST_BYTES // 1000} kB.",
            advice="Metadata has a few kB; is it the right file?",
            field="file",
        )
    try:
        text = decoded(content, name).replace("\r\n", "\n").replace("\r", "\n")
        chosen = _format_of(name, text)
        found = chosen.read(text, name, kind=Kind(kind))
    except PackageProblem as problem:
        raise Invalid(problem.message, advice=problem.advice, field="file") from problem
    except RecursionError as error:
        raise Invalid(f"{name} is nested too deeply.", field="file") from error
    kept, wrong = acceptable(found.values, writer=writer, kind=kind)
    strange = [Problem(key, f"{chosen.title} says it, and there is no term for it here.") for key in found.strange]
    return Imported(chosen, kept, _short([*wrong, *strange], name))


def _short(found: list[Problem], name: str) -> list[Problem]:
    """Return the first problems, and how many more there are."""
    more = len(found) - MOST_REPORTED
    return found if more <= 0 else [*found[:MOST_REPORTED], Problem(name, f"{more:,} more were not understood.")]


def _format_of(name: str, text: str) -> Format:
    ending = name.lower().rpartition(".")[2]
    if ending in {"json", "jsonld"} or text.lstrip()[:1] in {"{", "["}:
        return FORMATS["codemeta" if "w3id.org/codemeta" in text or "10.5063/schema/codemeta" in text else "json-ld"]
    if ending == "cff" or "\ncff-version:" in f"\n{text}":
        return FORMATS["cff"]
    if ending in {"yml", "yaml"}:
        return FORMATS["datalab-meta"]
    raise Invalid(
        f"{name} is in no format that is known here.",
        advice=f"Known are {', '.join(one.file for one in FORMATS.values())}.",
        field="file",
    )
