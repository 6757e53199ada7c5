// While a connection is drawn: which ports take it is shown at once, without drawing any node again.
import type { GraphNode, Reading } from "../wire";
import { fitOf } from "./words";

export interface Held {
  node: string;
  port: string;
  side: "in" | "out";
  type: string;
  kind: GraphNode["kind"];
}

/** Mark every port with how it goes with the one that is held. */
export function showFits(root: HTMLElement, reading: Reading | null, held: Held): void {
  const marks = new Map<string, string>();
  root.dataset["connecting"] = held.side;
  for (const port of root.querySelectorAll<HTMLElement>(".port")) {
    const { side, type = "", node, kind } = port.dataset;
    if (side === held.side || node === held.node) {
      port.dataset["fit"] = "never";
      continue;
    }
    const key = `${kind} ${type}`;
    let fit = marks.get(key);
    if (!fit) marks.set(key, (fit = held.side === "out" ? fitOf(reading, held.type, type, kind as GraphNode["kind"])[0] : fitOf(reading, type, held.type, held.kind)[0]));
    port.dataset["fit"] = fit;
  }
}

export function hideFits(root: HTMLElement): void {
  delete root.dataset["connecting"];
  for (const port of root.querySelectorAll<HTMLElement>(".port[data-fit]")) delete port.dataset["fit"];
}
