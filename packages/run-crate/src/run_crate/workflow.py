"""The documents of a run as entities: the workflow, its tools and steps, their parameters and what connects them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cwl_graph import Document, Graph, Node, Port, Type, read
from run_crate.entities import Entities, Entity, address, local, ref

WORKFLOW = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
TYPES = {
    "string": "Text",
    "int": "Integer",
    "long": "Integer",
    "float": "Float",
    "double": "Float",
    "boolean": "Boolean",
    "File": "File",
    "Directory": "Dataset",
    "enum": "Text",
    "record": "PropertyValue",
    "Any": "DataType",
}
"""CWL's types as the Workflow Run profile writes them in `additionalType`."""


@dataclass(frozen=True)
class StepEntity:
    """A step of a workflow, and what it runs."""

    step: Entity
    tool: Entity
    graph: Graph | None


@dataclass
class Described:
    """A workflow's entities: `steps` by their path (`align/crop`), formal parameters by tool id and name."""

    workflow: Entity
    document: Document
    steps: dict[str, StepEntity] = field(default_factory=dict)
    parameters: dict[tuple[str, str], Entity] = field(default_factory=dict)

    def parameter(self, tool: Entity, name: str) -> Entity | None:
        """Return the formal parameter of a tool that has this name, as an input or else as an output."""
        return self.parameters.get((tool["@id"], f"in/{name}")) or self.output(tool, name)

    def output(self, tool: Entity, name: str) -> Entity | None:
        """Return the formal parameter of a tool's output."""
        return self.parameters.get((tool["@id"], f"out/{name}"))


def describe(entities: Entities, documents: Mapping[str, str], main: str) -> Described:
    """Add the entities of a bundle's main document; the files themselves are the caller's."""
    document = read(documents, main)
    path, _, process = main.partition("#")
    is_flow = document.cwl_class == "Workflow"
    workflow = entities.add(
        address(path),
        [*WORKFLOW, "HowTo"] if is_flow and any(one.kind == "step" for one in document.graph.nodes) else WORKFLOW,
        name=document.label or process or path.removesuffix(".cwl"),
        description=document.doc,
        programmingLanguage=ref(cwl(entities, document.cwl_version)),
    )
    found = Described(workflow, document)
    for direction, fields in (("input", document.inputs), ("output", document.outputs)):
        ports = [Port(one.name, one.label, one.doc, one.type, one.optional, format=one.format) for one in fields]
        _parameters(entities, found, workflow, direction, ports)
    if is_flow:
        _flow(entities, found, workflow, document.graph, prefix="", path=path)
    return found


def cwl(entities: Entities, version: str) -> Entity:
    """Add the language of the documents."""
    return entities.add(
        "https://w3id.org/workflowhub/workflow-ro-crate#cwl",
        "ComputerLanguage",
        name="Common Workflow Language",
        alternateName="CWL",
        identifier=ref("https://w3id.org/cwl/v1.2/"),
        url=ref("https://www.commonwl.org/"),
        version=version,
    )


def _flow(entities: Entities, found: Described, workflow: Entity, graph: Graph, *, prefix: str, path: str) -> None:
    """Add the steps of a workflow, what they run, and the connections between their parameters."""
    steps = [node for node in graph.nodes if node.kind == "step"]
    for position, node in enumerate(steps):
        tool = _tool(entities, found, node, prefix + node.id, path)
        step = entities.add(
            local("step", prefix + node.id),
            "HowToStep",
            name=node.title,
            description=node.doc,
            position=str(position),
            workExample=ref(tool),
        )
        found.steps[prefix + node.id] = StepEntity(step, tool, node.sub)
        entities.link(workflow, "step", [step])
        entities.link(workflow, "hasPart", [tool])
        if node.sub is not None:
            _flow(entities, found, tool, node.sub, prefix=f"{prefix}{node.id}/", path=node.run_file or path)
    _connect(entities, found, workflow, graph, prefix)


