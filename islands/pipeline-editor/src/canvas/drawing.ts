// Brings what was read onto the canvas: only what changed, and a large graph a few nodes a frame.
import { useReactFlow } from "@xyflow/react";
import { type RefObject, useEffect, useRef, useState } from "react";
import type { Session, Snapshot } from "../document/session";
import type { Gestures } from "./gestures";
import type { Marks } from "../trial/wire";
import { type CanvasEdge, canvasEdges, type CanvasNode, canvasNodes, firstView } from "./shape";

const A_FRAME = 8; // nodes that one frame may add

/** Draw the present graph; return whether all of it is there. */
export function useDrawing(session: Session, snapshot: Snapshot, marks: Marks | null, root: RefObject<HTMLDivElement | null>, gestures: Gestures): boolean {
  const { graph, reading, selection, positions, pending } = snapshot;
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const prefix = session.level.path.map((id) => `${id}/`).join("");
  const way = session.level.way?.map((id) => `${id}/`).join("") ?? null;
  const levelKey = `${session.level.main}#${prefix}`;
  const shown = useRef<{ level: string; seen: Promise<unknown> }>({ level: "", seen: Promise.resolve() });
  const [complete, setComplete] = useState(false);

  useEffect(() => {
    if (!graph || gestures.dragging) return undefined;
    const now = shown.current;
    const fresh = now.level !== levelKey;
    const before = fresh ? new Map<string, CanvasNode>() : new Map(flow.getNodes().map((node) => [node.id, node]));
    const nodes = canvasNodes(graph, reading?.layout ?? null, prefix, (id) => positions[prefix + id], selection, marks, way, before);
    const edges = canvasEdges(graph.links, pending, new Map(flow.getEdges().map((edge) => [edge.id, edge])));
    if (fresh) {
      now.level = levelKey;
      const box = root.current?.getBoundingClientRect();
      if (box?.width && nodes.length) now.seen = flow.setViewport(firstView(nodes, box.width, box.height));
    }
    const hadFocus = before.size > 0 && root.current?.contains(document.activeElement);
    let count = Math.min(nodes.length, Math.max(before.size, 0) + A_FRAME);
    let frame = 0;
    const grow = (): void => {
      if (count >= nodes.length) {
        flow.setNodes(nodes);
        flow.setEdges(edges);
        void now.seen.then(() => requestAnimationFrame(() => setComplete(true)));
        if (hadFocus && document.activeElement === document.body) root.current?.focus({ preventScroll: true }); // its node is gone
        return;
      }
      const part = nodes.slice(0, count);
      const there = new Set(part.map((node) => node.id));
      flow.setNodes(part);
      flow.setEdges(edges.filter((edge) => there.has(edge.source) && there.has(edge.target)));
      count += A_FRAME;
      frame = requestAnimationFrame(grow);
    };
    grow();
    return () => cancelAnimationFrame(frame);
  }, [graph, reading?.layout, positions, selection, marks, way, pending, prefix, levelKey, flow, root, gestures]);
  return complete;
}
