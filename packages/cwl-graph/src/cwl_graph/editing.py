"""Carries edits out: works out the new content of a document and splices it into its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from cwl_graph import edits
from cwl_graph.bundles import resolve, short
from cwl_graph.changes import RenameKey
from cwl_graph.cwl_types import is_bare_type, type_data
from cwl_graph.documents import Document, Files
from cwl_graph.edits import Edit
from cwl_graph.fitting import converter
from cwl_graph.graphs import Port
from cwl_graph.outline import Outline, first_keys_before
from cwl_graph.problems import Refused
from cwl_graph.reading import read
from cwl_graph.splicing import change_text
from cwl_graph.tree import Tree

MOST_EDITS = 200
"""Edits that are carried out as one."""

_CONVERTER_FIELDS = ("valueFrom", "loadContents", "loadListing")


def edit(files: Files, main: str, change: Edit, inside: tuple[str, ...] = ()) -> str:
    """Return the new text of the main document. Nothing but what the edit says is changed in it.

    `inside` names the steps, from the outside in, whose own workflow is edited where it stands in the step itself.
    Raises `Refused`, with what to do instead, where the edit makes no sense or can't be written safely.
    """
    path = main.partition("#")[0]
    if path not in files:
        raise Refused(f"`{path}` is not in the bundle.", "Name the main document.")
    steps = change.edits if isinstance(change, edits.Several) else (change,)
    if len(steps) > MOST_EDITS:
        raise Refused(f"{len(steps)} edits at once are too many.", f"Send at most {MOST_EDITS}.")
    text = files[path]
    for each in steps:
        try:
            text = _edited({**files, path: text}, main, each, inside)
        except RecursionError as error:
            raise Refused("The value is nested too deeply.", "Make it flatter.", file=path) from error
    return text


def _edited(files: Files, main: str, change: Edit, inside: tuple[str, ...]) -> str:
    if isinstance(change, edits.Several):
        raise Refused("Several edits stand inside several.", "Send one flat list.")
    path, _, process_id = main.partition("#")
    work = _Work(files, main, process_id, inside)
    work.do(change)
    return change_text(files[path], work.outline.content, renames=tuple(work.renames), file=path)


class _Work:
    """One edit of one document."""

    def __init__(self, files: Files, main: str, process_id: str, inside: tuple[str, ...] = ()) -> None:
        self.files = files
        self.inside = inside
        self.main = main
        path = main.partition("#")[0]
        tree = Tree(files[path], path)
        if tree.root is None:
            found = tree.problems[0] if tree.problems else None
            told = f"Line {found.line}: {found.message}" if found else "The document is empty."
            raise Refused(told, "Correct the text first.", file=path, line=found.line if found else 0)
        self.outline = Outline(tree.root.plain(), process_id)
        for step in inside:
            self.outline.enter(step)
        self.process = self.outline.process
        self.renames: list[RenameKey] = []

    @cached_property
    def document(self) -> Document:
        """The document before the edit."""
        return read(self.files, self.main)

    def do(self, change: Edit) -> None:
        """Change the outline as an edit says."""
        doer = cast("Callable[[Any], None]", _DOERS[type(change)].__get__(self))
        doer(change)

    def port(self, node: str, side: str, port: str) -> Port | None:
        """Return a port as it was read."""
        found = self.document.graph.node("/".join([*self.inside, node]))
        ports = (found.ports_in if side == "in" else found.ports_out) if found else ()
        return next((each for each in ports if each.id == port), None)

    # nodes

    def add_step(self, change: edits.AddStep) -> None:
        outline = self.outline
        outline.check_new(change.id)
        out = self._outputs_of(change.run)
        own = f"{outline.prefix}{change.id}"
        step: dict[str, Any] = {"run": change.run}
        if change.label:
            step = {"label": change.label, **step}
        sources = dict(change.sources)
        packed = bool(outline.prefix)
        step["in"] = [{"id": f"{own}/{name}", "source": each} for name, each in sources.items()] if packed else sources
        step["out"] = [f"{own}/{name}" for name in out] if packed else out
        outline.set(self.process, "steps", change.id, step, outline.prefix)

    def _outputs_of(self, run: str | dict[str, Any]) -> list[str]:
        if isinstance(run, str):
            path = self.main.partition("#")[0]
            found = resolve(path, run, self.files)
            if found.trouble and not found.path:
                raise Refused(found.trouble, found.advice)
            if found.trouble:
                return []
            name = found.path + (f"#{found.fragment}" if found.fragment else "")
            return [field.name for field in read(self.files, name).outputs]
        outputs = run.get("outputs")
        return [name for name, _ in self.outline.entries(outputs)]

    def add_input(self, change: edits.AddInput) -> None:
        self.outline.check_new(change.id)
        self._add_parameter("inputs", change.id, {"type": change.type}, change.label, dict(change.more))

    def add_output(self, change: edits.AddOutput) -> None:
        self.outline.check_new(change.id)
        fields: dict[str, Any] = {}
        kind = change.type
        if change.source_node:
            fields["outputSource"] = self.outline.reference(change.source_node, change.source_port)
            self._hand_on(change.source_node, change.source_port)
            port = self.port(change.source_node, "out", change.source_port)
            if kind is None and port is not None:
                kind = type_data(port.type)
        self._add_parameter("outputs", change.id, {"type": kind or "Any", **fields}, change.label, dict(change.more))

    def _add_parameter(self, key: str, name: str, fields: dict[str, Any], label: str, more: dict[str, Any]) -> None:
        whole = {**({"label": label} if label else {}), **fields, **more}
        group = self.outline.group(self.process, key)
        bare = whole["type"] if len(whole) == 1 and isinstance(whole["type"], str) and isinstance(group, dict) else None
        self.outline.set(self.process, key, name, bare if bare is not None else whole, self.outline.prefix)

    def remove(self, change: edits.Remove) -> None:
        kind = self.outline.kind_of(change.node)
        name = self.outline.name_of(change.node)
        self.outline.drop(self.process, kind, name)
        if kind != "outputs":
            self._drop_sources(lambda text: self.outline.refers(text, name))

    def _drop_sources(self, gone: Callable[[Any], bool]) -> None:
        for holder, group, name, field in list(self.outline.source_fields()):
            value = self.outline.get(holder, group, name)
            kept, changed = _without(value, field, gone)
            if not changed:
                continue
            if kept is None or (
                isinstance(kept, dict) and group == "in" and not set(kept) - {"id", "linkMerge", "pickValue"}
            ):
                self.outline.drop(holder, group, name)
                if group == "in":
                    self._unscatter(holder, name)
            else:
                self.outline.set(holder, group, name, kept)
                if group == "in" and field not in kept:
                    self._unscatter(holder, name)

    def _unscatter(self, step: dict[str, Any], port: str) -> None:
        scatter = step.get("scatter")
        names = [scatter] if isinstance(scatter, str) else scatter if isinstance(scatter, list) else []
        rest = [name for name in names if short(str(name)) != port]
        if len(rest) == len(names):
            return
        if rest:
            step["scatter"] = rest
        else:
            step.pop("scatter", None)
            step.pop("scatterMethod", None)

    def rename(self, change: edits.Rename) -> None:
        outline, old, new = self.outline, self.outline.name_of(change.node), change.to
        kind = outline.kind_of(change.node)
        if old == new:
            return
        outline.check_new(new)
        group = self.process[kind]
        if isinstance(group, dict):
            real = next(str(key) for key in group if short(str(key)) == old)
            name = real[: len(real) - len(old)] + new
            self.renames.append(RenameKey((*outline.path, kind, real), name))
            self.process[kind] = {name if key == real else key: value for key, value in group.items()}
        else:
            _rename_in_list(group, old, new)
        if kind == "outputs":
            return
        if self.process.get("class") == "Workflow":
            if outline.prefix:
                _rename_prefixed(self.process, f"{outline.prefix}{old}", f"{outline.prefix}{new}")
            else:
                self._rename_sources(old, new)
        else:
            _rename_in_expressions(self.process, old, new)

    def _rename_sources(self, old: str, new: str) -> None:
        def renamed(text: Any) -> Any:
            if isinstance(text, list):
                return [renamed(each) for each in text]
            if not self.outline.refers(text, old):
                return text
            head, sign, tail = str(text).rpartition("#")
            parts = tail.split("/")
            parts[parts.index(old)] = new
            return head + sign + "/".join(parts)

        for holder, group, name, field in list(self.outline.source_fields()):
            value = self.outline.get(holder, group, name)
            if isinstance(value, dict):
                if field in value:
                    value[field] = renamed(value[field])
            elif group == "in":
                self.outline.set(holder, group, name, renamed(value))

    # links

    def connect(self, change: edits.Connect) -> None:
        outline = self.outline
        source = outline.reference(change.source_node, change.source_port)
        self._hand_on(change.source_node, change.source_port)
        kind = outline.kind_of(change.target_node)
        if kind == "outputs":
            name = self.outline.name_of(change.target_node)
            whole = _full(outline.get(self.process, "outputs", name), "type")
            whole["outputSource"] = self._joined(whole.get("outputSource"), source, add=change.add)
            outline.set(self.process, "outputs", name, whole)
            return
        if kind == "inputs":
            raise Refused("A link can't end at an input of the workflow.", "Connect it to a step.")
        step = outline.step(change.target_node)
        value = outline.get(step, "in", change.target_port)
        fields = self._converted(change) if change.fit == "convert" else {}
        if isinstance(value, dict) or (value is not None and fields):
            whole = _full(value, "source")
            whole["source"] = self._joined(whole.get("source"), source, add=change.add)
            new: Any = {**whole, **fields}
        else:
            joined = self._joined(value, source, add=change.add)
            new = {"source": joined, **fields} if fields else joined
        outline.set(
            step, "in", change.target_port, new, f"{outline.prefix}{change.target_node}/" if outline.prefix else ""
        )
        if change.fit == "scatter":
            names = [short(name) for name in _listed(step.get("scatter"))]
            if change.target_port not in names:
                self.set_scatter(
                    edits.SetScatter(
                        change.target_node, (*names, change.target_port), str(step.get("scatterMethod", ""))
                    )
                )

    def _joined(self, old: Any, source: str, *, add: bool) -> Any:
        sources = [str(each) for each in _listed(old)]
        if not add or not sources:
            return source
        if source in sources:
            raise Refused("They are connected already.", "Nothing is left to do.")
        self.require("MultipleInputFeatureRequirement")
        return [*sources, source]

    def _converted(self, change: edits.Connect) -> dict[str, Any]:
        source = self.port(change.source_node, "out", change.source_port)
        target = self.port(change.target_node, "in", change.target_port)
        made = converter(source.type, target.type) if source and target else None
        if made is None:
            raise Refused("Nothing converts one into the other.", "Put a step between that does.")
        for name in made.requirements:
            self.require(name)
        return dict(made.fields)

    def _hand_on(self, node: str, port: str) -> None:
        """Add an output to a step's `out`, if it isn't there."""
        if self.outline.kind_of(node) != "steps":
            return
        step = self.outline.step(node)
        if not any(name == port for name, _ in self.outline.entries(step.get("out"))):
            own = f"{self.outline.prefix}{node}/{port}" if self.outline.prefix else port
            step["out"] = [*_listed(step.get("out")), own]

    def disconnect(self, change: edits.Disconnect) -> None:
        outline = self.outline

        def gone(text: Any) -> bool:
            return outline.refers(text, outline.name_of(change.source_node), "" if is_input else change.source_port)

        is_input = outline.kind_of(change.source_node) == "inputs"
        if outline.kind_of(change.target_node) == "outputs":
            name = self.outline.name_of(change.target_node)
            kept, changed = _without(outline.get(self.process, "outputs", name), "outputSource", gone)
            if changed:
                outline.set(self.process, "outputs", name, kept)
        else:
            step = outline.step(change.target_node)
            name = change.target_port
            kept, changed = _without(outline.get(step, "in", name), "source", gone)
            if changed and (
                kept is None or (isinstance(kept, dict) and not set(kept) - {"id", "linkMerge", "pickValue"})
            ):
                outline.drop(step, "in", name)
                self._unscatter(step, name)
            elif changed:
                outline.set(step, "in", name, kept)
        if not changed:
            raise Refused("There is no such link.", "Read the document again.")

    # fields

    def set_field(self, change: edits.SetField) -> None:
        if not change.path:
            raise Refused("The path is empty.", "Name a field.")
        self._set_in(self.process, list(change.path), change.value)

    def _set_in(self, holder: dict[str, Any], path: list[str], value: Any) -> None:
        key, *rest = path
        if not rest:
            if value is None:
                holder.pop(key, None)
            elif key in {"label", "doc"}:
                self.outline.add_key(holder, key, value, _behind_label(holder))
            else:
                holder[key] = value
            return
        if key in {"inputs", "outputs", "steps", "in"}:
            name, *inner = rest
            found = self.outline.get(holder, key, name)
            if found is None and not (key == "in" and inner):
                raise Refused(f"There is no `{name}`.", "Read the document again.")
            if not inner:
                raise Refused(f"`{name}` is a whole entry.", "Add or remove it, or name one of its fields.")
            whole = _full(found, "source" if key == "in" else "type")
            self._set_in(whole, inner, value)
            prefix = f"{self.outline.prefix}" if key != "in" else ""
            self.outline.set(holder, key, name, whole, prefix)
            return
        inner_map = holder.get(key)
        if inner_map is None and value is not None:
            inner_map = holder[key] = {}
        if isinstance(inner_map, dict):
            self._set_in(inner_map, rest, value)
        elif inner_map is not None:
            raise Refused(f"`{key}` has no fields.", "Set it as a whole.")

    def set_scatter(self, change: edits.SetScatter) -> None:
        step = self.outline.step(change.step)
        if not change.ports:
            step.pop("scatter", None)
            step.pop("scatterMethod", None)
            return
        own = f"{self.outline.prefix}{change.step}/" if self.outline.prefix else ""
        names = [own + port for port in change.ports]
        old = step.get("scatter")
        new: Any = names[0] if len(names) == 1 and not isinstance(old, list) else names
        self.outline.add_key(step, "scatter", new, ("scatterMethod", "in", "out"))
        method = change.method or ("dotproduct" if len(names) > 1 else "")
        if method:
            self.outline.add_key(step, "scatterMethod", method, ("in", "out"))
        else:
            step.pop("scatterMethod", None)
        self.require("ScatterFeatureRequirement")

    def set_when(self, change: edits.SetWhen) -> None:
        step = self.outline.step(change.step)
        if not change.expression:
            step.pop("when", None)
            return
        version = str(self.outline.content.get("cwlVersion", ""))
        if version in {"v1.0", "v1.1"}:
            raise Refused(f"`when` came with v1.2; the document is {version}.", "Write `cwlVersion: v1.2` first.")
        self.outline.add_key(step, "when", change.expression, ("in", "out"))
        if not re.fullmatch(r"\$\([A-Za-z0-9_.\[\]\"']+\)", change.expression):
            self.require("InlineJavascriptRequirement")

    def set_type(self, change: edits.SetType) -> None:
        kind = self.outline.kind_of(change.node)
        if kind == "steps":
            raise Refused("A step has no type.", "Change the tool that it runs.")
        name = self.outline.name_of(change.node)
        old = self.outline.get(self.process, kind, name)
        whole = isinstance(old, dict) and "type" in old and not is_bare_type(old)
        new = {"type": change.type} if isinstance(change.type, dict) else change.type
        self.outline.set(self.process, kind, name, {**old, "type": change.type} if whole else new)

    # requirements

    def require(self, name: str) -> None:
        """Add a requirement to the process if it isn't there."""
        self.add_requirement(edits.AddRequirement(name))

    def add_requirement(self, change: edits.AddRequirement) -> None:
        holder = self.outline.step(change.step) if change.step else self.process
        key = "hints" if change.hint else "requirements"
        group = holder.get(key)
        if isinstance(group, dict) and "$import" in group:
            raise Refused(f"`{key}` stands in another file ({group['$import']}).", "Edit that file.")
        gone = {name for name, value in change.fields.items() if value is None}
        fields = {name: value for name, value in change.fields.items() if value is not None}
        if isinstance(group, list):
            for at, each in enumerate(group):
                if isinstance(each, dict) and each.get("class") == change.name:
                    group[at] = {**{name: value for name, value in each.items() if name not in gone}, **fields}
                    return
            group.append({"class": change.name, **fields})
        elif isinstance(group, dict):
            old = group.get(change.name)
            kept = {name: value for name, value in old.items() if name not in gone} if isinstance(old, dict) else {}
            group[change.name] = {**kept, **fields}
            if change.name in group and old is None and not fields:
                group[change.name] = {}
        else:
            self.outline.add_key(holder, key, {change.name: fields}, first_keys_before())

    def remove_requirement(self, change: edits.RemoveRequirement) -> None:
        holder = self.outline.step(change.step) if change.step else self.process
        for key in ("requirements", "hints"):
            group = holder.get(key)
            if isinstance(group, dict) and change.name in group:
                rest: Any = {name: value for name, value in group.items() if name != change.name}
            elif isinstance(group, list) and any(isinstance(e, dict) and e.get("class") == change.name for e in group):
                rest = [each for each in group if not (isinstance(each, dict) and each.get("class") == change.name)]
            else:
                continue
            if rest:
                holder[key] = rest
            else:
                del holder[key]
            return
        raise Refused(f"There is no requirement `{change.name}`.", "Read the document again.")

    # copies

    def paste(self, change: edits.Paste) -> None:
        tree = Tree(change.text)
        content = tree.root.plain() if tree.root else None
        if not isinstance(content, dict) or not set(content) <= {"inputs", "steps", "outputs"}:
            raise Refused("What was copied are no nodes.", "Copy steps, inputs or outputs.")
        groups = {key: value for key, value in content.items() if isinstance(value, dict)}
        names: dict[str, str] = {}
        for key in ("inputs", "steps", "outputs"):
            for name in groups.get(key, {}):
                names[name] = self._free(str(name), set(names.values()))
        for key in ("inputs", "steps", "outputs"):
            for name, value in groups.get(key, {}).items():
                self.outline.check_new(names[name])
                self.outline.set(self.process, key, names[name], self._pasted(key, value, names), self.outline.prefix)

    def _free(self, name: str, taken: set[str]) -> str:
        taken = taken | self.outline.ids()
        if name not in taken:
            return name
        base = re.sub(r"_\d+\Z", "", name)
        return next(f"{base}_{number}" for number in range(2, len(taken) + 3) if f"{base}_{number}" not in taken)

    def _pasted(self, key: str, value: Any, names: dict[str, str]) -> Any:
        known = self.outline.ids()

        def moved(source: Any) -> Any:
            if isinstance(source, list):
                kept = [each for each in map(moved, source) if each is not None]
                return kept or None
            first, sign, rest = str(source).partition("/")
            if first in names:
                return names[first] + sign + rest
            return source if first in known else None

        if key == "steps" and isinstance(value, dict):
            ports = {}
            for port, each in (value.get("in") or {}).items():
                whole = _full(each, "source")
                source = moved(whole["source"]) if "source" in whole else None
                rest = {name: one for name, one in whole.items() if name != "source"}
                if source is not None or rest:
                    ports[port] = {**({"source": source} if source is not None else {}), **rest} if rest else source
            return {**value, "in": ports}
        if key == "outputs" and isinstance(value, dict) and "outputSource" in value:
            source = moved(value["outputSource"])
            rest = {name: one for name, one in value.items() if name != "outputSource"}
            return {**rest, "outputSource": source} if source is not None else rest
        return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _full(value: Any, field: str) -> dict[str, Any]:
    """Return the full form of an entry that may be short."""
    if isinstance(value, dict) and not (field == "type" and is_bare_type(value)):
        return dict(value)
    return {} if value is None else {field: value}


