// The editor: tools above, what can be added on the left, the canvas, and the inspector and text on the right.
import { useReactFlow } from "@xyflow/react";
import { type ReactElement, useDeferredValue, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Actions, type Dialog } from "./actions";
import { Canvas } from "./canvas/Canvas";
import { type CanvasEdge, type CanvasNode, WIDTH } from "./canvas/shape";
import { ConflictDialog } from "./dialogs/ConflictDialog";
import { ConnectDialog } from "./dialogs/ConnectDialog";
import { FindDialog, FitDialog, HelpDialog, MakeDialog, PortDialog, ReplaceDialog } from "./dialogs/dialogs";
import type { Session } from "./document/session";
import { Inspector } from "./panels/Inspector";
import { Notices } from "./panels/Notices";
import { Palette } from "./panels/Palette";
import { Problems } from "./panels/Problems";
import { Toolbar } from "./panels/Toolbar";
import { TextPane } from "./text/TextPane";
import type { Trial } from "./trial/follow";
import { TrialDialog } from "./trial/TrialDialog";
import { TrialPanel } from "./trial/TrialPanel";

const MARGIN = 32; // pixels between a node that is brought into sight and the edge

/** How far to move so that a stretch lies between two edges. */
function shift(from: number, to: number, low: number, high: number): number {
  if (from < low) return low - from + MARGIN;
  return to > high ? Math.max(high - to - MARGIN, low - from + MARGIN) : 0;
}

export function App({ session, trial }: { session: Session; trial: Trial }): ReactElement {
  const snapshot = useSyncExternalStore(session.subscribe, session.snapshot);
  const calm = useDeferredValue(snapshot); // what may be drawn after the canvas
  const { marks } = useSyncExternalStore(trial.subscribe, trial.snapshot);
  const [dialog, open] = useState<Dialog | null>(null);
  const [textOpen, showText] = useState(() => window.innerWidth >= 720);
  const canvas = useRef<HTMLDivElement>(null);
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const actions = useMemo(
    () =>
      new Actions(session, {
        open,
        canvas: () => canvas.current,
        middle: () => {
          const box = canvas.current?.getBoundingClientRect() ?? new DOMRect(0, 0, 400, 300);
          const { x, y } = flow.screenToFlowPosition({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
          return [Math.round(x - WIDTH / 2), Math.round(y - 30)];
        },
        zoom: (how) => void (how === "in" ? flow.zoomIn() : how === "out" ? flow.zoomOut() : flow.fitView({ padding: 0.12, maxZoom: 1 })),
        links: () => flow.getEdges().flatMap((edge) => (edge.selected && edge.data ? [edge.data.link] : [])),
        reveal: (id) => {
          const node = flow.getInternalNode(id);
          const box = canvas.current?.getBoundingClientRect();
          if (!node || !box) return;
          const { x, y, zoom } = flow.getViewport();
          const from = flow.flowToScreenPosition(node.position);
          const [width, height] = [(node.width ?? WIDTH) * zoom, (node.height ?? 40) * zoom];
          const dx = shift(from.x, from.x + width, box.left, box.right);
          const dy = shift(from.y, from.y + height, box.top, box.bottom);
          if (dx || dy) void flow.setViewport({ x: x + dx, y: y + dy, zoom });
        },
      }),
    [session, flow],
  );
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
      const key = event.key.toLowerCase();
      const typing = (event.target as HTMLElement).closest("input, textarea, dialog, .text-host");
      if (key === "s") void session.save();
      else if (key === "z" && !typing) event.shiftKey ? session.redo() : session.undo();
      else if (key === "y" && !typing) session.redo();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [session]);
  useEffect(() => {
    const leave = (): void => session.keepNow();
    const ask = (event: BeforeUnloadEvent): void => {
      session.keepNow();
      if (session.endangered) event.preventDefault(); // the browser keeps no copy: it asks before it leaves
    };
    window.addEventListener("pagehide", leave);
    window.addEventListener("beforeunload", ask);
    return () => {
      window.removeEventListener("pagehide", leave);
      window.removeEventListener("beforeunload", ask);
    };
  }, [session]);
  const close = (): void => open(null);
  const common = { session, actions, onClose: close };
  return (
    <div className="pipeline-editor">
      <Toolbar session={session} snapshot={snapshot} actions={actions} textOpen={textOpen} onText={() => showText(!textOpen)} />
      <Notices session={session} snapshot={snapshot} />
      <div className="workbench" data-text={textOpen || undefined}>
        <Palette session={session} files={snapshot.files} file={session.file} writable={session.writable} actions={actions} />
        <Canvas session={session} snapshot={snapshot} actions={actions} root={canvas} marks={marks} />
        <div className="side">
          <TrialPanel session={session} actions={actions} trial={trial} />
          <Inspector session={session} snapshot={calm} actions={actions} />
          {textOpen && <TextPane session={session} snapshot={snapshot} />}
        </div>
      </div>
      <Problems session={session} snapshot={calm} actions={actions} />
      <p className="visually-hidden" role="status">{snapshot.spoken}</p>
      {dialog?.kind === "connect" && <ConnectDialog {...common} {...dialog} />}
      {dialog?.kind === "fit" && <FitDialog {...common} {...dialog} />}
      {dialog?.kind === "replace" && <ReplaceDialog {...common} {...dialog} />}
      {dialog?.kind === "port" && <PortDialog {...common} {...dialog} />}
      {dialog?.kind === "make" && <MakeDialog {...common} {...dialog} />}
      {dialog?.kind === "trial" && <TrialDialog {...common} {...dialog} trial={trial} />}
      {dialog?.kind === "find" && <FindDialog {...common} />}
      {dialog?.kind === "help" && <HelpDialog onClose={close} />}
      {snapshot.conflict && <ConflictDialog session={session} conflict={snapshot.conflict} />}
    </div>
  );
}
