// Connecting without a mouse: a port of this node, then a port of another that takes it.
import { type ReactElement, useMemo, useState } from "react";
import type { Actions } from "../actions";
import { FIT_WORDS, fitOf, titleOf } from "../canvas/words";
import type { Session } from "../document/session";
import { Choice } from "../panels/fields";
import type { Fit, Graph, GraphNode, Reading } from "../wire";
import { Modal } from "./Modal";
import { type Option, Picker } from "./Picker";

const ORDER: Record<Fit, number> = { fits: 0, scatter: 1, convert: 2, never: 3 };

interface Props {
  session: Session;
  actions: Actions;
  node: string;
  port: string;
  side: "in" | "out";
  onClose: () => void;
}

function optionsFor(graph: Graph, reading: Reading | null, node: GraphNode, port: string, side: "in" | "out"): Option[] {
  const held = (side === "out" ? node.ports_out : node.ports_in).find((one) => one.id === port);
  if (!held) return [];
  const found: (Option & { order: number })[] = [];
  for (const other of graph.nodes) {
    if (other.id === node.id) continue;
    for (const one of side === "out" ? other.ports_in : other.ports_out) {
      const [fit] = side === "out" ? fitOf(reading, held.type, one.type, other.kind) : fitOf(reading, one.type, held.type, node.kind);
      if (fit === "never") continue;
      const taken = side === "out" && one.connected ? ", connected already" : "";
      found.push({ key: `${other.id}\n${one.id}`, title: other.kind === "step" ? `${titleOf(other)} · ${one.label || one.id}` : titleOf(other), hint: `${one.type}, ${FIT_WORDS[fit]}${taken}`, tone: fit, order: ORDER[fit] + (taken ? 4 : 0) });
    }
  }
  return found.sort((one, other) => one.order - other.order);
}

export function ConnectDialog({ session, actions, node: nodeId, port, side, onClose }: Props): ReactElement {
  const { graph, reading } = session.snapshot();
  const node = session.node(nodeId);
  const [held, hold] = useState(`${side} ${port}`);
  const [way, name] = [held.slice(0, held.indexOf(" ")) as "in" | "out", held.slice(held.indexOf(" ") + 1)];
  const options = useMemo(() => (graph && node ? optionsFor(graph, reading, node, name, way) : []), [graph, reading, node, name, way]);
  const ports = node ? [...node.ports_out.map((one) => [`out ${one.id}`, `gives ${one.label || one.id} (${one.type})`] as const), ...node.ports_in.map((one) => [`in ${one.id}`, `takes ${one.label || one.id} (${one.type})`] as const)] : [];
  const pick = (key: string): void => {
    const [other, otherPort] = key.split("\n") as [string, string];
    onClose();
    if (way === "out") actions.connect(nodeId, name, other, otherPort);
    else actions.connect(other, otherPort, nodeId, name);
  };
  const newEnd = (): void => {
    const one = node && (way === "out" ? node.ports_out : node.ports_in).find((each) => each.id === name);
    onClose();
    if (one) void actions.addPort(way === "out" ? "output" : "input", name, "", { node: nodeId, port: name, side: way, type: one.type, kind: "step" }, null);
  };
  return (
    <Modal title={`Connect ${node ? titleOf(node) : nodeId}`} onClose={onClose}>
      {ports.length > 1 && <Choice label="Its port" value={held} choices={ports} onCommit={hold} />}
      <Picker label={way === "out" ? "Goes to" : "Comes from"} options={options} empty="Nothing on the canvas fits." onPick={pick} />
      <div className="cluster">
        {node?.kind === "step" && <button type="button" className="button" onClick={newEnd}>{way === "out" ? "Keep it as a pipeline output" : "Ask for it at launch"}</button>}
        <button type="button" className="button quiet" onClick={onClose}>Cancel</button>
      </div>
    </Modal>
  );
}
