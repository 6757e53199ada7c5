// How large a node is and where its ports stand; the style sheet draws to the same measures.
import { type Edge as FlowEdge, type Node as FlowNode, Position } from "@xyflow/react";
import type { Point } from "../document/positions";
import type { Marks, StepState } from "../trial/wire";
import type { Graph, GraphNode, Layout, Link } from "../wire";

export const WIDTH = 190; // of a node that the layout does not know yet
const HEAD = 34; // these three are the layout's own measures
const ROW = 20;
const FOOT = 8;
const PORT = 12;
const [MARKS, MARK] = [22, 18]; // more than the layout reckons with, for the marks beside a title, and for those of a scatter or condition

export interface NodeData extends Record<string, unknown> {
  node: GraphNode;
  /** How far a test run is with the step. */
  state: StepState | null;
}

export type CanvasNode = FlowNode<NodeData, "process">;
export type CanvasEdge = FlowEdge<{ link: Link; pending: boolean }, "link">;

export function heightOf(node: GraphNode): number {
  const rows = Math.max(node.ports_in.length, node.ports_out.length);
  return node.kind === "step" ? HEAD + rows * ROW + FOOT : HEAD;
}

/** The middle of a port's row, from the node's top. */
export function portY(node: GraphNode, row: number): number {
  return node.kind === "step" ? HEAD + row * ROW + ROW / 2 : HEAD / 2;
}

function handlesOf(node: GraphNode, width: number): NonNullable<CanvasNode["handles"]> {
  const size = { width: PORT, height: PORT };
  return [
    ...node.ports_in.map((port, row) => ({ id: port.id, type: "target" as const, position: Position.Left, x: -PORT / 2, y: portY(node, row) - PORT / 2, ...size })),
    ...node.ports_out.map((port, row) => ({ id: port.id, type: "source" as const, position: Position.Right, x: width - PORT / 2, y: portY(node, row) - PORT / 2, ...size })),
  ];
}

/** Nodes for the canvas; those that did not change are the same objects as before, so that nothing draws them again. */
export function canvasNodes(
  graph: Graph,
  layout: Layout | null,
  prefix: string,
  placeOf: (id: string) => Point | undefined,
  selection: readonly string[],
  marks: Marks | null,
  way: string | null,
  before: ReadonlyMap<string, CanvasNode>,
): CanvasNode[] {
  const chosen = new Set(selection);
  let spare = 0;
  return graph.nodes.map((node) => {
    const box = layout?.boxes[prefix + node.id];
    const [x, y] = placeOf(node.id) ?? (box ? [box[0], box[1]] : [40, 40 + spare++ * 90]);
    const old = before.get(node.id);
    const state = (marks && way !== null && node.kind === "step" && (marks.steps[way + node.id] ?? marks.rest)) || null;
    const selected = chosen.has(node.id);
    const same = old && old.data.state === state && (old.data.node === node || JSON.stringify(old.data.node) === JSON.stringify(node));
    const width = box ? Math.round(box[2]) + MARKS + (node.scatter.length || node.when ? MARK : 0) : (old?.width ?? WIDTH);
    const shaped = same && old.width === width;
    if (shaped && old.position.x === x && old.position.y === y && old.selected === selected) return old;
    return {
      ...(shaped ? old : { width, height: heightOf(node), measured: { width, height: heightOf(node) }, handles: handlesOf(node, width) }),
      id: node.id,
      type: "process" as const,
      position: { x, y },
      selected,
      zIndex: selected ? 1 : 0,
      data: same ? old.data : { node, state },
    };
  });
}

export function canvasEdges(links: readonly Link[], pending: readonly Link[], before: ReadonlyMap<string, CanvasEdge>): CanvasEdge[] {
  const make = (link: Link, waiting: boolean): CanvasEdge => {
    const old = before.get(link.id);
    if (old?.data && old.data.pending === waiting && old.data.link.fit === link.fit && old.source === link.source_node && old.target === link.target_node && old.sourceHandle === link.source_port && old.targetHandle === link.target_port) return old;
    return {
      id: link.id,
      type: "link",
      source: link.source_node,
      sourceHandle: link.source_port,
      target: link.target_node,
      targetHandle: link.target_port,
      data: { link, pending: waiting },
      className: `fit-${link.fit}${waiting ? " pending" : ""}`,
      selected: old?.selected ?? false,
    };
  };
  return [...links.map((link) => make(link, false)), ...pending.map((link) => make(link, true))];
}

/** The node that lies nearest in a direction, for the arrow keys. */
export function neighbour(nodes: readonly CanvasNode[], from: string, key: string): string | null {
  const middle = (node: CanvasNode): Point => [node.position.x + (node.width ?? WIDTH) / 2, node.position.y + (node.height ?? HEAD) / 2];
  const start = nodes.find((node) => node.id === from);
  if (!start) return nodes[0]?.id ?? null;
  const [x, y] = middle(start);
  let best: string | null = null;
  let least = Infinity;
  for (const node of nodes) {
    if (node.id === from) continue;
    const [dx, dy] = [middle(node)[0] - x, middle(node)[1] - y];
    const along = key === "ArrowRight" ? dx : key === "ArrowLeft" ? -dx : key === "ArrowDown" ? dy : -dy;
    const across = key === "ArrowRight" || key === "ArrowLeft" ? Math.abs(dy) : Math.abs(dx);
    const cost = along + 2 * across;
    if (along > 8 && cost < least) {
      best = node.id;
      least = cost;
    }
  }
  return best;
}

const READABLE = 0.6; // the zoom below which names are hard to read

/** What is seen first: everything where it can be read, else the beginning. */
export function firstView(nodes: readonly CanvasNode[], width: number, height: number): { x: number; y: number; zoom: number } {
  const left = Math.min(...nodes.map((node) => node.position.x));
  const top = Math.min(...nodes.map((node) => node.position.y));
  const right = Math.max(...nodes.map((node) => node.position.x + (node.width ?? WIDTH)));
  const bottom = Math.max(...nodes.map((node) => node.position.y + (node.height ?? HEAD)));
  const all = Math.min((width - 64) / (right - left), (height - 64) / (bottom - top), 1);
  if (all >= READABLE) return { x: (width - (right + left) * all) / 2, y: (height - (bottom + top) * all) / 2, zoom: all };
  const zoom = 0.75;
  return { x: 32 - left * zoom, y: (bottom - top) * zoom < height - 64 ? (height - (bottom + top) * zoom) / 2 : 32 - top * zoom, zoom };
}
