// Two people's changes of the same text brought together: what touches different lines by itself, all else by choice.
import type { Files } from "../wire";
import { type Change, changes } from "./diff";

/** A stretch that both changed, each in another way; a text is null where there is no such file. */
export interface Clash {
  file: string;
  line: number;
  mine: string | null;
  theirs: string | null;
}

export type Side = "mine" | "theirs" | "both";

type Piece = string | Clash;

export interface Merge {
  clashes: readonly Clash[];
  /** How many files were changed by both and are brought together. */
  joined: number;
  /** The files, with a side chosen for each clash in their order. */
  files(sides: readonly Side[]): Files;
}

function text(whole: string, from: number, to: number, made: readonly Change[]): string {
  let at = from;
  let found = "";
  for (const one of made) {
    found += whole.slice(at, one.from) + one.insert;
    at = one.to;
  }
  return found + whole.slice(at, to);
}

/** Bring two changes of a text together, as stretches that are settled and those that clash. */
function pieces(file: string, base: string, mine: string, theirs: string): Piece[] {
  const all = [
    ...changes(base, mine).map((change) => ({ change, whose: "mine" as const })),
    ...changes(base, theirs).map((change) => ({ change, whose: "theirs" as const })),
  ].sort((one, other) => one.change.from - other.change.from || one.change.to - other.change.to);
  const found: Piece[] = [];
  let at = 0;
  for (let first = 0; first < all.length; ) {
    const from = all[first]?.change.from ?? 0;
    let to = all[first]?.change.to ?? 0;
    let next = first + 1;
    for (let one = all[next]; one && one.change.from <= to; one = all[++next]) to = Math.max(to, one.change.to);
    const group = all.slice(first, next);
    const [ours, others] = (["mine", "theirs"] as const).map((side) => group.filter(({ whose }) => whose === side).map(({ change }) => change)) as [Change[], Change[]];
    const [one, other] = [text(base, from, to, ours), text(base, from, to, others)];
    found.push(base.slice(at, from));
    if (!others.length || one === other) found.push(one);
    else if (!ours.length) found.push(other);
    else found.push({ file, line: base.slice(0, from).split("\n").length, mine: one, theirs: other });
    at = to;
    first = next;
  }
  found.push(base.slice(at));
  return found;
}

function chosen(piece: Piece, side: Side): string {
  if (typeof piece === "string") return piece;
  const [mine, theirs] = [piece.mine ?? "", piece.theirs ?? ""];
  return side === "mine" ? mine : side === "theirs" ? theirs : theirs + (theirs && !theirs.endsWith("\n") ? "\n" : "") + mine;
}

/** Bring two versions of a bundle together that began from the same one. */
export function merge(base: Files, mine: Files, theirs: Files): Merge {
  const parts: [file: string, pieces: Piece[] | null][] = [];
  let joined = 0;
  for (const file of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const [before, ours, others] = [base[file], mine[file], theirs[file]];
    if (ours === others || others === before) parts.push([file, ours === undefined ? null : [ours]]);
    else if (ours === before) parts.push([file, others === undefined ? null : [others]]);
    else if (ours === undefined || others === undefined) parts.push([file, [{ file, line: 1, mine: ours ?? null, theirs: others ?? null }]]);
    else if (file.endsWith(".layout.json")) parts.push([file, [ours]]); // places of nodes
    else {
      parts.push([file, pieces(file, before ?? "", ours, others)]);
      joined++;
    }
  }
  const clashes = parts.flatMap(([, found]) => found ?? []).filter((piece) => typeof piece !== "string");
  return {
    clashes,
    joined,
    files(sides) {
      const made: Files = {};
      let number = 0;
      for (const [file, found] of parts) {
        if (!found) continue;
        const whole = found.map((piece) => [piece, typeof piece === "string" ? "mine" : (sides[number++] ?? "mine")] as const);
        const [only, side] = whole[0] ?? ["", "mine"];
        const gone = typeof only !== "string" && ((side === "mine" && only.mine === null) || (side === "theirs" && only.theirs === null));
        if (!gone) made[file] = whole.map(([piece, which]) => (typeof piece !== "string" && which === "both" && (piece.mine === null || piece.theirs === null) ? (piece.mine ?? piece.theirs ?? "") : chosen(piece, which))).join("");
      }
      return made;
    },
  };
}
