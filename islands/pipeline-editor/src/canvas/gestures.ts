// What the mouse does on the canvas: moving nodes, and leading connections from port to port or to nothing.
import type { Connection, FinalConnectionState, OnConnectStartParams, ReactFlowInstance } from "@xyflow/react";
import type { RefObject } from "react";
import type { Actions } from "../actions";
import type { Session } from "../document/session";
import { type Held, hideFits, showFits } from "./connecting";
import { type CanvasEdge, type CanvasNode, WIDTH } from "./shape";
import { findPort, fitOf } from "./words";

export class Gestures {
  /** Whether a node is being moved: what is read meanwhile is drawn afterwards. */
  dragging = false;
  readonly #session: Session;
  readonly #actions: Actions;
  readonly #root: RefObject<HTMLDivElement | null>;
  readonly #flow: ReactFlowInstance<CanvasNode, CanvasEdge>;

  constructor(session: Session, actions: Actions, root: RefObject<HTMLDivElement | null>, flow: ReactFlowInstance<CanvasNode, CanvasEdge>) {
    this.#session = session;
    this.#actions = actions;
    this.#root = root;
    this.#flow = flow;
  }

  dropped(moved: readonly CanvasNode[]): void {
    this.dragging = false;
    this.#session.move(Object.fromEntries(moved.map((node) => [node.id, [Math.round(node.position.x), Math.round(node.position.y)] as const])));
  }

  #held(nodeId: string, handle: string, side: "in" | "out"): Held | null {
    const { graph } = this.#session.snapshot();
    const port = graph && findPort(graph, nodeId, handle, side);
    const kind = graph?.nodes.find((node) => node.id === nodeId)?.kind ?? "step";
    return port ? { node: nodeId, port: handle, side, type: port.type, kind } : null;
  }

  connectStarts({ nodeId, handleId, handleType }: OnConnectStartParams): void {
    const held = this.#held(nodeId ?? "", handleId ?? "", handleType === "source" ? "out" : "in");
    if (held && this.#root.current) showFits(this.#root.current, this.#session.snapshot().reading, held);
  }

  /** Only what fits can be dropped; what a scatter or a converter would make fit is asked about. */
  fits(made: Connection | CanvasEdge): boolean {
    if (made.source === made.target) return false;
    const source = this.#held(made.source, made.sourceHandle ?? "", "out");
    const target = this.#held(made.target, made.targetHandle ?? "", "in");
    return Boolean(source && target && fitOf(this.#session.snapshot().reading, source.type, target.type, target.kind)[0] !== "never");
  }

  connectEnds(event: MouseEvent | TouchEvent, state: FinalConnectionState): void {
    if (this.#root.current) hideFits(this.#root.current);
    const { fromHandle: from, toHandle: to } = state;
    const point = "changedTouches" in event ? event.changedTouches[0] : event;
    const held = from && this.#held(from.nodeId, from.id ?? "", from.type === "source" ? "out" : "in");
    if (state.isValid || !held || !point) return;
    const other = to && this.#held(to.nodeId, to.id ?? "", to.type === "source" ? "out" : "in");
    if (other) {
      if (other.side !== held.side && other.node !== held.node) this.#refuse(held, other);
      return;
    }
    const under = document.elementFromPoint(point.clientX, point.clientY);
    if (!under?.closest(".react-flow__pane") || under.closest(".node")) return;
    const { x, y } = this.#flow.screenToFlowPosition({ x: point.clientX, y: point.clientY });
    this.#actions.portToNothing(held, [Math.round(x - (held.side === "in" ? WIDTH : 0)), Math.round(y - 16)]);
  }

  #refuse(held: Held, other: Held): void {
    const [out, into] = held.side === "out" ? [held, other] : [other, held];
    const [, why] = fitOf(this.#session.snapshot().reading, out.type, into.type, into.kind);
    this.#session.tell("warn", `${out.port} of ${out.node} does not fit ${into.port} of ${into.node}.`, why);
  }
}
