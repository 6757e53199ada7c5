"""What the editor asks for: documents as the JSON that the browser draws, and its changes made in the text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import cwl_graph
from cwl_graph import Document, Graph, Node, Port, Problem

MOST_PAIRS = 4_000
"""Pairs of types whose fit is told; others are found out when they are connected."""
LONGEST_PAIR = 1000
"""Letters of a pair of types; those of longer ones are found out as well when they are connected."""
MOST_PROBLEMS = 500
DEEPEST = 20
"""Workflows inside steps inside workflows …, as far as they are shown."""
LONGEST_VALUE = 20_000
"""Letters of a default that are sent for the inspector."""


def reading(files: Mapping[str, str], main: str, *, place: bool = True) -> dict[str, Any]:
    """Return what the browser draws of a document: graph, problems, which types fit, details, and a layout."""
    document = cwl_graph.read(files, main)
    graph = _shown_graph(document)
    return {
        "label": document.label,
        "doc": document.doc,
        "cwl_version": document.cwl_version,
        "cwl_class": document.cwl_class,
        "graph": _graph(graph, 0) if graph is not None else None,
        "problems": [_problem(one) for one in document.problems[:MOST_PROBLEMS]],
        "fits": fits(graph) if graph is not None else {},
        "layout": {"boxes": dict(_boxes(graph, "", 0))} if place and graph is not None else None,
        "details": dict(_details(document.content, "", 0)),
    }


def _shown_graph(document: Document) -> Graph | None:
    """Return the graph of a document that could be read; None keeps the last picture on the canvas."""
    return document.graph if document.content is not None and document.cwl_class else None


def _problem(one: Problem) -> dict[str, Any]:
    return {
        "severity": one.severity,
        "message": one.message,
        "advice": one.advice,
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "node": one.node,
    }


def _value(value: Any) -> Any:
    """Return a default as JSON has it; what it has not, or what is very long, as a text."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return str(value)[:LONGEST_VALUE]
    return value if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE]


def _port(port: Port) -> dict[str, Any]:
    return {
        "id": port.id,
        "label": port.label,
        "doc": port.doc,
        "type": port.type.text,
        "optional": port.optional,
        "has_default": port.has_default,
        "format": port.format,
        "connected": port.connected,
        "scattered": port.scattered,
        "default": _value(port.default),
        "value_from": port.value_from,
        "link_merge": port.link_merge,
        "pick_value": port.pick_value,
        "known": port.known,
    }


def _node(node: Node, depth: int) -> dict[str, Any]:
    return {
        "id": node.id,
        "kind": node.kind,
        "label": node.label,
        "doc": node.doc,
        "run": node.run,
        "run_class": node.run_class,
        "ports_in": [_port(port) for port in node.ports_in],
        "ports_out": [_port(port) for port in node.ports_out],
        "scatter": list(node.scatter),
        "scatter_method": node.scatter_method,
        "when": node.when,
        "first_line": node.first_line,
        "last_line": node.last_line,
        "missing": node.missing,
        "problems": [_problem(one) for one in node.problems[:20]],
        "sub": _graph(node.sub, depth + 1) if node.sub is not None and depth < DEEPEST else None,
    }


def _graph(graph: Graph, depth: int) -> dict[str, Any]:
    return {
        "nodes": [_node(node, depth) for node in graph.nodes],
        "links": [
            {
                "id": link.id,
                "source_node": link.source_node,
                "source_port": link.source_port,
                "target_node": link.target_node,
                "target_port": link.target_port,
                "fit": link.fit,
                "why": link.why,
            }
            for link in graph.links
        ],
    }


def _graphs(graph: Graph, depth: int = 0) -> Iterator[Graph]:
    yield graph
    for node in graph.nodes:
        if node.sub is not None and depth < DEEPEST:
            yield from _graphs(node.sub, depth + 1)


def fits(graph: Graph) -> dict[str, tuple[str, str]]:
    """Tell for each pair of types in a graph, as `source → target`, whether they fit, and why (not)."""
    found: dict[str, tuple[str, str]] = {}
    for one in _graphs(graph):
        sources = {port.type.text: port.type for node in one.nodes for port in node.ports_out}
        targets = {port.type.text: port.type for node in one.nodes for port in node.ports_in}
        for name, source in sources.items():
            for other, target in targets.items():
                if len(found) >= MOST_PAIRS:
                    return found
                key = f"{name} → {other}"
                if key not in found and len(key) <= LONGEST_PAIR:
                    found[key] = cwl_graph.fit(source, target)
    return found


def _boxes(graph: Graph, prefix: str, depth: int) -> Iterator[tuple[str, list[float]]]:
    for name, (x, y, width, height) in cwl_graph.layout(graph).boxes.items():
        yield prefix + name, [round(x), round(y), round(width), round(height)]
    for node in graph.nodes:
        if node.sub is not None and depth < DEEPEST:
            yield from _boxes(node.sub, f"{prefix}{node.id}/", depth + 1)


def _named(group: Any, key: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Go through what CWL writes as a map, or as a list of things that say their own name."""
    if isinstance(group, Mapping):
        return ((str(name), one) for name, one in group.items() if isinstance(one, Mapping))
    if isinstance(group, list):
        return ((str(one.get(key, "")).rpartition("#")[2], one) for one in group if isinstance(one, Mapping))
    return ()


def _details(process: Any, prefix: str, depth: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield what a process requires or hints at, by its path with a slash at the end, and each step by its path."""
    if not isinstance(process, Mapping) or depth > DEEPEST:
        return
    if asked := _asked(process):
        yield prefix, asked
    for name, step in _named(process.get("steps"), "id"):
        if asked := _asked(step):
            yield prefix + name, asked
        yield from _details(step.get("run"), f"{prefix}{name}/", depth + 1)


def _asked(holder: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the requirements and hints of a process or a step."""
    return [
        {"name": kind, "hint": group == "hints", "fields": {name: _value(value) for name, value in one.items()}}
        for group in ("requirements", "hints")
        for kind, one in _named(holder.get(group), "class")
    ]
