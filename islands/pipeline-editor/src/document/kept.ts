// Changes that nobody saved yet, kept by the browser through a crash or a closed tab: each window keeps its own.
import type { Files } from "../wire";

export interface Kept {
  /** The window that kept it, which may be gone. */
  window: string;
  base: string;
  files: Files;
  /** The files as they were when the changes began, so that others' changes can be told from these. */
  began?: Files | undefined;
  at: number;
}

const PREFIX = "spacelab-pipeline:";
const own = Math.random().toString(36).slice(2, 12);

function nameOf(key: string, window: string): string {
  return window ? `${PREFIX}${key}#${window}` : PREFIX + key;
}

/** Tell other windows that this one is alive, so that they leave alone what it keeps. */
export function live(key: string): void {
  void navigator.locks?.request(nameOf(key, own), () => new Promise(() => undefined)).catch(() => undefined);
}

/** Keep the changes of this window; say whether the browser could. */
export function keep(key: string, kept: Omit<Kept, "window">): boolean {
  for (const one of [kept, { ...kept, began: undefined }]) {
    try {
      localStorage.setItem(nameOf(key, own), JSON.stringify(one));
      return true;
    } catch {
      // the storage is full or switched off: perhaps there is room for less
    }
  }
  return false;
}

/** What windows kept that are gone now, the newest first. */
export async function left(key: string): Promise<Kept[]> {
  const held = await navigator.locks?.query().catch(() => null);
  const alive = new Set(held?.held?.map((lock) => lock.name));
  const found: Kept[] = [];
  try {
    for (const name of Object.keys(localStorage)) {
      if (name !== PREFIX + key && !name.startsWith(`${PREFIX}${key}#`)) continue;
      const window = name.slice(PREFIX.length + key.length + 1);
      const one = alive.has(name) || window === own ? null : read(name);
      if (one) found.push({ ...one, window });
    }
  } catch {
    return [];
  }
  return found.sort((one, other) => other.at - one.at);
}

function read(name: string): Kept | null {
  try {
    const found = JSON.parse(localStorage.getItem(name) ?? "null") as Kept | null;
    return found && typeof found.files === "object" && found.files && typeof found.at === "number" ? found : null;
  } catch {
    return null;
  }
}

/** Forget what this window kept, or another one that is gone. */
export function forget(key: string, window = own): void {
  try {
    localStorage.removeItem(nameOf(key, window));
  } catch {
    // nothing was kept then
  }
}

export function same(one: Files, other: Files): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
