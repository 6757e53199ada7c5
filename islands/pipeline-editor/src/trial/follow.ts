// A test run that is followed: its states come as server-sent events, and outlive a reload of the page.
import type { Platform } from "../wire";
import type { Launched, Marks, Run, StepState } from "./wire";

export interface TrialSnapshot {
  run: Run | null;
  marks: Marks | null;
  /** Whether the line is lost, so that the states may be old. */
  lost: boolean;
}

const PREFIX = "spacelab-trial:";
const NOTHING: TrialSnapshot = { run: null, marks: null, lost: false };
const [FIRST_WAIT, LONGEST_WAIT] = [500, 10_000]; // milliseconds until a lost line is tried again

export class Trial {
  readonly #platform: Platform;
  readonly #key: string;
  #snapshot = NOTHING;
  #listeners = new Set<() => void>();
  #source: EventSource | null = null;
  #timer = 0;
  #wait = FIRST_WAIT;

  constructor(platform: Platform, key: string) {
    this.#platform = platform;
    this.#key = PREFIX + key;
    const events = remembered(this.#key);
    if (events) this.#connect(events);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): TrialSnapshot => this.#snapshot;

  #set(part: Partial<TrialSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...part };
    for (const listener of this.#listeners) listener();
  }

  follow({ run, events }: Launched): void {
    this.#close();
    this.#snapshot = NOTHING;
    this.#show(run);
    remember(this.#key, events);
    this.#connect(events);
  }

  #connect(events: string): void {
    const source = new EventSource(events);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#wait = FIRST_WAIT;
      if (this.#snapshot.lost) this.#set({ lost: false });
    });
    source.addEventListener("canvas", (event) => this.#show(JSON.parse(event.data) as Run));
    source.addEventListener("end", () => {
      this.#close();
      remember(this.#key, "");
    });
    source.addEventListener("error", () => {
      this.#close();
      if (this.#snapshot.run) this.#set({ lost: true });
      else if (this.#wait > FIRST_WAIT) return; // a run of before, which is not there any more
      this.#timer = window.setTimeout(() => this.#connect(events), this.#wait);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    });
    window.addEventListener("pagehide", () => source.close(), { once: true });
  }

  #show(run: Run): void {
    this.#set({ run, marks: marksOf(run, this.#snapshot.marks), lost: false });
  }

  async stop(): Promise<void> {
    const { run } = this.#snapshot;
    if (!run) return;
    await this.#platform.stop(run.stop);
    if (!run.final) this.#set({ run: { ...run, stopping: true } });
  }

  /** Show the graph without states; the run itself goes on. */
  hide(): void {
    this.#close();
    remember(this.#key, "");
    this.#set(NOTHING);
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}

/** The marks of a run; what did not change stays the same object, so that no node is drawn for nothing. */
function marksOf(run: Run, before: Marks | null): Marks {
  const steps: Record<string, StepState> = {};
  let changed = Object.keys(before?.steps ?? {}).length !== Object.keys(run.steps).length;
  for (const [path, now] of Object.entries(run.steps)) {
    const old = before?.steps[path];
    const same = old && old.state === now.state && old.words === now.words && (old.took === now.took || now.state === "running");
    steps[path] = same ? old : now;
    changed ||= !same;
  }
  const told = run.only_step || Object.keys(run.steps).length > 0;
  const state = told ? "" : run.final ? "not run" : "waiting";
  const rest = state ? (before?.rest?.state === state ? before.rest : { state, words: "", took: "", page: "" }) : null;
  return before && !changed && before.rest === rest ? before : { steps, rest };
}

function remembered(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function remember(key: string, events: string): void {
  try {
    if (events) sessionStorage.setItem(key, events);
    else sessionStorage.removeItem(key);
  } catch {
    // a reload forgets the run then
  }
}
