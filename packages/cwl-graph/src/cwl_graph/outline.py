"""A process as plain data that edits change: entries found by id in maps and lists, references in its own manner."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from cwl_graph.bundles import short
from cwl_graph.problems import Refused

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\Z")

Group = Any
"""What CWL writes as a map or as a list with ids."""


class Outline:
    """The process that is edited, inside a copy of its document's content."""

    def __init__(self, content: Any, process_id: str) -> None:
        self.content = copy.deepcopy(content)
        self.process, self.path = self._find(process_id)
        self.prefix = self._prefix()

    def _find(self, process_id: str) -> tuple[dict[str, Any], tuple[str | int, ...]]:
        graph = self.content.get("$graph") if isinstance(self.content, dict) else None
        if not isinstance(graph, list):
            if not isinstance(self.content, dict):
                raise Refused("This is no CWL document.", "It begins with `cwlVersion:` and `class:`.")
            return self.content, ()
        found = [
            (at, each)
            for at, each in enumerate(graph)
            if isinstance(each, dict) and str(each.get("id", "")).rpartition("#")[2] == (process_id or "main")
        ]
        if not found and not process_id:
            workflows = [
                (at, each)
                for at, each in enumerate(graph)
                if isinstance(each, dict) and each.get("class") == "Workflow"
            ]
            found = workflows if len(workflows) == 1 else [(0, graph[0])] if len(graph) == 1 else []
            found = [(at, each) for at, each in found if isinstance(each, dict)]
        if not found:
            raise Refused(f"The document has no process `{process_id or 'main'}`.", "Name one behind `#`.")
        return found[0][1], ("$graph", found[0][0])

    def enter(self, step: str) -> None:
        """Go on with the workflow that stands in a step itself; refuse where there is none."""
        run = self.step(step).get("run")
        if not isinstance(run, dict) or run.get("class") != "Workflow":
            raise Refused(f"The step `{step}` holds no workflow of its own.", "Open the file that it runs.")
        group, name = self.process["steps"], self.name_of(step)
        if isinstance(group, dict):
            key: str | int = next(own for own in group if short(str(own)) == name)
        else:
            ids = [str(each.get("id", "")) if isinstance(each, dict) else "" for each in group]
            key = next(at for at, own in enumerate(ids) if short(own) == name)
        self.process, self.path = run, (*self.path, "steps", key, "run")
        self.prefix = self._prefix()

    def _prefix(self) -> str:
        """Return what stands before local names: `#main/` in documents that were packed, else nothing."""
        own = str(self.process.get("id", ""))
        inputs = self.process.get("inputs")
        outputs = self.process.get("outputs")
        for group in (inputs, outputs):
            if isinstance(group, list) and group and isinstance(group[0], dict):
                first = str(group[0].get("id", ""))
                return f"{own}/" if own and first.startswith(f"{own}/") else ""
        return f"{own}/" if own.startswith("#") and isinstance(inputs, list) else ""

    # ids

    def ids(self) -> set[str]:
        """Return the ids of all nodes."""
        return {name for key in ("inputs", "outputs", "steps") for name, _ in self.entries(self.process.get(key))}

    def check_new(self, name: str) -> None:
        """Refuse an id that is taken or can't be one."""
        if not _ID.match(name):
            told = f"`{name}` can't be an id." if name else "The id is empty."
            raise Refused(told, "Use letters, digits, `_`, `-` and `.`, and begin with a letter, a digit or `_`.")
        if name in self.ids():
            raise Refused(f"The id `{name}` is taken.", "Choose another one.")

    def kind_of(self, node: str) -> str:
        """Return the group of a node: inputs, outputs or steps."""
        for sign, key in (("output:", "outputs"), ("step:", "steps")):
            if node.startswith(sign):
                return key
        for key in ("inputs", "steps", "outputs"):
            if any(name == node for name, _ in self.entries(self.process.get(key))):
                return key
        raise Refused(f"There is no `{node}`.", "Read the document again.")

    @staticmethod
    def name_of(node: str) -> str:
        """Return the id that the document writes for a node."""
        return node.removeprefix("output:").removeprefix("step:")

    # groups

    def entries(self, group: Group) -> Iterator[tuple[str, Any]]:
        """Yield id and value of each entry."""
        if isinstance(group, dict):
            yield from ((short(str(name)), value) for name, value in group.items() if name != "$import")
        elif isinstance(group, list):
            for each in group:
                if isinstance(each, dict) and "id" in each:
                    yield short(str(each["id"])), each
                elif isinstance(each, str):
                    yield short(each), each

    def group(self, holder: dict[str, Any], key: str) -> Group:
        """Return a group, made a map where there was none."""
        found = holder.get(key)
        if isinstance(found, dict) and "$import" in found:
            raise Refused(f"`{key}` stands in another file ({found['$import']}).", "Edit that file.")
        if found and not isinstance(found, dict | list):
            raise Refused(f"`{key}` is neither a map nor a list.", "Correct the text first.")
        if not found and not (isinstance(found, list) and self.prefix):
            before = {"inputs": ("outputs", "steps"), "outputs": ("steps",), "steps": ()}.get(key, ())
            found = self.add_key(holder, key, {}, before)
        return found

    @staticmethod
    def add_key(holder: dict[str, Any], key: str, value: Any, before: tuple[str, ...]) -> Any:
        """Set a key; a new one stands before the first of `before` that is there, else at the end."""
        if key in holder or not any(name in holder for name in before):
            holder[key] = value
            return value
        rest = dict(holder)
        holder.clear()
        for name, each in rest.items():
            if name in before and key not in holder:
                holder[key] = value
            holder[name] = each
        return value

    def get(self, holder: dict[str, Any], key: str, name: str) -> Any:
        """Return the value of an entry by its id; None if there is none."""
        return next((value for own, value in self.entries(holder.get(key)) if own == name), None)

    def set(self, holder: dict[str, Any], key: str, name: str, value: Any, prefix: str = "") -> None:
        """Set or add an entry. In a list, the id is put first."""
        group = self.group(holder, key)
        if isinstance(group, dict):
            real = next((own for own in group if short(str(own)) == name), name)
            group[real] = value
            return
        for at, each in enumerate(group):
            own = each.get("id") if isinstance(each, dict) else each
            if isinstance(own, str) and short(own) == name:
                group[at] = self._as_item(own, value)
                return
        group.append(self._as_item(prefix + name, value))

    @staticmethod
    def _as_item(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return value if "id" in value else {"id": name, **value}
        return {"id": name, ("source" if isinstance(value, str | list) else "default"): value}

    def drop(self, holder: dict[str, Any], key: str, name: str) -> None:
        """Take an entry away."""
        group = holder.get(key)
        if isinstance(group, dict):
            holder[key] = {own: value for own, value in group.items() if short(str(own)) != name}
        elif isinstance(group, list):
            holder[key] = [
                each for each in group if short(str(each.get("id", "") if isinstance(each, dict) else each)) != name
            ]

    def step(self, name: str) -> dict[str, Any]:
        """Return a step, or refuse."""
        found = self.get(self.process, "steps", self.name_of(name))
        if not isinstance(found, dict):
            raise Refused(f"There is no step `{name}`.", "Read the document again.")
        return found

    # references

    def reference(self, node: str, port: str) -> str:
        """Return how a source is written: `input` or `step/port`, as this document writes them."""
        plain = node if self.kind_of(node) == "inputs" else f"{self.name_of(node)}/{port}"
        return self.prefix + plain

    def refers(self, text: Any, node: str, port: str = "") -> bool:
        """Say whether a source's text means a node, or one of its ports."""
        if not isinstance(text, str):
            return False
        plain = text.removeprefix(self.prefix) if self.prefix else text.rpartition("#")[2]
        own = str(self.process.get("id", "")).rpartition("#")[2]
        if own and plain.startswith(f"{own}/"):
            plain = plain.removeprefix(f"{own}/")
        first, _, rest = plain.partition("/")
        return first == node and (not port or not rest or rest == port)

    def source_fields(self) -> Iterator[tuple[dict[str, Any], str, str, str]]:
        """Yield each place that may hold sources: holder, group, entry's id, and the field in its full form."""
        for _, step in self.entries(self.process.get("steps")):
            if isinstance(step, dict):
                for name, _ in list(self.entries(step.get("in"))):
                    yield step, "in", name, "source"
        for name, _ in list(self.entries(self.process.get("outputs"))):
            yield self.process, "outputs", name, "outputSource"


def first_keys_before() -> tuple[str, ...]:
    """Return the fields before which requirements stand."""
    return (
        "hints",
        "inputs",
        "baseCommand",
        "arguments",
        "stdin",
        "stdout",
        "outputs",
        "expression",
        "steps",
        "in",
        "run",
    )


__all__ = ["Outline", "first_keys_before"]
