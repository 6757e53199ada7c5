// While a connection is drawn: which ports take it is shown at once, without drawing any node again.
import type { Reading } from "../wire";
import { fitOf } from "./words";

export interface Held {
  node: string;
  port: string;
  side: "in" | "out";
  type: string;
}

/** Mark every port with how it goes with the one that is held. */
export function showFits(root: HTMLElement, reading: Reading | null, held: Held): void {
  const marks = new Map<string, string>();
  root.dataset["connecting"] = held.side;
  for (const port of root.querySelectorAll<HTMLElement>(".port")) {
    const { side, type = "", node } = port.dataset;
    if (side === held.side || node === held.node) {
      port.dataset["fit"] = "never";
      continue;
    }
    let fit = marks.get(type);
    if (!fit) marks.set(type, (fit = held.side === "out" ? fitOf(reading, held.type, type)[0] : fitOf(reading, type, held.type)[0]));
    port.dataset["fit"] = fit;
  }
}

export function hideFits(root: HTMLElement): void {
  delete root.dataset["connecting"];
  for (const port of root.querySelectorAll<HTMLElement>(".port[data-fit]")) delete port.dataset["fit"];
}
