// What goes between the browser and the platform: the shapes of its answers, and the calls.
import type { Folder, Launched, TestForm } from "./trial/wire";

export type Fit = "fits" | "scatter" | "convert" | "never";

export interface Port {
  id: string;
  label: string;
  doc: string;
  type: string;
  optional: boolean;
  has_default: boolean;
  format: string;
  connected: boolean;
  scattered: boolean;
  default: unknown;
  value_from: string;
  link_merge: string;
  pick_value: string;
  /** Whether the process that the step runs has this port. */
  known: boolean;
}

export interface GraphNode {
  id: string;
  kind: "input" | "output" | "step";
  label: string;
  doc: string;
  /** What the document says: a path, or nothing where the process stands in the step itself. */
  run: string;
  run_class: string;
  ports_in: Port[];
  ports_out: Port[];
  scatter: string[];
  scatter_method: string;
  when: string;
  first_line: number;
  last_line: number;
  missing: boolean;
  problems: Problem[];
  sub: Graph | null;
}

export interface Link extends Ends {
  id: string;
  fit: Fit;
  why: string;
}

export interface Graph {
  nodes: GraphNode[];
  links: Link[];
}

export interface Problem {
  severity: "error" | "warning";
  message: string;
  advice: string;
  file: string;
  line: number;
  column: number;
  node: string;
}

export interface Layout {
  boxes: Record<string, [x: number, y: number, width: number, height: number]>;
}

/** What the platform makes of a document: everything that the canvas shows. */
export interface Reading {
  label: string;
  doc: string;
  cwl_version: string;
  cwl_class: string;
  graph: Graph | null;
  problems: Problem[];
  /** For each "source type → target type" of the document: whether it fits, and why not. */
  fits: Record<string, [Fit, string]>;
  layout: Layout | null;
  /** What steps require, by their paths, and what workflows do, by theirs with a slash at the end (the whole: nothing). */
  details: Record<string, Requirement[]>;
}

/** A requirement or hint, with its fields as data. */
export interface Requirement {
  name: string;
  hint: boolean;
  fields: Record<string, unknown>;
}

/** A step or pipeline of the catalogue that the person may use. */
export interface CatalogueEntry {
  ref: string;
  slug: string;
  title: string;
  version: string;
  kind: "step" | "pipeline";
  abstract: string;
}

export type Files = Record<string, string>;

/** One change on the canvas, as the package cwl-graph names it; the platform turns it into new text. */
export type Edit =
  | { edit: "AddStep"; id: string; run: string; label?: string }
  | { edit: "AddInput"; id: string; type: unknown; label?: string }
  | { edit: "AddOutput"; id: string; type?: unknown; source_node?: string; source_port?: string }
  | { edit: "Remove"; node: string }
  | ({ edit: "Connect"; add: boolean; fit: "fits" | "scatter" | "convert" } & Ends)
  | ({ edit: "Disconnect" } & Ends)
  | { edit: "Rename"; node: string; to: string }
  | { edit: "SetField"; path: readonly string[]; value: unknown }
  | { edit: "SetScatter"; step: string; ports: readonly string[]; method: string }
  | { edit: "SetWhen"; step: string; expression: string }
  | { edit: "SetType"; node: string; type: unknown }
  | { edit: "AddRequirement"; name: string; fields: Record<string, unknown>; step: string; hint?: boolean }
  | { edit: "RemoveRequirement"; name: string; step: string }
  | { edit: "Paste"; text: string }
  | { edit: "Several"; edits: readonly Edit[] };

/** Where a link begins and ends. */
export interface Ends {
  source_node: string;
  source_port: string;
  target_node: string;
  target_port: string;
}

/** A step made from something else: its name, its text, and the files that stand beside it. */
export interface Made {
  name: string;
  text: string;
  beside: Files;
}

/** What the page hands over. */
export interface Settings {
  /** What unsaved changes are kept under in the browser. */
  key: string;
  slug: string;
  title: string;
  version: string;
  main: string;
  files: Files;
  base: string;
  writable: boolean;
  urls: {
    read: string;
    edit: string;
    copy: string;
    make: string;
    steps: string;
    save: string;
    back: string;
    /** The launcher, with everything that can be chosen; empty where nothing can be run. */
    launch: string;
    test: string;
    browse: string;
    icons: string;
  };
}

export interface Saved {
  base: string;
  message: string;
}

