"""Reads a workflow's steps and makes its graph: nodes with typed ports, and links that say whether they fit."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from cwl_graph.bundles import Bundle, resolve, short
from cwl_graph.checking import check_process, check_step
from cwl_graph.cwl_types import doc_text
from cwl_graph.graphs import Field, Graph, Node, Port
from cwl_graph.links import make_links
from cwl_graph.processes import CLASSES, Process, entries, read_process
from cwl_graph.steps import Arrow, Step, read_arrow, sources_of, step_ports_in, step_ports_out
from cwl_graph.tree import Value

DEEPEST_WORKFLOW = 20
"""Workflows inside workflows."""
MOST_NODES = 5000
"""Nodes of one document, those of a workflow counted as often as it is run."""


class Reader:
    """Reads the processes of a bundle, each once for each way it is met."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._cache: dict[tuple[Value, frozenset[str], str], Process] = {}
        self._open: list[Value] = []
        self._sizes: dict[Value, int] = {}

    def process(
        self, value: Value, version: str, above: dict[str, Any], inherited: frozenset[str], *, path: str
    ) -> Process:
        """Return a process with its graph and checks. `path` is the path of the step that runs it, or empty."""
        key = (value, inherited, version)
        known = self._cache.get(key)
        if known is None:
            process = read_process(self.bundle, value, version, above, nodes=not path)
            effective = inherited | frozenset(process.requirements) | frozenset(process.hints)
            check_process(self.bundle, process, effective, path)
            if process.cls == "Workflow":
                self._open.append(value)
                process.graph = self._graph(process, effective, path)
                self._open.pop()
            known = self._cache[key] = process
        return known

    def _graph(self, process: Process, effective: frozenset[str], path: str) -> Graph:
        prefix = f"{path}/" if path else ""
        steps: dict[str, Step] = {}
        for name, at, value in entries(self.bundle, process.value.get("steps")):
            if not name:
                self.bundle.error(at, "A step has no id.", "Give it one: `id: name`.", path)
            elif name in steps:
                self.bundle.error(at, f"The id `{name}` stands twice.", "Rename one of the two.", prefix + name)
            elif value.kind != "map":
                self.bundle.error(at, f"The step `{name}` is empty.", "Give it `run`, `in` and `out`.", prefix + name)
            else:
                steps[name] = self._step(name, at, value, process, effective=effective, prefix=prefix)
        for name in [each.name for each in process.inputs if each.name in steps]:
            told = f"`{name}` is an input and a step."
            self.bundle.error(steps[name].at, told, "Rename one of the two.", f"{prefix}step:{name}")
        outputs = {
            name: read_arrow(name, value, "outputSource")
            for name, _, value in entries(self.bundle, process.value.get("outputs"))
        }
        if self._unfolded(steps) > MOST_NODES:
            told = f"Its workflows unfold to more than {MOST_NODES:,} steps."
            self.bundle.error(process.value, told, "Let steps scatter instead of writing them often.", path)
            steps = {name: replace(step, run=None) for name, step in steps.items()}
        links = make_links(self.bundle, process, steps, outputs, effective=effective, prefix=prefix)
        nodes = [_input_node(each) for each in process.inputs]
        nodes += [_step_node(step) for step in steps.values()]
        taken = {node.id for node in nodes}
        nodes += [_output_node(each, outputs.get(each.name), taken) for each in process.outputs]
        self._sizes[process.value] = len(nodes) + self._unfolded(steps)
        return Graph(tuple(nodes), tuple(links))

    def _unfolded(self, steps: dict[str, Step]) -> int:
        """Return how many nodes the workflows that steps run hold, counted as often as they are run."""
        return sum(self._sizes.get(step.run.value, 0) for step in steps.values() if step.run is not None)

    def _step(
        self, name: str, at: Value, value: Value, process: Process, *, effective: frozenset[str], prefix: str
    ) -> Step:
        twice = any(each.name == name for each in process.inputs)
        step = Step(name, at, value, f"step:{name}" if twice else name)
        node = prefix + step.node
        for port, _, each in entries(self.bundle, value.get("in")):
            if port in step.arrows:
                self.bundle.error(each, f"The input `{port}` stands twice.", "Keep one of the two.", node)
            elif port:
                step.arrows[port] = read_arrow(port, each, "source")
        for port, place, _ in entries(self.bundle, value.get("out")):
            if port:
                step.out[port] = place
        scatter = value.get("scatter")
        step.scatter = tuple(short(text) for text, _ in sources_of(scatter)[0])
        step.scatter_method = value.word("scatterMethod")
        step.when = value.word("when")
        step_own = frozenset(
            name
            for group in ("requirements", "hints")
            for name, _, _ in entries(self.bundle, value.get(group), "class")
        )
        step.loops = value.get("loop") is not None or any(name.endswith("Loop") for name in step_own)
        step.run = self._run(step, process, effective | step_own, node)
        check_step(self.bundle, step, process, effective | step_own, node)
        return step

    def _run(self, step: Step, process: Process, effective: frozenset[str], node: str) -> Process | None:
        run = step.value.get("run")
        if run is None:
            self.bundle.error(step.at, f"The step `{step.id}` doesn't say what it runs.", "Add `run:`.", node)
            return None
        if run.kind == "map" and run.get("$import") is None:
            step.run_file = run.file
            return self._inner(run, run, process, effective, node)
        address = run if run.kind == "scalar" else run.get("$import")
        if address is None or not address.text:
            self.bundle.error(run, "`run` names no file and holds no tool.", "Write the tool's path.", node)
            return None
        step.run_text = address.text
        target = self.find(address, node)
        step.run_file = target.file if target is not None else ""
        return self._inner(target, address, process, effective, node) if target is not None else None

    def _inner(self, value: Value, at: Value, process: Process, effective: frozenset[str], node: str) -> Process | None:
        cls = value.word("class")
        if cls not in CLASSES:
            told = f"`{cls}` can't be run." if cls else "What it runs has no class."
            self.bundle.error(value, told, f"A step runs one of {', '.join(CLASSES)}.", node)
            return None
        if any(value is each for each in self._open) or value is process.value:
            self.bundle.error(at, "The workflow runs itself.", "Let the step run something else.", node)
            return None
        if len(self._open) >= DEEPEST_WORKFLOW:
            self.bundle.error(at, "Too many workflows stand inside one another.", "Make it flatter.", node)
            return None
        version = process.version if value.file == process.value.file else ""
        return self.process(
            value, version or _version_of(value) or process.version, process.names, effective, path=node
        )

    def find(self, address: Value, node: str) -> Value | None:
        """Return the process that an address names; problems are kept."""
        found = resolve(address.file, address.text, self.bundle.files)
        if found.trouble:
            near = get_close_matches(found.path, list(self.bundle.files), 1)
            advice = f"Is it `{near[0]}`? {found.advice}" if near else found.advice
            self.bundle.error(address, found.trouble, advice, node)
            return None
        root = self.bundle.tree(found.path, node).root
        if root is None:
            if not self.bundle.files[found.path].strip():
                self.bundle.error(address, f"`{found.path}` is empty.", "Write a tool into it.", node)
            return None
        return choose_process(self.bundle, root, found.fragment, address, node)


