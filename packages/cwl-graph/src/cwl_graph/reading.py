"""Reads a document of a bundle: its graph, inputs and problems. Never raises on bad content, never fetches."""

from __future__ import annotations

import re
from dataclasses import replace

from cwl_graph.bundles import CATALOGUE, Bundle, resolve
from cwl_graph.cwl_types import doc_text
from cwl_graph.documents import Document, Files, Image, Use
from cwl_graph.graphs import Graph, Node
from cwl_graph.problems import Problem
from cwl_graph.processes import CLASSES, Process
from cwl_graph.tree import Value
from cwl_graph.workflows import Reader, choose_process

_PATH_IN_CATALOGUE = re.compile(r"(?:.*/)?(?P<path>catalogue/[^/]+/[^/]+\.cwl)\Z")


def read(files: Files, main: str) -> Document:
    """Return the document that `main` names: a path of the bundle, with `#id` for one process of a `$graph`.

    What is wrong stands in `.problems`; what can be read is there in any case.
    """
    path, _, process_id = main.partition("#")
    bundle = Bundle(files)
    if path not in files:
        bundle.add(Problem("error", f"`{path}` is not in the bundle.", "Name the main document.", path))
        return Document("", path, process_id, problems=tuple(bundle.problems))
    text = files[path]
    if bundle.too_large:
        return Document(text, path, process_id, problems=tuple(bundle.problems))
    root = bundle.tree(path).root
    if root is None:
        if not bundle.problems:
            bundle.add(Problem("error", "The document is empty.", "Write a workflow or a tool.", path, 1, 1))
        return Document(text, path, process_id, problems=tuple(bundle.problems))
    value = choose_process(bundle, root, process_id, root, "")
    document = Document(text, path, process_id, cwl_version=root.word("cwlVersion"), processes=_processes(root))
    if value is None:
        return replace(document, problems=tuple(bundle.problems))
    return _described(document, bundle, value, root)


def _described(document: Document, bundle: Bundle, value: Value, root: Value) -> Document:
    cls = value.word("class")
    if cls not in CLASSES:
        told = f"`{cls}` is no class of CWL." if cls else "`class` is missing."
        bundle.error(value.get("class") or value, told, f"Write `class:` with one of {', '.join(CLASSES)}.")
        return replace(document, cwl_class=cls, problems=tuple(bundle.problems), content=value.plain())
    process = Reader(bundle).process(value, root.word("cwlVersion"), {}, frozenset(), path="")
    graph = with_problems(process.graph, bundle.problems)
    return replace(
        document,
        cwl_class=cls,
        label=process.label,
        doc=doc_text(process.doc),
        graph=graph,
        problems=tuple(sorted(bundle.problems, key=lambda one: (one.file != document.main, one.file, one.line))),
        inputs=process.inputs,
        outputs=process.outputs,
        uses=_uses(graph, bundle, process),
        images=tuple(_images(process, bundle)),
        files_used=tuple(bundle.used),
        content=value.plain(),
    )


def _processes(root: Value) -> tuple[str, ...]:
    graph = root.get("$graph")
    if graph is None or graph.kind != "list":
        return ()
    return tuple(each.real.word("id").rpartition("#")[2] for each in graph.items)


def with_problems(graph: Graph, problems: list[Problem], prefix: str = "") -> Graph:
    """Return the graph with each node's problems at the node; a step has those inside it too."""
    by_node: dict[str, list[Problem]] = {}
    for problem in problems:
        if problem.node.startswith(prefix):
            by_node.setdefault(problem.node[len(prefix) :].partition("/")[0], []).append(problem)
    nodes = []
    for node in graph.nodes:
        own = by_node.get(node.id.removeprefix("output:"), [])
        sub = with_problems(node.sub, own, f"{prefix}{node.id}/") if node.sub is not None and own else node.sub
        nodes.append(replace(node, problems=tuple(own), sub=sub) if own else node)
    return Graph(tuple(nodes), graph.links)


def _uses(graph: Graph, bundle: Bundle, process: Process) -> tuple[Use, ...]:
    found: dict[str, Use] = {}
    base = process.value.file

    def look(graph: Graph, base: str, prefix: str) -> None:
        for node in graph.nodes:
            if node.run:
                _note(node, resolve(base, node.run, bundle.files).path, prefix)
            if node.sub is not None:
                look(node.sub, node.run_file or base, f"{prefix}{node.id}/")

    def _note(node: Node, path: str, prefix: str) -> None:
        matched = _PATH_IN_CATALOGUE.match(path)
        parts = CATALOGUE.match(matched["path"]) if matched else None
        if parts is None:
            return
        known = found.get(path)
        nodes = (*(known.nodes if known else ()), prefix + node.id)
        line = known.line if known else node.first_line
        found[path] = Use(parts["slug"], parts["version"], path, path in bundle.files, nodes, line)

    look(graph, base, "")
    return tuple(found.values())


def _images(process: Process, bundle: Bundle) -> list[Image]:
    found: list[Image] = []
    for path in list(bundle.used):
        root = bundle.tree(path).root if path in bundle.files else None
        if root is not None:
            _collect_images(root, found, 0)
    del process
    return found


def _collect_images(value: Value, found: list[Image], depth: int) -> None:
    own = value
    if own.kind == "list":
        for each in own.items:
            _collect_images(each, found, depth + 1)
    elif own.kind == "map":
        for name in ("requirements", "hints"):
            group = own.get(name)
            for each in _docker_of(group) if group is not None else []:
                pull = each.get("dockerPull")
                if pull is not None and pull.text:
                    found.append(Image(pull.text, name == "requirements", pull.file, pull.line))
        for key, each in own.entries:
            if key.text not in {"requirements", "hints"}:
                _collect_images(each, found, depth + 1)


def _docker_of(group: Value) -> list[Value]:
    if group.kind == "list":
        return [each.real for each in group.items if each.real.word("class") == "DockerRequirement"]
    found = group.get("DockerRequirement")
    return [found] if found is not None else []
