"""Checks what a process and a step say about themselves: names of fields, requirements, software, version."""

from __future__ import annotations

from difflib import get_close_matches

from cwl_graph.bundles import Bundle, resolve
from cwl_graph.known_fields import FIELDS, LATER, REQUIREMENTS, STEP_FIELDS, VERSIONS
from cwl_graph.processes import Process
from cwl_graph.requirement_values import wrong_values
from cwl_graph.steps import Step
from cwl_graph.tree import Value

ASKS_NETWORK = "It asks for the network."
"""The message of the warning where a requirement asks for it."""
_SCATTER_METHODS = ("dotproduct", "nested_crossproduct", "flat_crossproduct")


def check_process(bundle: Bundle, process: Process, effective: frozenset[str], path: str) -> None:
    """Keep what is wrong with a process itself. `path` names the step that runs it, if one does."""
    value = process.value
    check_version(bundle, process, path)
    known = FIELDS.get(process.cls)
    if known:
        check_names(bundle, value, known, path)
    for needed in ("inputs", "outputs", *(("steps",) if process.cls == "Workflow" else ())):
        if value.get(needed) is None:
            bundle.error(value, f"`{needed}` is missing.", f"Add `{needed}: []` if there are none.", path)
    if process.cls == "ExpressionTool":
        if not value.word("expression") and value.get("expression") is None:
            bundle.error(value, "`expression` is missing.", "Write what it computes: `${ return {…}; }`.", path)
        if "InlineJavascriptRequirement" not in effective:
            advice = "Add `InlineJavascriptRequirement: {}` to `requirements`."
            bundle.error(value, "An expression needs JavaScript, which the document must ask for.", advice, path)
    if process.cls == "CommandLineTool" and not any(value.get(name) for name in ("baseCommand", "arguments", "inputs")):
        bundle.error(value, "The tool has no command.", "Add `baseCommand:`.", path)
    check_requirements(bundle, value, process.requirements, process.hints, path)


def check_version(bundle: Bundle, process: Process, path: str) -> None:
    """Keep a problem if the version is missing, unknown, or older than what the process uses."""
    root = process.value.tree.root
    stated = root.get("cwlVersion") if root is not None else None
    if stated is None:
        if not path:
            bundle.error(process.value, "`cwlVersion` is missing.", "Add `cwlVersion: v1.2` as the first line.", path)
    elif stated.text not in VERSIONS:
        known = ", ".join(VERSIONS)
        advice = f"Write one of {known}; older documents are brought up to date by `cwl-upgrader`."
        bundle.error(stated, f"`{stated.text}` is no version of CWL that runs here.", advice, path)
    for name, first in LATER.get(process.cls, {}).items():
        found = process.value.get(name)
        if (
            found is not None
            and process.version in VERSIONS
            and VERSIONS.index(process.version) < VERSIONS.index(first)
        ):
            bundle.error(found, f"`{name}` came with {first}.", f"Write `cwlVersion: {first}`.", path)


def check_names(bundle: Bundle, value: Value, known: frozenset[str], node: str) -> None:
    """Keep a problem for each field that CWL doesn't know; names with a colon and `$…` are anybody's own."""
    for name, at, _ in value.real.pairs():
        if name in known or ":" in name or name.startswith("$"):
            continue
        near = get_close_matches(name, sorted(known), 1, 0.75)
        advice = (
            f"Is it `{near[0]}`?"
            if near
            else "Take it out, or give it a prefix (`my:name`) that `$namespaces` explains."
        )
        bundle.error(at, f"CWL knows no field `{name}` here.", advice, node)


def check_requirements(
    bundle: Bundle, value: Value, requirements: dict[str, Value], hints: dict[str, Value], node: str
) -> None:
    """Keep what is unknown or needs leave among requirements and hints."""
    _check_known(bundle, requirements, node)
    for name in (*requirements, *hints):
        each = requirements.get(name) or hints[name]
        note = bundle.error if name in requirements else bundle.warning
        for wrong in wrong_values(name, each):
            note(wrong.at, wrong.message, wrong.advice, node)
        if name == "DockerRequirement":
            check_docker(bundle, each, name in requirements, node)
    for name, each in requirements.items():
        if name == "NetworkAccess" and each.word("networkAccess") not in {"false", "False"}:
            advice = "Whoever launches it needs leave for the network; take it out if the step works without."
            bundle.warning(each, ASKS_NETWORK, advice, node)
    for group in (value.get("requirements"), value.get("hints")):
        if group is not None:
            check_includes(bundle, group, node)


def _check_known(bundle: Bundle, requirements: dict[str, Value], node: str) -> None:
    for name, each in requirements.items():
        if ":" not in name and name not in REQUIREMENTS:
            near = get_close_matches(name, sorted(REQUIREMENTS), 1, 0.6)
            advice = f"Is it `{near[0]}`?" if near else "Take it out, or make it a hint."
            bundle.error(each, f"CWL knows no requirement `{name}`.", advice, node)
        elif name in REQUIREMENTS and each.kind == "map":
            check_names(bundle, each, REQUIREMENTS[name] | {"class"}, node)