def _without(value: Any, field: str, gone: Callable[[Any], bool]) -> tuple[Any, bool]:
    """Return an entry without the sources that go, and whether any went; None for an entry of which nothing is left."""
    if isinstance(value, dict):
        kept, changed = _without(value.get(field), "", gone)
        if not changed:
            return value, False
        rest = {name: each for name, each in value.items() if name != field}
        if kept is None:
            code = rest.get("valueFrom")
            if isinstance(code, str) and re.search(r"\bself\b", code):
                rest = {name: each for name, each in rest.items() if name not in _CONVERTER_FIELDS}
            return (rest or None), True
        return {name: kept if name == field else each for name, each in value.items()}, True
    if field == "outputSource":
        return value, False
    if isinstance(value, list):
        left = [each for each in value if not gone(each)]
        return (left or None), len(left) != len(value)
    return (None, True) if gone(value) else (value, False)


def _behind_label(holder: dict[str, Any]) -> tuple[str, ...]:
    first = {"cwlVersion", "class", "id", "label", "$namespaces", "$schemas"}
    return tuple(name for name in holder if name not in first)


def _rename_in_list(group: Any, old: str, new: str) -> None:
    for each in group:
        if isinstance(each, dict) and short(str(each.get("id", ""))) == old:
            each["id"] = str(each["id"])[: len(str(each["id"])) - len(old)] + new


