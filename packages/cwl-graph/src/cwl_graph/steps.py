"""The steps of a workflow while it is read: what they run, take and give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cwl_graph.cwl_types import ANY, Type, array_of, optional
from cwl_graph.graphs import Port
from cwl_graph.processes import Process
from cwl_graph.tree import Value


@dataclass
class Arrow:
    """One input of a step, or one output of the workflow, with the sources that the document names for it."""

    name: str
    value: Value
    sources: list[tuple[str, Value]] = field(default_factory=list)
    listed: bool = False
    default: Any = None
    has_default: bool = False
    value_from: str = ""
    link_merge: str = ""
    pick_value: str = ""
    label: str = ""
    doc: str = ""


@dataclass
class Step:
    """One step while its workflow is read."""

    id: str
    at: Value
    value: Value
    node: str = ""
    """The id of its node: its own, or with `step:` before it where an input has the same."""
    arrows: dict[str, Arrow] = field(default_factory=dict)
    out: dict[str, Value] = field(default_factory=dict)
    run: Process | None = None
    run_text: str = ""
    run_file: str = ""
    scatter: tuple[str, ...] = ()
    scatter_method: str = ""
    when: str = ""
    loops: bool = False
    """Whether it runs in a loop, an extension after which its outputs may have any type."""


def sources_of(value: Value | None) -> tuple[list[tuple[str, Value]], bool]:
    """Return the sources that a value names, and whether they stand in a list."""
    if value is None:
        return [], False
    if value.kind == "list":
        return [(each.real.text, each) for each in value.items if each.real.kind == "scalar"], True
    return ([(value.text, value)] if value.kind == "scalar" and value.text else []), False


def read_arrow(name: str, value: Value, key: str) -> Arrow:
    """Return a step's input (`key` is source) or a workflow's output (outputSource), short or full."""
    arrow = Arrow(name, value)
    if value.kind != "map":
        if key == "source" and value.tag == "" and value.plain() is not None:
            arrow.sources, arrow.listed = sources_of(value)
        return arrow
    arrow.sources, arrow.listed = sources_of(value.get(key))
    default = value.get("default")
    arrow.has_default = default is not None
    arrow.default = default.plain() if default is not None else None
    arrow.value_from = value.word("valueFrom")
    if not arrow.value_from and value.get("valueFrom") is not None:
        arrow.value_from = "(included)" if value.get("valueFrom").kind == "map" else ""  # type: ignore[union-attr]  # asked a line above
    arrow.link_merge = value.word("linkMerge")
    arrow.pick_value = value.word("pickValue")
    arrow.label = value.word("label")
    return arrow


def step_ports_in(step: Step) -> Iterator[Port]:
    """Yield the inputs of a step: those of what it runs, then those that only the step names."""
    declared = {each.name: each for each in step.run.inputs} if step.run else {}
    for name in [*declared, *(name for name in step.arrows if name not in declared)]:
        has, arrow = declared.get(name), step.arrows.get(name)
        port = Port(name, known=has is not None or step.run is None)
        if has is not None:
            port = Port(
                name, has.label, has.doc, has.type, has.optional, has.has_default, has.format, default=has.default
            )
        else:
            port = replace(port, optional=True)
        if arrow is not None:
            port = replace(
                port,
                connected=bool(arrow.sources),
                optional=port.optional or arrow.has_default or bool(arrow.value_from),
                has_default=port.has_default or arrow.has_default,
                default=arrow.default if arrow.has_default else port.default,
                value_from=arrow.value_from,
                link_merge=arrow.link_merge,
                pick_value=arrow.pick_value,
                label=port.label or arrow.label,
            )
        yield replace(port, scattered=name in step.scatter)


def step_ports_out(step: Step) -> Iterator[Port]:
    """Yield the outputs of a step, with their types as the workflow sees them (scattered, perhaps skipped)."""
    declared = {each.name: each for each in step.run.outputs} if step.run else {}
    for name in [*declared, *(name for name in step.out if name not in declared)]:
        has = declared.get(name)
        kind = outer_type(step, has.type if has else ANY)
        yield Port(
            name,
            has.label if has else "",
            has.doc if has else "",
            kind,
            format=has.format if has else "",
            connected=name in step.out,
            known=has is not None or step.run is None,
        )


def outer_type(step: Step, kind: Type) -> Type:
    """Return what a step's output is outside the step."""
    if step.loops:
        return ANY
    if step.when:
        kind = optional(kind)
    levels = len(step.scatter) if step.scatter_method == "nested_crossproduct" else min(1, len(step.scatter))
    for _ in range(levels):
        kind = array_of(kind)
    return kind
