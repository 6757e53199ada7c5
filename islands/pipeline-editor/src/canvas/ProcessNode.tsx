// A box on the canvas: a step, or an input or output of the pipeline.
import { Handle, type NodeProps, Position, useStore } from "@xyflow/react";
import { memo, type ReactElement, startTransition, useEffect, useState } from "react";
import { Icon } from "../Icon";
import type { GraphNode, Port } from "../wire";
import { type CanvasNode, portY } from "./shape";
import { runWords, titleOf } from "./words";

const SYMBOLS = { input: "download", output: "up", step: "launch" } as const;
const SIGNS: Record<string, string> = { waiting: "○", running: "▶", succeeded: "✓", reused: "↺", skipped: "⤼", failed: "✕", cancelled: "■", interrupted: "!", "not run": "⊘" };

function Row({ node, port, side }: { node: GraphNode; port: Port; side: "in" | "out" }): ReactElement {
  const label = node.kind === "step" ? port.id : "";
  const open = side === "in" && node.kind === "step" && !port.connected && !port.optional && !port.has_default && !port.value_from && port.default === null;
  return (
    <div className="port" data-side={side} data-type={port.type} data-node={node.id} data-kind={node.kind} data-open={open || undefined} data-unknown={!port.known || undefined} title={`${port.label || port.id}: ${port.type}${port.doc ? `\n${port.doc}` : ""}`}>
      <Handle type={side === "in" ? "target" : "source"} position={side === "in" ? Position.Left : Position.Right} id={port.id} />
      {label && <span>{port.scattered ? `${label} ×` : label}</span>}
    </div>
  );
}

/** Stands for the ports until they are drawn: the library measures a new node at once, and draws no arrow without ports. */
function Stands({ node }: { node: GraphNode }): ReactElement {
  const stand = (port: Port, row: number, side: "in" | "out"): ReactElement => (
    <i key={`${side} ${port.id}`} className={`stand ${side === "in" ? "target" : "source"}`} data-handleid={port.id} data-handlepos={side === "in" ? "left" : "right"} style={{ top: portY(node, row) }} />
  );
  return (
    <>
      {node.ports_in.map((port, row) => stand(port, row, "in"))}
      {node.ports_out.map((port, row) => stand(port, row, "out"))}
    </>
  );
}

const FAR = 0.42; // the zoom below which ports are too small to be read

/** Whether a node's ports are drawn: not from afar, and only after the box itself, when there is time. */
function usePorts(): boolean {
  const near = useStore((state) => state.transform[2] >= FAR);
  const [drawn, setDrawn] = useState(false);
  useEffect(() => startTransition(() => setDrawn(near)), [near]);
  return drawn;
}

function ProcessNodeView({ data, selected }: NodeProps<CanvasNode>): ReactElement {
  const { node, state } = data;
  const ports = usePorts();
  const bad = node.problems.some((problem) => problem.severity === "error");
  const first = node.problems[0];
  return (
    <div
      className="node"
      data-kind={node.kind}
      data-selected={selected || undefined}
      data-bad={bad || node.missing || undefined}
      data-warn={(!bad && node.problems.length > 0) || undefined}
      data-scatter={node.scatter.length > 0 || undefined}
      data-state={state?.state.replace(" ", "-")}
      data-words={state ? [state.state, state.words].filter(Boolean).join(", ") : undefined}
      data-node-id={node.id}
      role="group"
      aria-roledescription={node.kind === "step" ? "step" : `pipeline ${node.kind}`}
      tabIndex={-1}
    >
      <div className="node-head">
        <Icon name={node.sub ? "catalogue" : SYMBOLS[node.kind]} />
        <div>
          <strong>{titleOf(node)}</strong>
          <small>{node.kind === "step" ? runWords(node) : ((node.kind === "input" ? node.ports_out[0] : node.ports_in[0])?.type ?? "")}</small>
        </div>
        <span className="node-marks">
          {node.when && <abbr title={`Runs when ${node.when}`}>if</abbr>}
          {node.scatter.length > 0 && <abbr title={`Runs once for each of ${node.scatter.join(", ")}`}>×n</abbr>}
          {first && (
            <span className="node-problem" title={node.problems.map((problem) => problem.message).join("\n")}>
              <Icon name="warning" />
            </span>
          )}
        </span>
      </div>
      {state && (
        <span className="node-state" title={[state.state, state.words, state.took].filter(Boolean).join(", ")}>
          <span aria-hidden="true">{SIGNS[state.state] ?? "?"}</span> {state.words || state.state}{state.took && state.state !== "running" && <small> · {state.took}</small>}
        </span>
      )}
      {ports ? (
        <div className="ports">
          <div>{node.ports_in.map((port) => <Row key={port.id} node={node} port={port} side="in" />)}</div>
          <div>{node.ports_out.map((port) => <Row key={port.id} node={node} port={port} side="out" />)}</div>
        </div>
      ) : (
        <Stands node={node} />
      )}
    </div>
  );
}

export const ProcessNode = memo(ProcessNodeView, (before, after) => before.data === after.data && before.selected === after.selected);
