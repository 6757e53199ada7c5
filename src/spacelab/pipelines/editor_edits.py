"""Changes of the canvas as changes of the text, and steps made from commands, scripts and notebooks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cwl_graph
from cwl_graph import Graph, Refused
from cwl_graph.cwl_types import type_data
from spacelab.kit.refusals import Invalid

LONGEST_NAME = 40
MOST_COPIED = 200
"""Steps that are copied at once."""


def _told(refused: Refused) -> Invalid:
    """Say in the platform's way what the package refuses."""
    where = f" ({refused.file}, line {refused.line})" if refused.line else ""
    return Invalid(refused.message + where, advice=refused.advice)


def named_by(change: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that a change is about to use, so that those of the catalogue are found beforehand."""
    for one in change.get("edits") or [change]:
        run = one.get("run") if isinstance(one, Mapping) else None
        if isinstance(run, str):
            yield run


def changed(files: Mapping[str, str], main: str, change: Mapping[str, Any], inside: Sequence[str] = ()) -> str:
    """Return the main document's text with a change made; `inside` names the steps that were opened on the way.

    Raises `Invalid` for changes that can't be made, with what to do instead.
    """
    try:
        edit = cwl_graph.edit_of(_typed(cache(lambda: cwl_graph.read(files, main).graph), change, inside))
        return cwl_graph.edit(files, main, edit, tuple(inside))
    except Refused as refused:
        raise _told(refused) from refused


def copied(files: Mapping[str, str], main: str, nodes: Sequence[str], inside: Sequence[str] = ()) -> str:
    """Return steps as a text that can be pasted into another document."""
    if len(nodes) > MOST_COPIED:
        raise Invalid(f"More than {MOST_COPIED} steps can't be copied at once.", advice="Select fewer.")
    try:
        return cwl_graph.copy_nodes(files, main, tuple(nodes), tuple(inside))
    except Refused as refused:
        raise _told(refused) from refused


def _typed(graph: Callable[[], Graph], change: Mapping[str, Any], inside: Sequence[str]) -> dict[str, Any]:
    """Replace `{"like": [step, port]}` by the type of that port."""
    made = dict(change)
    if isinstance(made.get("edits"), list):
        made["edits"] = [_typed(graph, one, inside) for one in made["edits"] if isinstance(one, Mapping)]
    like = made["type"].get("like") if isinstance(made.get("type"), Mapping) else None
    if isinstance(like, list) and len(like) == 2:  # noqa: PLR2004  a step and its port
        made["type"] = _type_of(graph(), "/".join([*inside, str(like[0])]), str(like[1]))
    return made


def _type_of(graph: Graph, node: str, port: str) -> Any:
    found = graph.node(node)
    ports = (*found.ports_in, *found.ports_out) if found else ()
    kind = next((one.type for one in ports if one.id == port), None)
    return type_data(kind) if kind else "Any"


@dataclass(frozen=True)
class Made:
    """A tool made from something else: its name, its text, and files that stand beside it."""

    name: str
    text: str
    beside: dict[str, str]


def made(kind: str, text: str, name: str) -> Made:
    """Return a tool made from a command line, a script or a notebook."""
    if not text.strip():
        raise Invalid("There is nothing to make a step from.", advice="Paste it, or choose a file.")
    name = file_name(name or (text.split(maxsplit=1)[0].rpartition("/")[2] if kind == "command" else kind))
    try:
        if kind == "command":
            return Made(name, cwl_graph.tool_from_command(text), {})
        if kind == "script":
            return Made(name, cwl_graph.tool_from_script(text, f"{name}.py"), {f"{name}.py": text})
        if kind == "notebook":
            return Made(name, cwl_graph.tool_from_notebook(text, f"{name}.ipynb"), {f"{name}.ipynb": text})
    except Refused as refused:
        raise _told(refused) from refused
    raise Invalid("A step is made from a command, a script or a notebook.", advice="Choose one of them.")


def file_name(wish: str) -> str:
    """Return a name as files and steps may have it."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", wish.strip()).strip("-")[:LONGEST_NAME]
    return name if re.match(r"[A-Za-z]", name) else f"step-{name}".rstrip("-")
