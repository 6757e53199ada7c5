// Where nodes stand: a small file beside the document, with the same undo as its text.
import { invertedEffects } from "@codemirror/commands";
import { type EditorState, StateEffect, StateField } from "@codemirror/state";

export type Point = readonly [x: number, y: number];
export type Positions = Readonly<Record<string, Point>>;

/** Nodes that go to new places; null forgets a place, so that the layout decides. */
export const moveNodes = StateEffect.define<Readonly<Record<string, Point | null>>>();

export const positionsField = StateField.define<Positions>({
  create: () => ({}),
  update(value, transaction) {
    let places = value;
    for (const effect of transaction.effects) {
      if (!effect.is(moveNodes)) continue;
      const next: Record<string, Point> = { ...places };
      for (const [id, point] of Object.entries(effect.value)) {
        if (point) next[id] = point;
        else delete next[id];
      }
      places = next;
    }
    return places;
  },
});

/** Undoing a move puts the nodes back where they stood. */
export const positionsHistory = invertedEffects.of((transaction) => {
  const before = transaction.startState.field(positionsField);
  return transaction.effects
    .filter((effect) => effect.is(moveNodes))
    .map((effect) => moveNodes.of(Object.fromEntries(Object.keys(effect.value).map((id) => [id, before[id] ?? null]))));
});

export function positionsOf(state: EditorState): Positions {
  return state.field(positionsField);
}

/** The file that keeps the places of a document's nodes: `main.cwl` has `main.layout.json`. */
export function layoutFile(document: string): string {
  const path = document.split("#")[0] ?? document;
  return `${path.replace(/\.(cwl|ya?ml|json)$/i, "")}.layout.json`;
}

export function readPositions(text: string | undefined): Positions {
  if (!text) return {};
  try {
    const { nodes } = JSON.parse(text) as { nodes?: Record<string, unknown> };
    const known: Record<string, Point> = {};
    for (const [id, point] of Object.entries(nodes ?? {})) {
      if (Array.isArray(point) && typeof point[0] === "number" && typeof point[1] === "number") known[id] = [point[0], point[1]];
    }
    return known;
  } catch {
    return {};
  }
}

/** One node a line, in the order of their names, so that versions compare well. */
export function writePositions(positions: Positions): string {
  const rows = Object.keys(positions).sort().map((id) => `    ${JSON.stringify(id)}: [${(positions[id] as Point).map(Math.round).join(", ")}]`);
  return `{\n  "nodes": {\n${rows.join(",\n")}\n  }\n}\n`;
}
