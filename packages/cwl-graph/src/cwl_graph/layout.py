"""Places a graph's boxes in columns from left to right, and leads its links around them.

Columns follow the longest chain of steps; the order in a column is that of the document, improved by neighbours'
averages (Sugiyama, Tagawa and Toda, 1981); heights come from a least-squares fit under the gaps between boxes. The
same graph always gives the same picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from cwl_graph.graphs import Graph, Node

HEAD = 34.0
"""Height of a box's title."""
ROW = 20.0
"""Height of a port's line."""
FOOT = 8.0
NARROWEST, WIDEST, LETTER = 120.0, 260.0, 7.5
COLUMN_GAP, ROW_GAP, BEND_GAP = 70.0, 26.0, 12.0
MARGIN = 20.0
SWEEPS = 6
"""How often the columns are put in order from either side."""

Box = tuple[float, float, float, float]
Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Sizes and places in CSS pixels, from the upper left corner.

    `boxes`: node → (x, y, width, height). `paths`: link → points from its source port to its target port.
    `ports`: (node, `in` or `out`, port) → place on the edge of its box.
    """

    width: float
    height: float
    boxes: Mapping[str, Box]
    paths: Mapping[str, tuple[Point, ...]]
    ports: Mapping[tuple[str, str, str], Point] = field(default_factory=dict)


@dataclass
class _Spot:
    """A place in a column: a box, or the bend of a link that passes."""

    key: str
    layer: int
    height: float
    width: float = 0.0
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    middle: float = 0.0
    rank: float = 0.0


def box_size(node: Node) -> tuple[float, float]:
    """Return width and height of a node's box."""
    if node.kind != "step":
        return min(WIDEST, max(NARROWEST, len(node.title) * LETTER + 40)), HEAD
    names = [len(port.id) for port in (*node.ports_in, *node.ports_out)]
    rows = max(len(node.ports_in), len(node.ports_out))
    pairs = max((len(a.id) + len(b.id) for a, b in zip(node.ports_in, node.ports_out, strict=False)), default=0)
    letters = max(len(node.title), pairs, *names, 0) if names else len(node.title)
    return min(WIDEST, max(NARROWEST, letters * LETTER + 40)), HEAD + ROW * rows + FOOT


def layout(graph: Graph) -> Layout:
    """Return where a graph's boxes and links stand."""
    if not graph.nodes:
        return Layout(2 * MARGIN, 2 * MARGIN, {}, {})
    layers = _layers(graph)
    spots, chains = _spots(graph, layers)
    columns: list[list[int]] = [[] for _ in range(max(layers.values()) + 1)]
    for index, spot in enumerate(spots):
        columns[spot.layer].append(index)
    _order(spots, columns)
    _place(spots, columns)
    return _drawn(graph, spots, columns, chains)


def _layers(graph: Graph) -> dict[str, int]:
    """Return each node's column. Links that would close a circle are left aside."""
    after: dict[str, list[str]] = defaultdict(list)
    before: dict[str, list[str]] = defaultdict(list)
    for link in graph.links:
        if link.source_node != link.target_node:
            after[link.source_node].append(link.target_node)
            before[link.target_node].append(link.source_node)
    layer = _step_layers([node.id for node in graph.nodes if node.kind == "step"], before)
    last = max(layer.values(), default=0)
    for node in graph.nodes:
        if node.kind == "input":
            layer[node.id] = min((layer[one] for one in after[node.id] if one in layer), default=1) - 1
    for node in graph.nodes:
        if node.kind == "output":
            layer[node.id] = max((layer[one] for one in before[node.id] if one in layer), default=last) + 1
    lowest = min(layer.values())
    return {name: value - lowest for name, value in layer.items()}


def _step_layers(steps: list[str], before: Mapping[str, list[str]]) -> dict[str, int]:
    """Return each step's place in the longest chain that leads to it, from 1."""
    known = set(steps)
    needs = {name: [one for one in before[name] if one in known] for name in steps}
    layer: dict[str, int] = {}
    busy: set[str] = set()
    for first in steps:
        stack = [first]
        while stack:
            name = stack[-1]
            waiting = [] if name in busy else [one for one in needs[name] if one not in layer and one not in busy]
            if name not in layer and waiting:
                busy.add(name)
                stack += waiting
                continue
            stack.pop()
            if name not in layer:
                layer[name] = max((layer[one] for one in needs[name] if one in layer), default=0) + 1
                busy.discard(name)
    return layer


