"""A pipeline's graph as a drawing: boxes, ports and arrows with their places, for templates to write as SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cwl_graph import Graph, Layout, Node, layout
from cwl_graph.layout import HEAD, ROW

MOST_NODES = 1500
"""Boxes of one drawing; nobody reads more, and a browser draws them slowly."""
MOST_SHRUNK = 1600.0
"""Pixels of a drawing that is still shown whole on a page of some 1,200."""
MOST_SUBS = 12
"""Subworkflows that are drawn below it."""
DEEPEST = 3
LETTER = 7.2
"""Width of a letter of a title in CSS pixels, on average."""


@dataclass(frozen=True)
class BoxState:
    """How a step of a run stands: a state for the colour, words below it, and a share between 0 and 1 for a bar.

    `note` is read out beside the words; `href` leads to what the step did.
    """

    state: str
    words: str = ""
    share: float | None = None
    note: str = ""
    href: str = ""


@dataclass(frozen=True)
class DrawnPort:
    """A point on a box's edge with its name, which stands inside."""

    x: float
    y: float
    text_x: float
    text_y: float
    name: str
    side: str
    type: str


@dataclass(frozen=True)
class DrawnBox:
    """One node: where it is, what it says, and what is read out for it."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    title: str
    ports: tuple[DrawnPort, ...]
    href: str
    spoken: str
    state: BoxState | None = None
    path: str = ""
    """The node's id with those of the steps around it: `align/crop`."""

    @property
    def below(self) -> float:
        """Where the words of its state stand."""
        return self.y + self.height + 11

    @property
    def kind(self) -> str:
        """input, output or step."""
        return self.node.kind

    @property
    def tone(self) -> str:
        """What its frame shows while nothing runs: missing, bad, or nothing."""
        if self.node.missing:
            return "missing"
        return "bad" if any(one.severity == "error" for one in self.node.problems) else ""

    @property
    def marks(self) -> str:
        """Short marks at its upper edge: scatter, condition, subworkflow."""
        found = ["⋮⋮" if self.node.scatter else "", "?" if self.node.when else "", "▣" if self.node.sub else ""]
        return " ".join(one for one in found if one)

    @property
    def middle(self) -> float:
        """Where the text of the title stands, from the top."""
        return self.y + HEAD / 2

    @property
    def line(self) -> float:
        """Where the line below the title is."""
        return self.y + HEAD

    @property
    def text_x(self) -> float:
        """Where the title begins."""
        return self.x + 10

    @property
    def right(self) -> float:
        """Where the marks end."""
        return self.x + self.width - 8

    @property
    def bar(self) -> float:
        """Width of the bar of its share."""
        return round(self.width * min(max(self.state.share if self.state and self.state.share else 0, 0), 1), 1)

    @property
    def bottom(self) -> float:
        """Where the bar stands."""
        return self.y + self.height - 3


@dataclass(frozen=True)
class DrawnLink:
    """One arrow as a path of SVG; `fit` says whether its types go together."""

    path: str
    fit: str
    source: str
    target: str


@dataclass(frozen=True)
class Drawing:
    """A whole graph, and the subworkflows in it by the path of their step; `too_large` says that it is not drawn."""

    width: float
    height: float
    boxes: tuple[DrawnBox, ...]
    links: tuple[DrawnLink, ...]
    label: str
    subs: tuple[tuple[str, Drawing], ...] = ()
    too_large: bool = False

    @property
    def wide(self) -> bool:
        """Whether its letters would be too small if it had to fit on the page."""
        return self.width > MOST_SHRUNK


def draw(
    graph: Graph,
    label: str,
    *,
    href: Callable[[Node], str] | None = None,
    states: Mapping[str, BoxState] | None = None,
    prefix: str = "",
    depth: int = 0,
    placed: Layout | None = None,
) -> Drawing:
    """Draw a graph; `href` gives the address that a box leads to, `states` a step's state by its path.

    `placed` is its layout where that is known already.
    """
    if len(graph.nodes) > MOST_NODES:
        return Drawing(0, 0, (), (), label, too_large=True)
    placed = placed or layout(graph)
    known = states or {}
    boxes = tuple(
        _box(node, placed, href, known.get(f"{prefix}{node.id}"), f"{prefix}{node.id}") for node in graph.nodes
    )
    links = tuple(
        DrawnLink(_path(placed.paths[one.id]), one.fit, one.source_node, one.target_node)
        for one in graph.links
        if len(placed.paths.get(one.id, ())) > 1
    )
    subs = []
    for node in [one for one in graph.nodes if one.sub is not None and one.sub.nodes][:MOST_SUBS]:
        if node.sub is not None and depth < DEEPEST:
            inner = draw(node.sub, node.title, states=states, prefix=f"{prefix}{node.id}/", depth=depth + 1)
            subs.append((node.title, inner))
    return Drawing(round(placed.width), round(placed.height), boxes, links, label, tuple(subs))


def _box(node: Node, placed: Layout, href: Callable[[Node], str] | None, state: BoxState | None, path: str) -> DrawnBox:
    x, y, width, height = placed.boxes[node.id]
    ports = (*_ports(node, placed, "in"), *_ports(node, placed, "out")) if node.kind == "step" else ()
    room = width - 20 - (24 if node.scatter or node.when or node.sub else 0)
    address = state.href if state else href(node) if href else ""
    return DrawnBox(
        node, x, y, width, height, _cut(node.title, room), ports, address, _spoken(node, state), state, path
    )


def _ports(node: Node, placed: Layout, side: str) -> list[DrawnPort]:
    x, y, width, _height = placed.boxes[node.id]
    edge = x if side == "in" else x + width
    found = []
    for index, port in enumerate(node.ports_in if side == "in" else node.ports_out):
        px, py = placed.ports.get((node.id, side, port.id), (edge, y + HEAD + ROW * (index + 0.5)))
        at = px + 8 if side == "in" else px - 8
        found.append(DrawnPort(px, py, at, py, _cut(port.id, width * 0.5), side, port.type.text))
    return found


def _cut(text: str, width: float) -> str:
    most = max(int(width / LETTER), 3)
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _spoken(node: Node, state: BoxState | None) -> str:
    """Return what a screen reader says of a box."""
    words = [f"{node.kind} {node.title}"]
    if node.missing:
        words.append("missing")
    if node.scatter:
        words.append("scattered")
    if node.when:
        words.append("conditional")
    if node.problems:
        words.append(f"{len(node.problems)} problems" if len(node.problems) > 1 else "one problem")
    if state:
        said = [] if state.state in state.words else [state.state.replace("-", " ")]
        words += [one for one in (*said, state.words, state.note) if one]
    return ", ".join(words)


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Return a smooth line through the points, which leaves and enters boxes level."""
    x, y = points[0]
    parts = [f"M{x:.1f} {y:.1f}"]
    for (ax, ay), (bx, by) in pairwise(points):
        middle = max((bx - ax) / 2, 12)
        parts.append(f"C{ax + middle:.1f} {ay:.1f} {bx - middle:.1f} {by:.1f} {bx:.1f} {by:.1f}")
    return "".join(parts)
