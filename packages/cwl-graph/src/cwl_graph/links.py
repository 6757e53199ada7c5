"""The links of a workflow: from which port to which, whether they fit, and whether they run in a circle."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from cwl_graph.bundles import Bundle
from cwl_graph.cwl_types import ANY, Type, array_of
from cwl_graph.fitting import Fit, converter, fit
from cwl_graph.graphs import Link
from cwl_graph.processes import Process
from cwl_graph.steps import Arrow, Step, outer_type
from cwl_graph.tree import Value


@dataclass(frozen=True)
class _End:
    """Where a link begins: node, port and type."""

    node: str
    port: str
    type: Type


def make_links(
    bundle: Bundle,
    process: Process,
    steps: dict[str, Step],
    outputs: dict[str, Arrow],
    *,
    effective: frozenset[str],
    prefix: str,
) -> list[Link]:
    """Return the links of a workflow; what is wrong with them is kept in the bundle."""
    maker = _Links(bundle, process, steps, (effective, prefix))
    for step in steps.values():
        declared = {each.name: each.type for each in step.run.inputs} if step.run else {}
        for arrow in step.arrows.values():
            target = declared.get(arrow.name, ANY)
            if arrow.name in step.scatter:
                target = array_of(target)
            maker.take(arrow, target, step.node, prefix + step.node, is_output=False)
    types = {each.name: each.type for each in process.outputs}
    taken = {*steps, *(each.name for each in process.inputs)}
    for arrow in outputs.values():
        node = f"output:{arrow.name}" if arrow.name in taken else arrow.name
        maker.take(arrow, types.get(arrow.name, ANY), node, prefix + arrow.name, is_output=True)
    maker.check_circles()
    return maker.links


class _Links:
    def __init__(
        self, bundle: Bundle, process: Process, steps: dict[str, Step], around: tuple[frozenset[str], str]
    ) -> None:
        self.bundle = bundle
        self.inputs = {each.name: each for each in process.inputs}
        self.id = process.value.word("id").rpartition("#")[2]
        self.steps = steps
        self.effective, self.prefix = around
        self.links: list[Link] = []

    def take(self, arrow: Arrow, target: Type, target_node: str, node: str, *, is_output: bool) -> None:
        """Make the links that end at one port."""
        many = len(arrow.sources) > 1
        if many and "MultipleInputFeatureRequirement" not in self.effective:
            told = f"`{arrow.name}` has several sources, which the document must ask for."
            self.bundle.error(arrow.value, told, "Add `MultipleInputFeatureRequirement: {}` to `requirements`.", node)
        for text, at in arrow.sources:
            end = self.find(text, at, node)
            if end is None:
                continue
            found, why = self.fits(end, arrow, target, many=many)
            link_id = f"{end.node}/{end.port}->{target_node}/{arrow.name}"
            self.links.append(Link(link_id, end.node, end.port, target_node, arrow.name, found, why, at.line))
            if found != "fits" or why:
                told = f"{_whole(end)} is {end.type.text}; `{arrow.name}` takes {target.text}."
                self.tell(found, why, told, ends=(end, target), arrow=arrow, at=at, node=node, is_output=is_output)

    def find(self, text: str, at: Value, node: str) -> _End | None:
        """Return where a source leads."""
        name = text.rpartition("#")[2]
        if self.id and name.startswith(f"{self.id}/"):
            name = name.removeprefix(f"{self.id}/")
        while True:
            if name in self.inputs:
                return _End(name, name, self.inputs[name].type)
            step_name, _, port = name.rpartition("/")
            step = self.steps.get(step_name)
            if step is not None:
                return self.output_of(step, port, at, node)
            if "/" not in name or "#" not in text:
                break
            name = name.partition("/")[2]
        self.unknown(text, at, node)
        return None

    def output_of(self, step: Step, port: str, at: Value, node: str) -> _End | None:
        """Return an output of a step, if it has it."""
        declared = {each.name: each.type for each in step.run.outputs} if step.run else {}
        if port not in step.out:
            if port in declared:
                advice = f"Add `{port}` to the `out` of `{step.id}`."
                self.bundle.error(at, f"`{step.id}` doesn't hand on its output `{port}`.", advice, node)
                return _End(step.node, port, outer_type(step, declared[port]))
            near = get_close_matches(port, [*step.out, *declared], 1)
            names = ", ".join(f"`{name}`" for name in step.out) or "none"
            advice = f"Is it `{step.id}/{near[0]}`?" if near else f"Its outputs: {names}."
            self.bundle.error(at, f"`{step.id}` has no output `{port}`.", advice, node)
            return None
        return _End(step.node, port, outer_type(step, declared.get(port, ANY)))

    def unknown(self, text: str, at: Value, node: str) -> None:
        known = [*self.inputs, *(f"{step.id}/{port}" for step in self.steps.values() for port in step.out)]
        near = get_close_matches(text.lstrip("#"), known, 1)
        own = self.steps.get(text.lstrip("#"))
        if own is not None:
            near = [f"{own.id}/{port}" for port in own.out][:1]
        advice = f"Is it `{near[0]}`?" if near else "Name an input, or `step/output`."
        self.bundle.error(at, f"Nothing is called `{text}` here.", advice, node)

    def fits(self, end: _End, arrow: Arrow, target: Type, *, many: bool) -> tuple[Fit, str]:
        """Return whether one source fits, given how several are joined and which of them are picked."""
        source = end.type
        if arrow.value_from:
            return "fits", ""
        joined = many or arrow.link_merge != ""
        if arrow.pick_value:
            return self.picked(source, arrow, target, joined=joined)
        if not joined:
            return fit(source, target)
        flat = arrow.link_merge == "merge_flattened"
        return fit(source if flat and source.array else array_of(source), target)

    def picked(self, source: Type, arrow: Arrow, target: Type, *, joined: bool) -> tuple[Fit, str]:
        if not joined or arrow.link_merge == "merge_flattened":
            source = source.items if source.array and source.items else source
        member = source.required
        return fit(array_of(member) if arrow.pick_value == "all_non_null" else member, target)

    def tell(
        self,
        found: Fit,
        why: str,
        told: str,
        *,
        ends: tuple[_End, Type],
        arrow: Arrow,
        at: Value,
        node: str,
        is_output: bool,
    ) -> None:
        """Keep the problem of a link that doesn't fit, with what would help."""
        end, target = ends
        if found == "fits":
            advice = "Let the target be optional, or pick what is there with `pickValue`." if "null" in why else ""
            self.bundle.warning(at, f"{told} {why}", advice, node)
        elif is_output:
            wanted = array_of(end.type) if arrow.link_merge == "merge_nested" else end.type
            self.bundle.error(at, told, f"Give the output the type {wanted.text}.", node)
        elif found == "scatter":
            step = node.rpartition("/")[2]
            self.bundle.error(at, told, f"Let `{step}` scatter over `{arrow.name}`: it then runs once for each.", node)
        elif found == "convert":
            made = converter(end.type, target)
            code = dict(made.fields).get("valueFrom", "") if made else ""
            self.bundle.error(at, told, f"Convert it: `valueFrom: {code}`. {why}", node)
        else:
            self.bundle.error(at, told, "Connect something of that type, or put a step between that makes it.", node)

    def check_circles(self) -> None:
        """Keep a problem for each circle of steps."""
        steps = {step.node: step for step in self.steps.values()}
        needs: dict[str, list[str]] = {name: [] for name in steps}
        for link in self.links:
            if link.source_node in needs and link.target_node in needs:
                needs[link.target_node].append(link.source_node)
        for circle in circles(needs):
            path = " → ".join(f"`{name}`" for name in [*circle, circle[0]])
            for name in circle:
                told = f"The steps run in a circle: {path}."
                self.bundle.error(steps[name].at, told, "Take one of these links away.", self.prefix + name)


def circles(needs: dict[str, list[str]]) -> list[list[str]]:
    """Return circles in which nodes need one another, each in the order in which its results flow."""
    found: list[list[str]] = []
    done: set[str] = set()
    for first in list(needs):
        if first in done:
            continue
        path: list[str] = [first]
        on_path = {first: 0}
        walks = [iter(needs[first])]
        while walks:
            following = next(walks[-1], None)
            if following is None:
                walks.pop()
                gone = path.pop()
                del on_path[gone]
                done.add(gone)
            elif following in on_path:
                found.append(path[on_path[following] :][::-1])
            elif following not in done:
                path.append(following)
                on_path[following] = len(path) - 1
                walks.append(iter(needs[following]))
    return found


def _whole(end: _End) -> str:
    return f"`{end.node}`" if end.node == end.port else f"`{end.node}/{end.port}`"
