// Changes that nobody saved yet, kept by the browser through a crash or a closed tab.
import type { Files } from "../wire";

export interface Kept {
  base: string;
  files: Files;
  at: number;
}

const PREFIX = "spacelab-pipeline:";

export function keep(key: string, kept: Kept): boolean {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(kept));
    return true;
  } catch {
    return false; // the storage is full or switched off: the page says so
  }
}

export function kept(key: string): Kept | null {
  try {
    const found = JSON.parse(localStorage.getItem(PREFIX + key) ?? "null") as Kept | null;
    return found && typeof found.files === "object" && typeof found.at === "number" ? found : null;
  } catch {
    return null;
  }
}

export function forget(key: string): void {
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // nothing was kept then
  }
}

export function same(one: Files, other: Files): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