def _tool(entities: Entities, found: Described, node: Node, name: str, path: str) -> Entity:
    file, fragment = node.run_file or path, node.run.partition("#")[2]
    inside = f"#{fragment}" if fragment else "" if node.run else f"#{name}/run"
    own_file = not inside
    if node.run_class == "Workflow":
        kinds = ["SoftwareSourceCode", "ComputationalWorkflow", *(["HowTo"] if node.sub and node.sub.nodes else [])]
        kind = ["File", *kinds] if own_file else kinds
        language = ref("https://w3id.org/workflowhub/workflow-ro-crate#cwl")
    else:
        kind, language = ["File", "SoftwareApplication"] if own_file else ["SoftwareApplication"], None
    tool = entities.add(
        f"{address(file)}{inside}",
        kind,
        name=fragment or (file.rpartition("/")[2].removesuffix(".cwl") if own_file else node.title),
        description=node.doc,
        programmingLanguage=language,
    )
    nested = len(node.scatter) if node.scatter_method == "nested_crossproduct" else bool(node.scatter)
    _parameters(entities, found, tool, "input", node.ports_in)
    outputs = [Port(one.id, one.label, one.doc, _inside(one.type, int(nested))) for one in node.ports_out]
    _parameters(entities, found, tool, "output", outputs)
    return tool


def _inside(kind: Type, levels: int) -> Type:
    while levels and kind.required.items is not None:
        kind, levels = kind.required.items, levels - 1
    return kind


def _parameters(entities: Entities, found: Described, tool: Entity, direction: str, ports: Sequence[Port]) -> None:
    short = "in" if direction == "input" else "out"
    for port in ports:
        if (tool["@id"], f"{short}/{port.id}") in found.parameters:
            continue
        joint = "/" if "#" in tool["@id"] else "#"
        kinds, many = _kinds(port.type)
        parameter = entities.add(
            f"{tool['@id']}{joint}{address(f'{short}/{port.id}')}",
            "FormalParameter",
            name=port.id,
            description=port.doc or port.label,
            additionalType=kinds[0] if len(kinds) == 1 else kinds,
            conformsTo=ref(_profile(entities)),
            encodingFormat=port.format.splitlines() if port.format else None,
        )
        if many:
            parameter["multipleValues"] = "True"
        if direction == "input":
            parameter["valueRequired"] = "False" if port.optional or port.type.optional else "True"
            if isinstance(port.default, str | int | float):
                parameter["defaultValue"] = str(port.default)
        found.parameters[tool["@id"], f"{short}/{port.id}"] = parameter
        entities.link(tool, direction, [parameter])


def _profile(entities: Entities) -> Entity:
    return entities.add(PARAMETER, "CreativeWork", name="Bioschemas FormalParameter", version="1.0-RELEASE")


def _kinds(kind: Type) -> tuple[list[str], bool]:
    inner, many = kind.required, False
    while inner.items is not None:
        inner, many = inner.items.required, True
    members = inner.members or (inner,)
    return list(dict.fromkeys(TYPES.get(one.kind, "DataType") for one in members)), many


def _connect(entities: Entities, found: Described, workflow: Entity, graph: Graph, prefix: str) -> None:
    """Add a connection for each arrow: the receiving step's, or the workflow's where it ends at an output."""
    for link in graph.links:
        source, target = graph.node(link.source_node), graph.node(link.target_node)
        if source is None or target is None:
            continue
        before = _end(found, workflow, source, f"out/{link.source_port}", prefix)
        after = _end(found, workflow, target, f"in/{link.target_port}", prefix)
        if before is None or after is None:
            continue
        connection = entities.add(
            local("connection", prefix + link.id.replace("->", "/to/")),
            "ParameterConnection",
            sourceParameter=ref(before),
            targetParameter=ref(after),
        )
        owner = found.steps[prefix + target.id].step if target.kind == "step" else workflow
        entities.link(owner, "connection", [connection])


def _end(found: Described, workflow: Entity, node: Node, port: str, prefix: str) -> Entity | None:
    if node.kind == "step":
        tool = found.steps[prefix + node.id].tool
        return found.parameters.get((tool["@id"], port))
    ports = node.ports_out if node.kind == "input" else node.ports_in
    name = ports[0].id if ports else node.id
    return found.parameters.get((workflow["@id"], f"{'in' if node.kind == 'input' else 'out'}/{name}"))
