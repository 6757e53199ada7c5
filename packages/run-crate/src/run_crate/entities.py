"""The entities of a crate: each once, by its id, as JSON-LD writes them down flat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

CRATE = "https://w3id.org/ro/crate/1.1"
METADATA = "ro-crate-metadata.json"
TERMS = "https://w3id.org/ro/terms/workflow-run#"
EXTRA_TERMS = {
    name: f"{TERMS}{name}"
    for name in (
        "ParameterConnection",
        "ContainerImage",
        "connection",
        "sourceParameter",
        "targetParameter",
        "sha1",
        "containerImage",
        "registry",
        "tag",
        "resourceUsage",
    )
}
"""Terms of the Workflow Run profiles, written out so that nobody needs to fetch their context."""

Entity = dict[str, Any]


def ref(entity: Mapping[str, Any] | str) -> dict[str, str]:
    """Point at an entity."""
    return {"@id": entity if isinstance(entity, str) else str(entity["@id"])}


def address(path: str) -> str:
    """Write a path of the crate as a relative address."""
    return quote(path, safe="/@!$&'()*+,;=~._-")


def local(*parts: str) -> str:
    """Make the id of something that is no file: `#job/count.3`."""
    return "#" + "/".join(quote(part, safe="/._-") for part in parts)


class Entities:
    """Entities in the order in which they came. An entity that is added again keeps what it was."""

    def __init__(self) -> None:
        self._found: dict[str, Entity] = {}

    def add(self, name: str, kind: str | list[str], /, **facts: Any) -> Entity:
        """Add an entity, or return the one that has this id; facts that are empty are left away."""
        found = self._found.get(name)
        if found is None:
            kept = {key: value for key, value in facts.items() if value not in ("", None, [], {})}
            found = self._found[name] = {"@id": name, "@type": kind, **kept}
        return found

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def get(self, name: str) -> Entity | None:
        """Return the entity of an id."""
        return self._found.get(name)

    def link(self, entity: Entity, name: str, targets: Iterable[Mapping[str, Any] | str]) -> None:
        """Let an entity point at others, each once, beside those at which it does already."""
        there: dict[str, None] = dict.fromkeys(one["@id"] for one in entity.get(name, []))
        there.update(dict.fromkeys(ref(one)["@id"] for one in targets))
        if there:
            entity[name] = [{"@id": one} for one in there]

    def metadata(self) -> dict[str, Any]:
        """Return the crate's metadata document; lists of one are written as that one."""
        graph = [{key: _plain(key, value) for key, value in one.items()} for one in self._found.values()]
        return {"@context": [f"{CRATE}/context", EXTRA_TERMS], "@graph": graph}


def _plain(key: str, value: Any) -> Any:
    alone = isinstance(value, list) and len(value) == 1 and key not in {"value", "@type"}
    return value[0] if alone else value