def _rename_prefixed(value: Any, old: str, new: str) -> None:
    """Rename every text of a packed process that is an id or begins with it as a path."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in list(items):
        if isinstance(each, dict | list):
            _rename_prefixed(each, old, new)
        elif isinstance(each, str) and (each == old or each.startswith(f"{old}/")):
            value[key] = new + each[len(old) :]


def _rename_in_expressions(value: Any, old: str, new: str) -> None:
    """Rename an input where expressions use it."""
    name = re.escape(old)
    uses = re.compile(rf"""\binputs(?:\.{name}(?![\w-])|\[(["']){name}\1\])""")
    plain = bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", new))
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in list(items):
        if isinstance(each, dict | list):
            _rename_in_expressions(each, old, new)
        elif isinstance(each, str) and "$" in each:
            value[key] = uses.sub(f"inputs.{new}" if plain else f'inputs["{new}"]', each)


_DOERS: dict[type[Any], Any] = {
    edits.AddStep: _Work.add_step,
    edits.AddInput: _Work.add_input,
    edits.AddOutput: _Work.add_output,
    edits.Remove: _Work.remove,
    edits.Connect: _Work.connect,
    edits.Disconnect: _Work.disconnect,
    edits.Rename: _Work.rename,
    edits.SetField: _Work.set_field,
    edits.SetScatter: _Work.set_scatter,
    edits.SetWhen: _Work.set_when,
    edits.SetType: _Work.set_type,
    edits.AddRequirement: _Work.add_requirement,
    edits.RemoveRequirement: _Work.remove_requirement,
    edits.Paste: _Work.paste,
}