def check_docker(bundle: Bundle, value: Value, required: bool, node: str) -> None:  # noqa: FBT001  requirement or hint
    """Keep what a DockerRequirement asks for that may not be had."""
    for name in ("dockerFile", "dockerLoad", "dockerImport"):
        found = value.get(name)
        if found is not None and required:
            advice = "Name an image with `dockerPull`, or an environment of this platform."
            bundle.error(
                found, f"`{name}` is not carried out: images are built before, not during a run.", advice, node
            )
    if required and value.word("dockerPull"):
        told = f"It asks for the image `{value.word('dockerPull')}`."
        advice = "It runs with containers or an environment of that name; make it a hint to run everywhere."
        bundle.warning(value, told, advice, node)


def check_includes(bundle: Bundle, value: Value, node: str, depth: int = 0) -> None:
    """Keep a problem for each `$include` and `$import` that can't be had."""
    own = value.real
    if depth > 10:  # noqa: PLR2004  requirements are flatter than that
        return
    for each in own.items:
        check_includes(bundle, each, node, depth + 1)
    for name, _, each in own.pairs() if own.kind == "map" else ():
        if name in {"$include", "$import"} and each.real.kind == "scalar":
            found = resolve(own.file, each.real.text, bundle.files)
            if found.trouble:
                bundle.error(each, found.trouble, found.advice, node)
            else:
                bundle.used[found.path] = None
        else:
            check_includes(bundle, each, node, depth + 1)


def check_step(bundle: Bundle, step: Step, process: Process, effective: frozenset[str], node: str) -> None:
    """Keep what is wrong with a step: its fields, scatter, `when`, and inputs that nothing fills."""
    value = step.value
    check_names(bundle, value, STEP_FIELDS, node)
    if value.get("out") is None:
        bundle.error(step.at, f"The step `{step.id}` has no `out`.", "Add `out: [name, …]`.", node)
    _check_scatter(bundle, step, effective, node)
    when = value.get("when")
    if when is not None and process.version in {"v1.0", "v1.1"}:
        bundle.error(when, "`when` came with v1.2.", "Write `cwlVersion: v1.2`.", node)
    if step.run is not None and step.run.cls == "Workflow":
        _need(
            bundle,
            value.get("run"),
            "SubworkflowFeatureRequirement",
            "A workflow inside a workflow",
            effective=effective,
            node=node,
        )
    for arrow in step.arrows.values():
        if arrow.value_from:
            _need(
                bundle,
                arrow.value.get("valueFrom"),
                "StepInputExpressionRequirement",
                "`valueFrom`",
                effective=effective,
                node=node,
            )
    _check_ports(bundle, step, node)
    requirements = dict(_classes(value.get("requirements")))
    hints = dict(_classes(value.get("hints")))
    check_requirements(bundle, value, requirements, hints, node)


def _check_scatter(bundle: Bundle, step: Step, effective: frozenset[str], node: str) -> None:
    value = step.value
    if step.scatter:
        _need(bundle, value.get("scatter"), "ScatterFeatureRequirement", "Scatter", effective=effective, node=node)
        for name in step.scatter:
            if name not in step.arrows:
                advice = f"Connect `{name}`, or take it out of `scatter`."
                bundle.error(
                    value.get("scatter") or value, f"It scatters over `{name}`, which isn't connected.", advice, node
                )
        if len(step.scatter) > 1 and not step.scatter_method:
            advice = "Write `scatterMethod: dotproduct` (pairs) or one of the crossproducts."
            bundle.error(value.get("scatter") or value, "Scatter over several inputs needs a method.", advice, node)
    if step.scatter_method and step.scatter_method not in _SCATTER_METHODS:
        advice = f"Use one of {', '.join(_SCATTER_METHODS)}."
        bundle.error(
            value.get("scatterMethod") or value, f"`{step.scatter_method}` is no way to scatter.", advice, node
        )


def _classes(value: Value | None) -> list[tuple[str, Value]]:
    if value is None:
        return []
    if value.kind == "list":
        return [(each.real.word("class"), each.real) for each in value.items if each.real.word("class")]
    return [(name, each.real) for name, _, each in value.pairs()]


def _need(bundle: Bundle, at: Value | None, name: str, what: str, *, effective: frozenset[str], node: str) -> None:
    if name not in effective and at is not None:
        bundle.error(
            at, f"{what} is something that the document must ask for.", f"Add `{name}: {{}}` to `requirements`.", node
        )


def _check_ports(bundle: Bundle, step: Step, node: str) -> None:
    if step.run is None:
        return
    for each in step.run.inputs:
        arrow = step.arrows.get(each.name)
        filled = arrow is not None and (arrow.sources or arrow.value_from or arrow.default is not None)
        if not filled and not each.optional and each.type.kind not in {"Any", "unknown"}:
            told = f"The input `{each.name}` ({each.type.text}) of `{step.id}` gets no value."
            bundle.error(arrow.value if arrow else step.at, told, "Connect it, or give it a default.", node)
    names = [each.name for each in step.run.outputs]
    for name, at in step.out.items():
        if name not in names:
            near = get_close_matches(name, names, 1)
            advice = (
                f"Is it `{near[0]}`?" if near else f"It gives {', '.join(f'`{each}`' for each in names) or 'nothing'}."
            )
            bundle.error(at, f"What `{step.id}` runs has no output `{name}`.", advice, node)
    known = {each.name for each in step.run.inputs}
    for name, arrow in step.arrows.items():
        if name not in known and not (step.when or any(one.value_from for one in step.arrows.values())):
            near = get_close_matches(name, sorted(known), 1)
            advice = f"Is it `{near[0]}`?" if near else "Take it out."
            bundle.warning(arrow.value, f"What `{step.id}` runs has no input `{name}`.", advice, node)