/** Somebody saved meanwhile: what they saved. */
export interface Conflict {
  message: string;
  by: string;
  at: string;
  base: string;
  files: Files;
}

/** A refusal that the platform explains in words for people. */
export class Refused extends Error {
  readonly advice: string;
  readonly status: number;
  readonly answer: unknown;

  constructor(message: string, advice: string, status: number, answer: unknown = null) {
    super(message);
    this.advice = advice;
    this.status = status;
    this.answer = answer;
  }
}

function csrfToken(): string {
  return document.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
}

async function answer<T>(response: Response): Promise<T> {
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) {
    await new Promise((go) => setTimeout(go)); // a large answer was work enough for one frame
    return body as T;
  }
  const told = (body ?? {}) as { title?: string; detail?: string; advice?: string };
  if (response.status === 403 && !body) throw new Refused("You are signed out.", "Sign in in another tab, then try again: nothing is lost.", 403);
  throw new Refused(told.detail ?? told.title ?? `The platform answered ${response.status}.`, told.advice ?? "Try again.", response.status, body);
}

async function reached(asked: Promise<Response>): Promise<Response> {
  try {
    return await asked;
  } catch {
    throw new Refused("The platform can’t be reached.", "Your changes are kept in this browser. Try again when the line is back.", 0);
  }
}

/** Signing in again, in another window, makes this page's token worthless: take over the present one. */
async function renewToken(): Promise<boolean> {
  const response = await reached(fetch(location.href, { headers: { Accept: "text/html" } }));
  if (!response.ok || new URL(response.url).pathname !== location.pathname) return false;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value;
  for (const input of document.querySelectorAll<HTMLInputElement>("[name=csrfmiddlewaretoken]")) input.value = fresh ?? input.value;
  return Boolean(fresh);
}

async function send<T>(url: string, body: unknown): Promise<T> {
  const text = JSON.stringify(body);
  const ask = (): Promise<Response> =>
    reached(
      fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json" },
        body: text,
      }),
    );
  let response = await ask();
  const told = response.headers.get("Content-Type") ?? "";
  if (response.status === 403 && !told.includes("json") && (await renewToken())) response = await ask();
  return answer<T>(response);
}

async function get<T>(url: string): Promise<T> {
  return answer<T>(await reached(fetch(url, { headers: { Accept: "application/json" } })));
}

export class Platform {
  readonly urls: Settings["urls"];

  constructor(urls: Settings["urls"]) {
    this.urls = urls;
  }

  read(files: Files, main: string, place: boolean): Promise<Reading> {
    return send(this.urls.read, { files, main, place });
  }

  edit(files: Files, main: string, path: readonly string[], edit: Edit): Promise<{ text: string; reading: Reading }> {
    return send(this.urls.edit, { files, main, path, edit });
  }

  copy(files: Files, main: string, path: readonly string[], nodes: readonly string[]): Promise<{ text: string }> {
    return send(this.urls.copy, { files, main, path, nodes });
  }

  make(kind: "command" | "script" | "notebook", text: string, name: string): Promise<Made> {
    return send(this.urls.make, { kind, text, name });
  }

  save(files: Files, main: string, base: string, over: boolean): Promise<Saved> {
    return send(this.urls.save, { files, main, base, over });
  }

  testForm(step: string): Promise<TestForm> {
    return get(`${this.urls.test}?step=${encodeURIComponent(step)}`);
  }

  launchTest(step: string, values: Readonly<Record<string, string>>, profile: string): Promise<Launched> {
    return send(this.urls.test, { step, values, profile });
  }

  browse(path: string): Promise<Folder> {
    return get(`${this.urls.browse}?path=${encodeURIComponent(path)}`);
  }

  /** Stop a run; its page, to which the answer leads, is not asked for. */
  async stop(url: string): Promise<void> {
    const response = await reached(fetch(url, { method: "POST", redirect: "manual", headers: { "X-CSRFToken": csrfToken() } }));
    if (response.type !== "opaqueredirect" && !response.ok) throw new Refused("It could not be stopped.", "Stop it on its own page.", response.status);
  }

  async steps(query: string, signal: AbortSignal): Promise<CatalogueEntry[]> {
    const response = await fetch(`${this.urls.steps}?q=${encodeURIComponent(query)}`, { signal, headers: { Accept: "application/json" } });
    return (await answer<{ entries: CatalogueEntry[] }>(response)).entries;
  }
}
