"""Values of inputs and outputs as entities: files taken along or referred to, all else as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from run_crate.entities import Entities, Entity, address, local, ref
from run_crate.places import Place

FILES = ("File", "Directory")
FORMATS = {
    ".cwl": "application/cwl",
    ".fits": "application/fits",
    ".yml": "application/yaml",
    ".yaml": "application/yaml",
}
LONGEST_VALUE = 65_536
DEEPEST_VALUE = 40


@dataclass(frozen=True)
class Take:
    """What of a run goes into its crate by value; the rest is referred to. Sizes are in bytes."""

    inputs: bool = False
    outputs: bool = True
    logs: bool = True
    largest_file: int = 100 * 2**20
    largest_total: int = 2**30
    largest_log: int = 2**20


@dataclass(frozen=True)
class Part:
    """A file of the crate: its path there, its size, and either its content or where its run had it."""

    path: str
    size: int
    content: bytes | None = None
    source: str = ""


@dataclass
class Shelf:
    """Takes the files of a run into a crate, each once. `folder` is where in the crate; `address_of` names the rest."""

    entities: Entities
    place: Place
    take: Take
    folder: str
    address_of: Callable[[str], str] = lambda path: f"file://{quote(path)}"
    parts: dict[str, Part] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    """Paths of files that were wanted, and are too large or gone."""
    passing: bool = False
    """Whether what comes now are values between jobs, whose files don't last."""
    _known: dict[str, Entity] = field(default_factory=dict)
    _paths: dict[str, str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    total: int = 0

    def content(self, path: str, content: bytes, /, **facts: Any) -> Entity:
        """Put a text that isn't a file of the run into the crate."""
        full = self._free(f"{self.folder}/{path}")
        self.parts[full] = Part(full, len(content), content=content)
        self.total += len(content)
        return self.entities.add(address(full), "File", **{**facts, "contentSize": str(len(content))})

    def file(self, source: str, path: str, /, **facts: Any) -> Entity | None:
        """Take a file of the run into the crate; None where it is gone, or too large."""
        size = self._size(source)
        if size is None or not self._room(source, size):
            return None
        full = self._free(f"{self.folder}/{path}")
        self.parts[full] = Part(full, size, source=source)
        self._paths[source] = full
        return self.entities.add(address(full), "File", **{**facts, "contentSize": str(size)})

    def of(self, value: Any, wanted: str, name: str) -> list[Entity]:
        """Return the entities of a value. `wanted` is the folder of the crate for its files, empty to refer to them."""
        if isinstance(value, Mapping) and value.get("class") in FILES:
            return [self._with_others(value, wanted)]
        if isinstance(value, list) and value and all(_is_file(one) for one in value):
            width = len(str(len(value)))
            names = [basename(one) for one in value]
            apart = len(set(names)) < len(names)
            inside = [f"{wanted}/{place:0{width}}" if wanted and apart else wanted for place in range(len(value))]
            return [self._with_others(one, folder) for one, folder in zip(value, inside, strict=True)]
        return [] if value is None else [self._property(value, name)]

    def path_of(self, source: str) -> str:
        """Return where in the crate a file or folder of the run is; empty for one that is referred to."""
        return self._paths.get(source, "")

    def _property(self, value: Any, name: str) -> Entity:
        plain = isinstance(value, str | int | float) or (
            isinstance(value, list) and all(isinstance(one, str | int | float) for one in value)
        )
        shown = value if plain else json.dumps(value, ensure_ascii=False, default=str)
        if isinstance(shown, str) and len(shown) > LONGEST_VALUE:
            shown = f"{shown[:LONGEST_VALUE]}…"
        return self.entities.add(local("value", name), "PropertyValue", name=name.rpartition("/")[2], value=shown)

    def _with_others(self, value: Mapping[str, Any], wanted: str) -> Entity:
        """Return a file's entity; one that has secondary files is the first of a collection."""
        main = self._one(value, wanted)
        others = [self._one(one, wanted) for one in _list(value.get("secondaryFiles")) if _is_file(one)]
        if not others:
            return main
        found = self.entities.add(local("with-others", main["@id"]), "Collection", name=basename(value))
        found["mainEntity"] = ref(main)
        self.entities.link(found, "hasPart", [main, *others])
        return found

    def _one(self, value: Mapping[str, Any], wanted: str) -> Entity:
        source, sum_of = path_of(value), _key(value)
        known = self._known.get(source)
        if known is None and not (wanted and source):
            known = self._known.get(sum_of)
        if known is None:
            known = self._new(value, source, wanted)
        if source:
            self._known.setdefault(source, known)
        if sum_of:
            self._known.setdefault(sum_of, known)
        return known

    def _new(self, value: Mapping[str, Any], source: str, wanted: str) -> Entity:
        name = basename(value)
        facts = _facts(value)
        if value.get("class") == "Directory":
            return self._folder(value, source, wanted, name)
        if not source and isinstance(value.get("contents"), str):
            return self.content(f"{wanted or 'files'}/{name or 'literal'}", value["contents"].encode(), **facts)
        taken = self.file(source, f"{wanted}/{name}", **facts) if wanted and source else None
        return taken or self._referred(source, "File", **facts)

    def _folder(self, value: Mapping[str, Any], source: str, wanted: str, name: str) -> Entity:
        entries = self.place.entries(source) if wanted and source else None
        if entries is None or not self._room(source, sum(one.size for one in entries), folder=True):
            found = self._referred(source, "Dataset", name=name)
            inside = [self._with_others(one, "") for one in _list(value.get("listing")) if _is_file(one)]
            self.entities.link(found, "hasPart", inside)
            return found
        path = self._free(f"{self.folder}/{wanted}/{name or 'folder'}")
        self._paths[source] = path
        found = self.entities.add(f"{address(path)}/", "Dataset", name=name)
        inside = []
        for one in entries:
            full = f"{path}/{one.path}"
            self.parts[full] = Part(full, one.size, source=f"{source.rstrip('/')}/{one.path}")
            facts = {"contentSize": str(one.size), "encodingFormat": format_of(one.path)}
            inside.append(self.entities.add(address(full), "File", **facts))
        self.entities.link(found, "hasPart", inside)
        return found

    def _referred(self, source: str, kind: str, /, **facts: Any) -> Entity:
        """Refer to a file; one that was made on the way has no lasting place, and so is named by its content."""
        if self.passing and "sha1" in facts:
            return self.entities.add(local("passing", facts["sha1"], facts["name"]), kind, **facts)
        name = self.address_of(source) if source else local("file", str(len(self._known)))
        return self.entities.add(name, kind, **facts)

    def _size(self, source: str) -> int | None:
        file = self.place.open(source)
        if file is None:
            self.left_out.append(source)
            return None
        with file:
            return file.seek(0, 2)

    def _room(self, source: str, size: int, *, folder: bool = False) -> bool:
        largest = self.take.largest_total if folder else self.take.largest_file
        if size > largest or self.total + size > self.take.largest_total:
            self.left_out.append(source)
            return False
        self.total += size
        return True

    def _free(self, path: str) -> str:
        """Return the path, or the first one like it that is not taken."""
        pure, number = PurePosixPath(path), 1
        while path in self._taken:
            number += 1
            path = f"{pure.parent}/{number}/{pure.name}"
        self._taken.add(path)
        return path


def basename(value: Mapping[str, Any]) -> str:
    """Return the name of a file or folder, as a name that can be one."""
    given = value.get("basename")
    name = given if isinstance(given, str) and given else PurePosixPath(path_of(value)).name
    return "".join(one for one in name if one.isprintable() and one not in "/\\")[:200].strip(". ") or "file"


def path_of(value: Mapping[str, Any]) -> str:
    """Return the absolute path that a file or folder of a job order names; empty for a literal or another address."""
    for key in ("location", "path"):
        given = value.get(key)
        if isinstance(given, str) and given.startswith("file://"):
            return unquote(urlsplit(given).path)
        if isinstance(given, str) and given.startswith("/"):
            return given
    return ""


def localised(value: Any, path_in_crate: Callable[[str], str], depth: int = 0) -> Any:
    """Return a job order's value with each file that the crate holds named by its path there."""
    if depth > DEEPEST_VALUE:
        return None
    if isinstance(value, list):
        return [localised(one, path_in_crate, depth + 1) for one in value]
    if not isinstance(value, Mapping):
        return value
    kept = {key: localised(one, path_in_crate, depth + 1) for key, one in value.items()}
    if value.get("class") in FILES and (source := path_of(value)):
        found = path_in_crate(source)
        kept.pop("path", None)
        kept["location"] = address(found) if found else f"file://{quote(source)}"
        if found:
            kept.pop("listing", None)
    return kept


def _facts(value: Mapping[str, Any]) -> dict[str, Any]:
    checksum, size = value.get("checksum"), value.get("size")
    name = basename(value)
    facts: dict[str, Any] = {"name": name, "encodingFormat": format_of(name)}
    if isinstance(checksum, str) and checksum.startswith("sha1$"):
        facts["sha1"] = checksum[5:]
    if isinstance(size, int):
        facts["contentSize"] = str(size)
    if isinstance(value.get("format"), str):
        facts["encodingFormat"] = value["format"]
    return facts


def format_of(name: str) -> str:
    """Return the media type that a file's name stands for."""
    return FORMATS.get(PurePosixPath(name).suffix) or guess_type(name)[0] or "application/octet-stream"


def _key(value: Mapping[str, Any]) -> str:
    checksum = value.get("checksum")
    return f"{checksum} {basename(value)}" if isinstance(checksum, str) else ""


def _is_file(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("class") in FILES


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
