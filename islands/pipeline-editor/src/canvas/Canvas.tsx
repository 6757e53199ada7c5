// The canvas: nodes with typed ports, drawn from what the platform read; every change goes to the text first.
import { Background, BackgroundVariant, type NodeChange, Panel, ReactFlow, SelectionMode, useReactFlow } from "@xyflow/react";
import { type DragEvent, memo, type ReactElement, type RefObject, useEffect, useMemo, useRef } from "react";
import type { Actions } from "../actions";
import type { Session, Snapshot } from "../document/session";
import { Icon } from "../Icon";
import type { Marks } from "../trial/wire";
import { focusNode, keepStop, stopAt } from "./focus";
import { Gestures } from "./gestures";
import { LinkEdge } from "./LinkEdge";
import { Overview } from "./Overview";
import { ProcessNode } from "./ProcessNode";
import { type CanvasEdge, type CanvasNode, WIDTH } from "./shape";
import { useDrawing } from "./drawing";

const nodeTypes = { process: ProcessNode };
const edgeTypes = { link: LinkEdge };
export const DRAGGED = "application/x-spacelab-step";

interface Props {
  session: Session;
  snapshot: Snapshot;
  actions: Actions;
  root: RefObject<HTMLDivElement | null>;
  marks: Marks | null;
}

export function Canvas({ session, snapshot, actions, root, marks }: Props): ReactElement {
  const { graph, selection } = snapshot;
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const gestures = useMemo(() => new Gestures(session, actions, root, flow), [session, actions, root, flow]);
  const complete = useDrawing(session, snapshot, marks, root, gestures);
  useEffect(() => {
    if (root.current && graph && complete) keepStop(root.current, graph, selection[0]);
  }, [root, graph, selection, complete]);
  const drop = (event: DragEvent): void => {
    const what = event.dataTransfer.getData(DRAGGED);
    if (!what) return;
    event.preventDefault();
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    void actions.add(JSON.parse(what), [Math.round(x - WIDTH / 2), Math.round(y - 20)]);
  };
  return (
    <div
      className="canvas"
      ref={root}
      role="region"
      aria-label="Canvas"
      aria-describedby="canvas-help"
      tabIndex={-1}
      data-nodes={complete ? graph?.nodes.length : undefined}
      onKeyDown={(event) => actions.key(event, flow.getNodes())}
      onFocus={(event) => {
        const id = (event.target as HTMLElement).dataset["nodeId"];
        if (!id || !graph || !root.current) return;
        stopAt(root.current, graph, id);
        if ((event.target as HTMLElement).matches(":focus-visible") && !selection.includes(id)) session.select([id]);
      }}
      onDragOver={(event) => event.dataTransfer.types.includes(DRAGGED) && event.preventDefault()}
      onDrop={drop}
    >
      <p id="canvas-help" className="visually-hidden">
        Arrow keys go from node to node, Page Up and Page Down through all of them. Shift with an arrow key moves the node. Enter inspects it, C connects it, A adds a step, Delete removes it. Question mark lists all keys.
      </p>
      <Flow session={session} actions={actions} gestures={gestures} root={root} writable={session.writable} />
      {graph && graph.nodes.length === 0 && (
        <div className="canvas-empty">
          <h2>Nothing here yet</h2>
          <p>Drag a step from the list onto the canvas, or press A and choose one.</p>
        </div>
      )}
    </div>
  );
}

interface FlowProps {
  session: Session;
  actions: Actions;
  gestures: Gestures;
  root: RefObject<HTMLDivElement | null>;
  writable: boolean;
}

/** The library's part, which keeps nodes and edges itself: it is not drawn again while a node is dragged. */
const Flow = memo(function Flow({ session, actions, gestures, root, writable }: FlowProps): ReactElement {
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const focused = useRef(false);
  const none = useMemo(() => ({ nodes: [] as CanvasNode[], edges: [] as CanvasEdge[] }), []);
  const onNodesChange = (changes: NodeChange<CanvasNode>[]): void => {
    const picked = changes.filter((change) => change.type === "select");
    if (!picked.length) return;
    const chosen = new Set(session.snapshot().selection);
    for (const change of picked) change.selected ? chosen.add(change.id) : chosen.delete(change.id);
    session.select([...chosen]);
  };
  return (
    <ReactFlow<CanvasNode, CanvasEdge>
      defaultNodes={none.nodes}
      defaultEdges={none.edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      onNodesChange={onNodesChange}
      onNodeDragStart={() => (gestures.dragging = true)}
      onNodeDragStop={(_event, _node, moved) => gestures.dropped(moved)}
      onSelectionDragStart={() => (gestures.dragging = true)}
      onSelectionDragStop={(_event, moved) => gestures.dropped(moved)}
      onNodeClick={(_event, node) => {
        const { graph } = session.snapshot();
        if (graph && root.current) focusNode(root.current, graph, node.id);
      }}
      onNodeDoubleClick={(_event, node) => (node.data.node.sub ? session.openInside(node.data.node) : actions.inspect())}
      onConnectStart={(_event, start) => gestures.connectStarts(start)}
      onConnect={(made) => actions.connect(made.source, made.sourceHandle ?? "", made.target, made.targetHandle ?? "")}
      onConnectEnd={(event, state) => gestures.connectEnds(event, state)}
      onEdgeDoubleClick={(_event, edge) => writable && edge.data && actions.disconnect(edge.data.link)}
      isValidConnection={(made) => gestures.fits(made)}
      nodesConnectable={writable}
      nodesDraggable={writable}
      nodesFocusable={false}
      edgesFocusable={false}
      onlyRenderVisibleElements
      disableKeyboardA11y
      deleteKeyCode={null}
      selectionKeyCode="Shift"
      multiSelectionKeyCode={["Meta", "Control"]}
      selectionMode={SelectionMode.Partial}
      zoomOnDoubleClick={false}
      connectionRadius={28}
      minZoom={0.1}
      maxZoom={2}
      elevateNodesOnSelect={false}
      onMoveStart={() => (focused.current = Boolean(root.current?.contains(document.activeElement)))}
      onMoveEnd={() => {
        const { graph, selection } = session.snapshot();
        if (!root.current || !graph) return;
        if (focused.current && document.activeElement === document.body) root.current.focus({ preventScroll: true }); // its node was panned away
        keepStop(root.current, graph, selection[0]);
      }}
      proOptions={{ hideAttribution: true }}
    >
      <Background variant={BackgroundVariant.Dots} gap={20} size={1} />
      <Panel position="bottom-left" className="canvas-tools">
        <button type="button" className="button small" onClick={() => void flow.zoomIn()} aria-label="Zoom in" title="Zoom in (+)"><Icon name="plus" /></button>
        <button type="button" className="button small" onClick={() => void flow.zoomOut()} aria-label="Zoom out" title="Zoom out (−)">−</button>
        <button type="button" className="button small" onClick={() => void flow.fitView({ padding: 0.12, maxZoom: 1 })} aria-label="Show everything" title="Show everything (F)">Fit</button>
      </Panel>
      <Overview />
    </ReactFlow>
  );
});
