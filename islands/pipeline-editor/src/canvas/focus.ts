// One node of the canvas at a time is reached by Tab; the arrow keys lead from node to node.
import type { Graph } from "../wire";
import { spoken } from "./words";

function elementOf(root: ParentNode, id: string): HTMLElement | null {
  return root.querySelector<HTMLElement>(`.node[data-node-id="${CSS.escape(id)}"]`);
}

/** Make a node the one that Tab reaches, with what is said about it. */
export function stopAt(root: ParentNode, graph: Graph, id: string): HTMLElement | null {
  const element = elementOf(root, id);
  const node = graph.nodes.find((one) => one.id === id);
  if (!element || !node) return null;
  for (const other of root.querySelectorAll<HTMLElement>('.node[tabindex="0"]')) if (other !== element) other.tabIndex = -1;
  element.tabIndex = 0;
  const { words } = element.dataset;
  element.setAttribute("aria-label", words ? `${spoken(node, graph)}. In the test run: ${words}` : spoken(node, graph));
  return element;
}

/** See to it that Tab reaches some node: the one in focus, else the selected one, else the first. */
export function keepStop(root: ParentNode, graph: Graph, selected: string | undefined): void {
  const present = root.querySelector<HTMLElement>('.node[tabindex="0"]')?.dataset["nodeId"];
  const id = selected ?? present ?? graph.nodes[0]?.id;
  if (id) stopAt(root, graph, id) ?? stopAt(root, graph, graph.nodes[0]?.id ?? "");
}

/** Focus a node; say whether it took the focus, which it can't behind an open dialog. */
export function focusNode(root: ParentNode, graph: Graph, id: string): boolean {
  const element = stopAt(root, graph, id);
  element?.focus({ preventScroll: true });
  return element !== null && document.activeElement === element;
}
