// A map of the whole graph with the part that is seen; a press or a drag on it goes there.
import { useReactFlow, useStore, useStoreApi } from "@xyflow/react";
import { type PointerEvent, type ReactElement, useEffect, useRef } from "react";
import { type CanvasEdge, type CanvasNode, WIDTH } from "./shape";

const [WIDE, HIGH] = [200, 130]; // its size in pixels
const COLOURS = ["step", "end", "bad", "chosen", "seen"]; // the style sheet's, which a drawing has to ask for
const FEWEST = 7; // nodes below which a map shows nothing new

interface Scale {
  x: number;
  y: number;
  zoom: number;
}

/** How the nodes and what is seen of them fit into the map. */
function scaleOf(nodes: readonly CanvasNode[]): Scale {
  const left = Math.min(...nodes.map((node) => node.position.x));
  const top = Math.min(...nodes.map((node) => node.position.y));
  const right = Math.max(...nodes.map((node) => node.position.x + (node.width ?? WIDTH)));
  const bottom = Math.max(...nodes.map((node) => node.position.y + (node.height ?? 34)));
  const zoom = Math.min((WIDE - 16) / Math.max(right - left, 1), (HIGH - 16) / Math.max(bottom - top, 1), 0.2);
  return { x: WIDE / 2 - ((left + right) / 2) * zoom, y: HIGH / 2 - ((top + bottom) / 2) * zoom, zoom };
}

function draw(canvas: HTMLCanvasElement, nodes: readonly CanvasNode[], [x, y, zoom]: readonly [number, number, number], width: number, height: number): Scale {
  const scale = scaleOf(nodes);
  const context = canvas.getContext("2d");
  if (!context) return scale;
  const colours = Object.fromEntries([...(canvas.parentElement?.querySelectorAll("i") ?? [])].map((one) => [one.className, getComputedStyle(one).color]));
  const density = window.devicePixelRatio || 1;
  if (canvas.width !== WIDE * density) [canvas.width, canvas.height] = [WIDE * density, HIGH * density];
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, WIDE, HIGH);
  for (const node of nodes) {
    const { kind, problems } = node.data.node;
    context.fillStyle = colours[problems.length ? "bad" : node.selected ? "chosen" : kind === "step" ? "step" : "end"] ?? "gray";
    context.fillRect(node.position.x * scale.zoom + scale.x, node.position.y * scale.zoom + scale.y, Math.max((node.width ?? WIDTH) * scale.zoom, 2), Math.max((node.height ?? 34) * scale.zoom, 2));
  }
  context.strokeStyle = colours["seen"] ?? "gray";
  context.lineWidth = 1.5;
  context.strokeRect((-x / zoom) * scale.zoom + scale.x, (-y / zoom) * scale.zoom + scale.y, (width / zoom) * scale.zoom, (height / zoom) * scale.zoom);
  return scale;
}

export function Overview(): ReactElement | null {
  const store = useStoreApi<CanvasNode, CanvasEdge>();
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const many = useStore((state) => state.nodes.length >= FEWEST);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scale = useRef<Scale>({ x: 0, y: 0, zoom: 1 });
  useEffect(() => {
    if (!many) return undefined;
    let frame = 0;
    const paint = (): void => {
      frame = 0;
      const { nodes, transform, width, height } = store.getState();
      if (canvas.current && nodes.length) scale.current = draw(canvas.current, nodes, transform, width, height);
    };
    const later = (): void => {
      frame ||= requestAnimationFrame(paint);
    };
    later();
    const stop = store.subscribe((state, before) => {
      if (state.nodes !== before.nodes || state.transform !== before.transform || state.width !== before.width) later();
    });
    const themes = window.matchMedia("(prefers-color-scheme: dark)");
    themes.addEventListener("change", later);
    return () => {
      stop();
      themes.removeEventListener("change", later);
      cancelAnimationFrame(frame);
    };
  }, [many, store]);
  if (!many) return null;
  const go = (event: PointerEvent<HTMLCanvasElement>): void => {
    if (!(event.buttons & 1)) return;
    const box = event.currentTarget.getBoundingClientRect();
    const { x, y, zoom } = scale.current;
    void flow.setCenter((event.clientX - box.x - x) / zoom, (event.clientY - box.y - y) / zoom, { zoom: flow.getZoom() });
  };
  return (
    <div className="react-flow__panel bottom right overview">
      <canvas
        ref={canvas}
        role="img"
        aria-label="Map of all nodes"
        onPointerDown={(event) => {
          event.stopPropagation();
          event.currentTarget.setPointerCapture(event.pointerId);
          go(event);
        }}
        onPointerMove={go}
      />
      {COLOURS.map((name) => <i key={name} className={name} hidden />)}
    </div>
  );
}
