"""Nested JSON documents from flat terms and back, along paths that each format declares."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spacelab.kit.refusals import Invalid

Path = tuple[str, ...]

KNOWN_PREFIXES = re.compile(r"^(https?://schema\.org/|https://codemeta\.github\.io/terms/|(schema|sdo|codemeta):)")
"""What may stand before a name of schema.org or CodeMeta without changing it."""
DOI_ADDRESS = "https://doi.org/"
LICENCE_ADDRESS = "https://spdx.org/licenses/"


@dataclass
class Found:
    """What a file says: values by the keys of terms, and what of it has no term here."""

    values: dict[str, Any] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)


def place(document: dict[str, Any], path: Path, value: Any, types: Mapping[str, str], type_key: str = "@type") -> None:
    """Put a value at its path; nodes on the way get the type that `types` names for them."""
    node = document
    for step in path[:-1]:
        node = node.setdefault(step, {type_key: types[step]})
    node[path[-1]] = value


def found_at(node: Any, path: Path) -> list[Any]:
    """Return the plain values at a path, over all entries of the lists on the way.

    A text where a node is expected stands for the node's name, as schema.org allows.
    """
    if isinstance(node, list):
        return [value for one in node for value in found_at(one, path)]
    if isinstance(node, dict):
        if not path:
            literal = next((node[key] for key in ("@value", "@id", "id", "name") if key in node), None)
            return found_at(literal, ())
        return found_at(node.get(path[0]), path[1:])
    if node is None or (path and path != ("name",)):
        return []
    return [node]


def bare(node: Any) -> Any:
    """Return a document whose keys have lost the prefixes that change nothing."""
    if isinstance(node, dict):
        return {KNOWN_PREFIXES.sub("", str(key)): bare(value) for key, value in node.items()}
    return [bare(one) for one in node] if isinstance(node, list) else node


def one_or_many(values: list[Any]) -> Any:
    """Return a lone value as itself, several as a list of texts."""
    texts = [value if isinstance(value, str | bool) else str(value) for value in values]
    return texts[0] if len(texts) == 1 else [str(text) for text in texts]


def read_json(text: str, name: str) -> dict[str, Any]:
    """Return the object in a JSON text; raises `Invalid`, which names the line."""
    try:
        data = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise Invalid(f"{name} is nested too deeply.", field="file") from error
    except json.JSONDecodeError as error:
        raise Invalid(
            f"{name}, line {error.lineno} is not JSON: {error.msg}.", advice="Check quotes and commas.", field="file"
        ) from error
    except ValueError as error:
        raise Invalid(f"{name} is not JSON: {error}.", advice="Leave out what is no number.", field="file") from error
    graph = data.get("@graph") if isinstance(data, dict) else data
    if isinstance(graph, list):
        nodes = [node for node in graph if isinstance(node, dict)]
        data = next((node for node in nodes if is_software(node)), nodes[0] if len(nodes) == 1 else None)
    if not isinstance(data, dict):
        raise Invalid(
            f"{name} describes no application.", advice="It must hold one object with its terms.", field="file"
        )
    return data


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def is_software(node: Mapping[str, Any]) -> bool:
    """Say whether a node is typed as an application or as source code."""
    types = node.get("@type", node.get("type", []))
    names = types if isinstance(types, list) else [types]
    return any(str(one).rpartition(":")[2].rpartition("/")[2].startswith("Software") for one in names)


def left_over(document: Mapping[str, Any], understood: Iterable[str]) -> list[str]:
    """Return the names at the top of a document that no path begins with."""
    known = {*understood, "@context", "@type", "@id", "type", "id"}
    return [key[:100] for key in document if key not in known]


def licence_address(expression: str) -> str:
    """Return the address of a licence if the expression is one identifier of the SPDX list, else the expression."""
    lone = re.fullmatch(r"[A-Za-z0-9.+-]+", expression) and not expression.startswith("LicenseRef-")
    return f"{LICENCE_ADDRESS}{expression}" if lone else expression