def _spots(graph: Graph, layers: dict[str, int]) -> tuple[list[_Spot], dict[str, list[int]]]:
    """Return places for boxes and bends, and for each link the places that it passes."""
    spots: list[_Spot] = []
    index: dict[str, int] = {}
    for node in graph.nodes:
        width, height = box_size(node)
        index[node.id] = len(spots)
        spots.append(_Spot(node.id, layers[node.id], height, width))
    chains: dict[str, list[int]] = {}
    bends: dict[tuple[str, str, int], int] = {}
    for link in graph.links:
        if link.source_node not in index or link.target_node not in index:
            continue
        chain = [index[link.source_node]]
        for layer in range(layers[link.source_node] + 1, layers[link.target_node]):
            key = (link.source_node, link.source_port, layer)
            if key not in bends:
                bends[key] = len(spots)
                spots.append(_Spot("", layer, 0.0))
            chain.append(bends[key])
        chain.append(index[link.target_node])
        chains[link.id] = chain
        for one, other in pairwise(chain):
            if spots[one].layer < spots[other].layer and other not in spots[one].after:
                spots[one].after.append(other)
                spots[other].before.append(one)
    return spots, chains


def _order(spots: list[_Spot], columns: list[list[int]]) -> None:
    for column in columns:
        for rank, one in enumerate(column):
            spots[one].rank = rank

    def arrange(column: list[int], neighbours: Callable[[_Spot], list[int]]) -> None:
        wanted = {
            one: sum(spots[each].rank for each in near) / len(near)
            if (near := neighbours(spots[one]))
            else spots[one].rank
            for one in column
        }
        column.sort(key=lambda one: wanted[one])
        for rank, one in enumerate(column):
            spots[one].rank = rank

    for _ in range(SWEEPS):
        for column in columns[1:]:
            arrange(column, lambda spot: spot.before)
        for column in columns[-2::-1]:
            arrange(column, lambda spot: spot.after)


def _gap(one: _Spot, other: _Spot) -> float:
    gap = ROW_GAP if one.key and other.key else BEND_GAP
    return (one.height + other.height) / 2 + gap


def _place(spots: list[_Spot], columns: list[list[int]]) -> None:
    for column in columns:
        y = 0.0
        for above, one in zip([None, *column], column, strict=False):
            y += _gap(spots[above], spots[one]) if above is not None else spots[one].height / 2
            spots[one].middle = y
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            wanted = []
            for one in column:
                spot = spots[one]
                near = (spot.before or spot.after) if sweep % 2 == 0 else (spot.after or spot.before)
                wanted.append(sum(spots[each].middle for each in near) / len(near) if near else spot.middle)
            for one, y in zip(column, _spread([spots[one] for one in column], wanted), strict=True):
                spots[one].middle = y


def _spread(column: list[_Spot], wanted: list[float]) -> list[float]:
    """Return the places nearest to those wanted that keep order and gaps (pooling adjacent violators)."""
    offsets = [0.0]
    for one, other in pairwise(column):
        offsets.append(offsets[-1] + _gap(one, other))
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before = pools.pop()
            total, count = total + before[0], count + before[1]
        pools.append((total, count))
    flat = [total / count for total, count in pools for _ in range(count)]
    return [value + offset for value, offset in zip(flat, offsets, strict=True)]


def _drawn(graph: Graph, spots: list[_Spot], columns: list[list[int]], chains: dict[str, list[int]]) -> Layout:
    top = min(spot.middle - spot.height / 2 for spot in spots) - MARGIN
    left, lefts, widths = MARGIN, list[float](), list[float]()
    for column in columns:
        widths.append(max((spots[one].width for one in column), default=0.0))
        lefts.append(left)
        left += widths[-1] + COLUMN_GAP
    boxes: dict[str, Box] = {}
    for spot in spots:
        if spot.key:
            x = lefts[spot.layer] + (widths[spot.layer] - spot.width) / 2
            boxes[spot.key] = (round(x, 1), round(spot.middle - spot.height / 2 - top, 1), spot.width, spot.height)
    ports = port_places(graph, boxes)
    paths: dict[str, tuple[Point, ...]] = {}
    for link in graph.links:
        start = ports.get((link.source_node, "out", link.source_port))
        end = ports.get((link.target_node, "in", link.target_port))
        if start is None or end is None or link.id not in chains:
            continue
        points = [start]
        for one in chains[link.id][1:-1]:
            spot, y = spots[one], round(spots[one].middle - top, 1)
            points += [(lefts[spot.layer], y), (lefts[spot.layer] + widths[spot.layer], y)]
        paths[link.id] = (*points, end)
    height = max(spot.middle + spot.height / 2 for spot in spots) - top + MARGIN
    return Layout(round(left - COLUMN_GAP + MARGIN, 1), round(height, 1), boxes, paths, ports)


def port_places(graph: Graph, boxes: Mapping[str, Box]) -> dict[tuple[str, str, str], Point]:
    """Return where each port stands on the edge of its box, wherever the boxes are."""
    places: dict[tuple[str, str, str], Point] = {}
    for node in graph.nodes:
        if node.id not in boxes:
            continue
        x, y, width, height = boxes[node.id]
        for side, ports, at in (("in", node.ports_in, x), ("out", node.ports_out, x + width)):
            for number, port in enumerate(ports):
                middle = y + height / 2 if node.kind != "step" else y + HEAD + ROW * number + ROW / 2
                places[node.id, side, port.id] = (at, round(middle, 1))
    return places