def _version_of(value: Value) -> str:
    root = value.tree.root
    return root.word("cwlVersion") if root is not None else ""


def choose_process(bundle: Bundle, root: Value, fragment: str, at: Value, node: str) -> Value | None:
    """Return the process of a document that a fragment names, or its main one; problems are kept."""
    if root.kind != "map":
        bundle.error(root, "This is no CWL document.", "It begins with `cwlVersion:` and `class:`.", node)
        return None
    graph = bundle.get(root, "$graph")
    if graph is None:
        if fragment and fragment != "main" and root.word("id").rpartition("#")[2] != fragment:
            bundle.error(at, f"`{root.file}` has no process `{fragment}`.", "Leave `#…` away.", node)
            return None
        return root
    processes = {one.real.word("id").rpartition("#")[2]: one.real for one in graph.items if one.real.kind == "map"}
    chosen = processes.get(fragment or "main")
    if chosen is None and not fragment:
        workflows = [one for one in processes.values() if one.word("class") == "Workflow"]
        chosen = (
            next(iter(processes.values())) if len(processes) == 1 else workflows[0] if len(workflows) == 1 else None
        )
    if chosen is None:
        told = f"has no process `{fragment}`" if fragment else "holds several processes and none is `main`"
        names = ", ".join(f"`{name}`" for name in processes) or "nothing"
        bundle.error(at, f"`{root.file}` {told}.", f"It holds {names}; name one behind `#`.", node)
    return chosen


def _input_node(each: Field) -> Node:
    port = Port(
        each.name, each.label, each.doc, each.type, each.optional, each.has_default, each.format, default=each.default
    )
    return Node(
        each.name, "input", each.label, each.doc, ports_out=(port,), first_line=each.line, last_line=each.last_line
    )


def _output_node(each: Field, arrow: Arrow | None, taken: set[str]) -> Node:
    node_id = f"output:{each.name}" if each.name in taken else each.name
    port = Port(each.name, each.label, each.doc, each.type, each.optional, format=each.format)
    if arrow is not None:
        port = replace(port, connected=bool(arrow.sources), link_merge=arrow.link_merge, pick_value=arrow.pick_value)
    return Node(
        node_id, "output", each.label, each.doc, ports_in=(port,), first_line=each.line, last_line=each.last_line
    )


def _step_node(step: Step) -> Node:
    first, last = min(step.at.line, step.value.line), max(step.at.last_line, step.value.last_line)
    if step.value.file != step.at.file:
        first, last = step.at.line, step.at.last_line
    run = step.run
    return Node(
        id=step.node,
        kind="step",
        label=step.value.word("label") or (run.label if run else ""),
        doc=doc_text(doc.plain()) if (doc := step.value.get("doc")) is not None else (run.doc if run else ""),
        run=step.run_text,
        run_file=step.run_file,
        run_class=run.cls if run else "",
        ports_in=tuple(step_ports_in(step)),
        ports_out=tuple(step_ports_out(step)),
        scatter=step.scatter,
        scatter_method=step.scatter_method,
        when=step.when,
        first_line=first,
        last_line=last,
        missing=run is None,
        sub=run.graph if run and run.cls == "Workflow" else None,
    )
