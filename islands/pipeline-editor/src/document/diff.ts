// The lines in which two texts differ, so that a change on the canvas touches its own lines only.

export interface Change {
  from: number;
  to: number;
  insert: string;
}

const FARTHEST = 400; // changed lines beyond which one change for the whole stretch is good enough

/** Return the changes, in order, that make `after` of `before`; offsets count characters of `before`. */
export function changes(before: string, after: string): Change[] {
  if (before === after) return [];
  const old = lines(before);
  const fresh = lines(after);
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++;
  let oldEnd = old.length;
  let freshEnd = fresh.length;
  while (oldEnd > start && freshEnd > start && old[oldEnd - 1] === fresh[freshEnd - 1]) {
    oldEnd--;
    freshEnd--;
  }
  const script = shortest(old.slice(start, oldEnd), fresh.slice(start, freshEnd));
  return joined(old, start, script);
}

function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

interface Step {
  keep: number;
  remove: number;
  add: string[];
}

/** Myers' shortest edit script between two lists of lines. */
function shortest(old: string[], fresh: string[]): Step[] {
  const most = Math.min(old.length + fresh.length, FARTHEST);
  const trace: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  for (let distance = 0; distance <= most; distance++) {
    const next = new Map(reach);
    for (let diagonal = -distance; diagonal <= distance; diagonal += 2) {
      const below = reach.get(diagonal + 1) ?? -1;
      const beside = reach.get(diagonal - 1) ?? -1;
      let x = diagonal === -distance || (diagonal !== distance && beside < below) ? below : beside + 1;
      while (x < old.length && x - diagonal < fresh.length && old[x] === fresh[x - diagonal]) x++;
      next.set(diagonal, x);
      if (x >= old.length && x - diagonal >= fresh.length) return walked([...trace, reach], old, fresh);
    }
    trace.push(reach);
    reach = next;
  }
  return [{ keep: 0, remove: old.length, add: fresh }];
}

/** Follow the trace back from both ends to the beginning. */
function walked(trace: Map<number, number>[], old: string[], fresh: string[]): Step[] {
  const steps: Step[] = [];
  let x = old.length;
  let y = fresh.length;
  for (let distance = trace.length - 1; distance >= 0; distance--) {
    const reach = trace[distance] as Map<number, number>;
    const diagonal = x - y;
    const below = reach.get(diagonal + 1) ?? -1;
    const beside = reach.get(diagonal - 1) ?? -1;
    const down = diagonal === -distance || (diagonal !== distance && beside < below);
    const fromX = down ? below : beside;
    const fromY = fromX - (down ? diagonal + 1 : diagonal - 1);
    let same = 0;
    while (distance ? x > fromX && y > fromY : x > 0 && y > 0) {
      x--;
      y--;
      same++;
    }
    if (same) steps.push({ keep: same, remove: 0, add: [] });
    if (distance === 0) break;
    steps.push(down ? { keep: 0, remove: 0, add: [fresh[y - 1] as string] } : { keep: 0, remove: 1, add: [] });
    x = fromX;
    y = fromY;
  }
  return steps.reverse();
}

function joined(old: string[], start: number, steps: Step[]): Change[] {
  const found: Change[] = [];
  let at = old.slice(0, start).reduce((sum, line) => sum + line.length, 0);
  let line = start;
  let open: Change | null = null;
  for (const { keep, remove, add } of steps) {
    if (keep) {
      open = null;
      for (const end = line + keep; line < end; line++) at += (old[line] as string).length;
      continue;
    }
    if (!open) found.push((open = { from: at, to: at, insert: "" }));
    for (const end = line + remove; line < end; line++) at += (old[line] as string).length;
    open.to = at;
    open.insert += add.join("");
  }
  return found.filter((change) => change.from !== change.to || change.insert);
}
