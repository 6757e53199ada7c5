// What is said about a node or a port, for the eye and for the ear.
import type { Fit, Graph, GraphNode, Port, Reading } from "../wire";

export const KINDS = { input: "pipeline input", output: "pipeline output", step: "step" } as const;

/** What is written on a node: an output that is called like a step has the id `output:<name>` here. */
export function titleOf(node: GraphNode): string {
  return node.label || (node.kind === "output" ? node.id.replace(/^output:/, "") : node.id);
}

export function plural(count: number, word: string): string {
  return `${count === 0 ? "no" : count} ${word}${count === 1 ? "" : "s"}`;
}

/** What a step runs, in few words. */
export function runWords(node: GraphNode): string {
  const match = /^catalogue\/([^/]+)\/(.+)\.cwl$/.exec(node.run);
  if (match) return `${match[1]} ${match[2]}`;
  return node.run || (node.run_class === "Workflow" ? "workflow inside" : node.run_class);
}

/** One sentence or two that a screen reader speaks when a node has the focus. */
export function spoken(node: GraphNode, graph: Graph): string {
  const words = [titleOf(node), KINDS[node.kind]];
  const type = node.kind === "input" ? node.ports_out[0]?.type : node.kind === "output" ? node.ports_in[0]?.type : "";
  if (type) words.push(type);
  if (node.kind === "step") {
    words.push(`runs ${runWords(node)}`, plural(node.ports_in.length, "input"), plural(node.ports_out.length, "output"));
    if (node.scatter.length) words.push(`scattered over ${node.scatter.join(", ")}`);
    if (node.when) words.push("runs on a condition");
    if (node.sub) words.push("holds a workflow");
  }
  const name = (id: string): string => titleOf(graph.nodes.find((one) => one.id === id) ?? node);
  const from = [...new Set(graph.links.filter((link) => link.target_node === node.id).map((link) => name(link.source_node)))];
  const to = [...new Set(graph.links.filter((link) => link.source_node === node.id).map((link) => name(link.target_node)))];
  if (from.length) words.push(`fed by ${from.slice(0, 4).join(", ")}${from.length > 4 ? ` and ${from.length - 4} more` : ""}`);
  if (to.length) words.push(`feeds ${to.slice(0, 4).join(", ")}${to.length > 4 ? ` and ${to.length - 4} more` : ""}`);
  if (node.missing) words.push("missing from the catalogue");
  const problem = node.problems[0];
  if (problem) words.push(`${plural(node.problems.length, "problem")}: ${problem.message}`);
  return words.join(", ");
}

/** What the table of fits says about two types; an output of the pipeline can neither be scattered nor convert. */
export function fitOf(reading: Reading | null, source: string, target: string, into: GraphNode["kind"] = "step"): [Fit, string] {
  const [fit, why] = reading?.fits[`${source} → ${target}`] ?? ["fits", ""];
  return into === "output" && (fit === "scatter" || fit === "convert") ? ["never", `The output has the type ${target}; give it the type ${source}.`] : [fit, why];
}

export const FIT_WORDS: Record<Fit, string> = {
  fits: "fits",
  scatter: "once for each",
  convert: "with a converter",
  never: "does not fit",
};

export function findPort(graph: Graph, nodeId: string, portId: string, side: "in" | "out"): Port | undefined {
  const node = graph.nodes.find((one) => one.id === nodeId);
  return (side === "in" ? node?.ports_in : node?.ports_out)?.find((port) => port.id === portId);
}
