// The open document: its text is the truth; what the platform reads from it, and what is selected, hang on it.
import { redo, redoDepth, undo, undoDepth, isolateHistory } from "@codemirror/commands";
import { type Diagnostic, setDiagnostics } from "@codemirror/lint";
import { type EditorState, StateEffect, type Text, Transaction } from "@codemirror/state";
import { EditorView, type ViewUpdate } from "@codemirror/view";
import { makeState, makeView, markLines } from "../text/view";
import { type Conflict, type Edit, type Files, type Graph, type GraphNode, type Link, Platform, type Reading, Refused, type Settings } from "../wire";
import { changes } from "./diff";
import { forget, keep, type Kept, left, live, same } from "./kept";
import { layoutFile, moveNodes, type Point, type Positions, positionsOf, readPositions, writePositions } from "./positions";

const TYPING_PAUSE = 250; // milliseconds without a key after which the text is read again
const KEEP_PAUSE = 400; // milliseconds after a change until it is kept in the browser
const OK_SHOWN = 6000; // milliseconds after which good news go away by themselves
const [FIRST_WAIT, LONGEST_WAIT] = [2000, 15_000]; // milliseconds until a lost line is tried again
const REMEMBERED = 60; // readings that undo and redo find without asking

export interface Message {
  tone: "ok" | "warn" | "bad";
  text: string;
  advice: string;
}

/** A level that is open: a file, and the steps that were opened inside it. */
export interface Level {
  label: string;
  main: string;
  path: readonly string[];
  /** The steps that lead there from the main document; null for a file that was opened by its name. */
  way: readonly string[] | null;
}

export interface Snapshot {
  trail: readonly Level[];
  reading: Reading | null;
  graph: Graph | null;
  /** Whether the canvas shows the text as it is now. */
  current: boolean;
  working: boolean;
  positions: Positions;
  selection: readonly string[];
  pending: readonly Link[];
  dirty: boolean;
  undoable: boolean;
  redoable: boolean;
  /** Whether the platform could not be reached; it is tried again by itself. */
  offline: boolean;
  message: Message | null;
  spoken: string;
  found: Kept | null;
  conflict: Conflict | null;
  files: readonly string[];
}

export class Session {
  readonly settings: Settings;
  readonly platform: Platform;
  readonly host: HTMLElement;
  readonly view: EditorView;
  #snapshot: Snapshot;
  #listeners = new Set<() => void>();
  #others = new Map<string, EditorState>();
  #files: Files;
  #saved: Files;
  #base: string;
  #began: Files;
  #keeps = true;
  #wait = FIRST_WAIT;
  #windows: BroadcastChannel;
  #readings = new Map<string, Reading>();
  #reading = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #readTimer = 0;
  #keepTimer = 0;

  constructor(settings: Settings) {
    this.settings = settings;
    this.platform = new Platform(settings.urls);
    this.#files = { ...settings.files };
    this.#saved = { ...settings.files };
    this.#base = settings.base;
    this.#began = this.#saved;
    const { host, view } = makeView(this.#stateOf(settings.main));
    this.host = host;
    this.view = view;
    this.#snapshot = {
      trail: [{ label: settings.title, main: settings.main, path: [], way: [] }],
      reading: null,
      graph: null,
      current: false,
      working: true,
      positions: positionsOf(view.state),
      selection: [],
      pending: [],
      dirty: false,
      undoable: false,
      redoable: false,
      offline: false,
      message: null,
      spoken: "",
      found: null,
      conflict: null,
      files: Object.keys(settings.files),
    };
    this.#windows = new BroadcastChannel(`spacelab-pipeline:${settings.key}`);
    if (settings.writable) {
      live(settings.key);
      this.#windows.onmessage = ({ data }: MessageEvent<{ files: Files; base: string }>) => this.#savedElsewhere(data.files, data.base);
      void this.#find();
    }
    window.addEventListener("online", () => this.#snapshot.offline && void this.#read());
    void this.#read();
  }

  /** Look for changes that a window left behind which is gone. */
  async #find(): Promise<void> {
    for (const found of await left(this.settings.key)) {
      if (!same(found.files, this.#saved)) return this.#set({ found });
      forget(this.settings.key, found.window);
    }
    this.#set({ found: null });
  }

  /** Another window of this browser saved: take that over where nothing was changed here, else say so. */
  #savedElsewhere(files: Files, base: string): void {
    if (base === this.#base) return;
    if (this.#snapshot.dirty) {
      this.tell("warn", "You saved this draft in another window.", "Saving here asks how both are brought together.");
      return;
    }
    this.#saved = this.#began = { ...files };
    this.replaceFiles(files, base);
    this.tell("ok", "This is what you saved in another window.", "");
  }

  /** The files as they were when the changes that are not saved began. */
  get began(): Files {
    return this.#began;
  }

  /** Whether leaving the page would lose something: there are changes, and the browser keeps none. */
  get endangered(): boolean {
    return this.#snapshot.dirty && !this.#keeps;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): Snapshot => this.#snapshot;

  #set(part: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...part };
    for (const listener of this.#listeners) listener();
  }

  get level(): Level {
    return this.#snapshot.trail[this.#snapshot.trail.length - 1] as Level;
  }

  /** The file whose text is open, without the name of a process inside it. */
  get file(): string {
    return this.level.main.split("#")[0] as string;
  }

  get text(): string {
    return this.view.state.sliceDoc();
  }

  /** Whether changes may be made at the level that is open. */
  get writable(): boolean {
    return this.settings.writable && this.file in this.#files && !this.#foreign();
  }

  /** A step of the catalogue that was opened to be looked at belongs to another document. */
  #foreign(): boolean {
    let graph = this.#snapshot.reading?.graph ?? null;
    for (const id of this.level.path) {
      const node = graph?.nodes.find((one) => one.id === id);
      if (node?.run) return true;
      graph = node?.sub ?? null;
    }
    return false;
  }

  #stateOf(main: string): EditorState {
    const file = main.split("#")[0] as string;
    const state = makeState(this.#files[file] ?? "", this.settings.writable, EditorView.updateListener.of((update) => this.#changed(update)));
    const places = readPositions(this.#files[layoutFile(main)]);
    return Object.keys(places).length ? state.update({ effects: moveNodes.of(places), annotations: Transaction.addToHistory.of(false) }).state : state;
  }

  /** All files as they are now, with the places of nodes where somebody moved one. */
  files(): Files {
    const files = { ...this.#files };
    const open: [string, EditorState][] = [...this.#others, [this.file, this.view.state]];
    for (const [file, state] of open) {
      files[file] = state.sliceDoc();
      const sidecar = layoutFile(file);
      const places = positionsOf(state);
      if (JSON.stringify(places) === JSON.stringify(readPositions(this.#files[sidecar]))) continue;
      if (Object.keys(places).length) files[sidecar] = writePositions(places);
      else delete files[sidecar];
    }
    return files;
  }

  #changed(update: ViewUpdate): void {
    const places = positionsOf(update.state);
    const moved = places !== positionsOf(update.startState);
    if (update.selectionSet && !update.docChanged && update.view.hasFocus) this.#followCursor();
    if (!update.docChanged && !moved) return;
    this.#set({
      positions: places,
      undoable: undoDepth(update.state) > 0,
      redoable: redoDepth(update.state) > 0,
      dirty: !same(this.files(), this.#saved),
    });
    clearTimeout(this.#keepTimer);
    this.#keepTimer = window.setTimeout(() => this.keepNow(), KEEP_PAUSE);
    if (!update.docChanged) return;
    clearTimeout(this.#readTimer);
    const known = this.#readings.get(this.#nameOf(this.text));
    if (known) this.#show(known);
    else {
      this.#set({ current: false });
      this.#readTimer = window.setTimeout(() => void this.#read(), TYPING_PAUSE);
    }
  }

  /** Keep what is not saved in the browser, or forget it when nothing is left to save. */
  keepNow(): void {
    if (!this.settings.writable) return;
    const files = this.files();
    const before = this.#keeps;
    this.#keeps = same(files, this.#saved) || keep(this.settings.key, { base: this.#base, files, began: this.#began, at: Date.now() });
    if (same(files, this.#saved)) forget(this.settings.key);
    else if (!this.#keeps && before) {
      this.tell("warn", "This browser keeps no copy of unsaved changes.", "Its storage is full or switched off: save often.");
    }
  }

  #nameOf(text: string): string {
    return `${this.level.main}\n${text}`;
  }

  #remember(name: string, reading: Reading): void {
    this.#readings.set(name, reading);
    if (this.#readings.size > REMEMBERED) this.#readings.delete(this.#readings.keys().next().value as string);
  }

  async #read(place = true): Promise<void> {
    const turn = ++this.#reading;
    const text = this.text;
    const name = this.#nameOf(text);
    this.#set({ working: true });
    try {
      const reading = await this.platform.read(this.files(), this.level.main, place);
      this.#remember(name, reading);
      if (this.#snapshot.offline) this.#set({ offline: false, message: null });
      this.#wait = FIRST_WAIT;
      if (turn === this.#reading && this.text === text) this.#show(reading);
    } catch (error) {
      if (turn !== this.#reading) return;
      this.refuse(error);
      if (!(error instanceof Refused) || ![0, 401, 403, 502, 503, 504].includes(error.status)) return;
      this.#set({ offline: true });
      clearTimeout(this.#readTimer);
      this.#readTimer = window.setTimeout(() => void this.#read(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    }
  }

  /** Show a reading that belongs to the present text; a text that can't be read leaves the last picture standing. */
  #show(reading: Reading): void {
    this.#reading++;
    const graph = reading.graph ? inside(reading.graph, this.level.path) : this.#snapshot.graph;
    const ids = new Set(graph?.nodes.map((node) => node.id));
    const selection = this.#snapshot.selection.every((id) => ids.has(id)) ? this.#snapshot.selection : this.#snapshot.selection.filter((id) => ids.has(id));
    this.#set({ reading, graph, current: Boolean(reading.graph), working: false, pending: [], selection });
    setTimeout(() => this.#snapshot.reading === reading && this.#diagnose(reading)); // after the frame that shows the graph
  }

  #diagnose(reading: Reading): void {
    const { doc } = this.view.state;
    const found: Diagnostic[] = reading.problems
      .filter((problem) => !problem.file || problem.file === this.file)
      .map((problem) => {
        const line = doc.line(Math.min(Math.max(problem.line, 1), doc.lines));
        const start = line.from + (/^\s*/.exec(line.text)?.[0].length ?? 0);
        const from = problem.column > 1 ? Math.min(line.from + problem.column - 1, line.to) : start;
        return { from, to: line.to, severity: problem.severity, message: [problem.message, problem.advice].filter(Boolean).join("\n") };
      });
    this.view.dispatch(setDiagnostics(this.view.state, found));
  }

  /** Ask the platform to make one change in the text; answers whether it was made. Changes are made one after another. */
  edit(edit: Edit, options: { effects?: StateEffect<unknown>[]; spoken?: string; pending?: Link; select?: readonly string[] } = {}): Promise<boolean> {
    if (!this.writable) {
      this.tell("warn", "This can only be read here.", "Derive a version of your own, or open one of your drafts.");
      return Promise.resolve(false);
    }
    if (options.pending) this.#set({ pending: [...this.#snapshot.pending, options.pending] });
    this.#set({ working: true, message: null });
    const next = this.#queue.then(() => this.#make(edit, options));
    this.#queue = next;
    return next;
  }

  async #make(edit: Edit, { effects = [], spoken = "", select }: { effects?: StateEffect<unknown>[]; spoken?: string; select?: readonly string[] }): Promise<boolean> {
    try {
      for (;;) {
        const text = this.text;
        const { text: fresh, reading } = await this.platform.edit(this.files(), this.level.main, this.level.path, edit);
        if (this.text !== text) continue; // somebody typed meanwhile: make the change in the new text
        this.#remember(this.#nameOf(fresh), { ...reading, layout: reading.layout ?? this.#snapshot.reading?.layout ?? null });
        this.#splice(fresh, effects);
        if (fresh === text) this.#show(reading);
        if (select) this.select(select);
        if (spoken) this.say(spoken);
        return true;
      }
    } catch (error) {
      this.#set({ pending: [] });
      this.refuse(error);
      return false;
    }
  }

  #splice(after: string, effects: StateEffect<unknown>[]): void {
    const found = edits(this.view.state, after);
    if (!found.length && !effects.length) return;
    this.view.dispatch({ changes: found, effects, annotations: [isolateHistory.of("full"), Transaction.userEvent.of("input.canvas")] });
  }

  /** Nodes were moved on the canvas. */
  move(places: Readonly<Record<string, Point | null>>): void {
    const prefix = this.level.path.map((id) => `${id}/`).join("");
    const named = Object.fromEntries(Object.entries(places).map(([id, point]) => [prefix + id, point]));
    this.view.dispatch({ effects: moveNodes.of(named), annotations: isolateHistory.of("full") });
  }

  /** The place that somebody gave a node of the level that is open. */
  placeOf(id: string): Point | undefined {
    return this.#snapshot.positions[this.level.path.map((one) => `${one}/`).join("") + id];
  }

  effectOfPlace(id: string, point: Point | null): StateEffect<unknown> {
    return moveNodes.of({ [this.level.path.map((one) => `${one}/`).join("") + id]: point });
  }

  /** Forget all places, so that the layout decides again. */
  arrange(): void {
    const prefix = this.level.path.map((id) => `${id}/`).join("");
    const gone = Object.keys(this.#snapshot.positions).filter((id) => id.startsWith(prefix));
    if (gone.length) this.view.dispatch({ effects: moveNodes.of(Object.fromEntries(gone.map((id) => [id, null]))), annotations: isolateHistory.of("full") });
    this.#readings.clear();
    void this.#read().then(() => this.say("The nodes are arranged."));
  }

  undo(): void {
    if (undo(this.view)) this.say("Undone.");
  }

  redo(): void {
    if (redo(this.view)) this.say("Done again.");
  }

  node(id: string): GraphNode | undefined {
    return this.#snapshot.graph?.nodes.find((node) => node.id === id);
  }

  select(ids: readonly string[], show = true): void {
    if (ids.length === this.#snapshot.selection.length && ids.every((id, place) => id === this.#snapshot.selection[place])) return;
    this.#set({ selection: ids });
    const node = ids.length === 1 ? this.node(ids[0] as string) : undefined;
    const lines = node && node.first_line > 0 && !this.#foreign() ? ([node.first_line, node.last_line] as const) : null;
    const effects: StateEffect<unknown>[] = [markLines.of(lines)];
    const { doc } = this.view.state;
    if (lines && show && this.#snapshot.current) effects.push(EditorView.scrollIntoView(doc.line(Math.min(lines[0], doc.lines)).from, { y: "start", yMargin: 40 }));
    this.view.dispatch({ effects });
  }

  /** The cursor stands in a node's lines: select that node, so that both sides show the same. */
  #followCursor(): void {
    if (!this.#snapshot.current || this.#foreign()) return;
    const line = this.view.state.doc.lineAt(this.view.state.selection.main.head).number;
    const node = this.#snapshot.graph?.nodes.find((one) => one.first_line > 0 && one.first_line <= line && line <= one.last_line);
    queueMicrotask(() => this.select(node ? [node.id] : [], false));
  }

  goToLine(line: number, file = ""): void {
    if (file && file !== this.file && file in this.#files) this.openFile(file, file);
    const { doc } = this.view.state;
    const at = doc.line(Math.min(Math.max(line, 1), doc.lines)).from;
    this.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    this.view.focus();
  }

  /** Open the workflow inside a step: in this document, in another file of the bundle, or of the catalogue to look at. */
  openInside(node: GraphNode): void {
    const file = node.run.split("#")[0] as string;
    const label = node.label || node.id;
    const way = this.level.way && [...this.level.way, node.id];
    if (node.run.startsWith("#")) this.openFile(this.file + node.run, label, way);
    else if (file && file in this.#files) this.openFile(node.run, label, way);
    else if (node.sub) this.#enter({ label, main: this.level.main, path: [...this.level.path, node.id], way });
  }

  openFile(main: string, label: string, way: Level["way"] = null): void {
    this.#switch(main);
    this.#enter({ label, main, path: [], way });
  }

  #enter(level: Level): void {
    this.#set({ trail: [...this.#snapshot.trail, level], selection: [] });
    this.#levelChanged();
    this.say(`Inside ${level.label}.`);
  }

  /** Go back up to a level of the trail. */
  leaveTo(depth: number): void {
    const trail = this.#snapshot.trail.slice(0, depth + 1);
    const target = trail[trail.length - 1] as Level;
    this.#switch(target.main);
    this.#set({ trail, selection: [] });
    this.#levelChanged();
    this.say(`Back in ${target.label}.`);
  }

  #switch(main: string): void {
    const next = main.split("#")[0] as string;
    if (next === this.file) return;
    this.#others.set(this.file, this.view.state);
    const state = this.#others.get(next) ?? this.#stateOf(main);
    this.#others.delete(next);
    this.view.setState(state);
    this.#set({ positions: positionsOf(state), undoable: undoDepth(state) > 0, redoable: redoDepth(state) > 0 });
  }

  #levelChanged(): void {
    const known = this.#readings.get(this.#nameOf(this.text));
    if (known) this.#show(known);
    else void this.#read();
  }

  /** A new file of the bundle, such as a step made from a script. */
  addFile(path: string, text: string): void {
    this.#files[path] = text;
    this.#set({ files: Object.keys(this.#files), dirty: true });
    this.keepNow();
  }

  removeFile(path: string): void {
    delete this.#files[path];
    this.#others.delete(path);
    this.#set({ files: Object.keys(this.#files), dirty: !same(this.files(), this.#saved) });
    this.keepNow();
    void this.#read();
  }

  /** Whether no step of the open document runs this file. */
  unused(path: string): boolean {
    const runs = (graph: Graph | null): boolean => graph?.nodes.some((node) => node.run.split("#")[0] === path || runs(node.sub)) ?? false;
    return this.level.path.length === 0 && this.file === this.settings.main.split("#")[0] && Boolean(this.#snapshot.graph) && !runs(this.#snapshot.graph);
  }

  taken(path: string): boolean {
    return path in this.#files;
  }

  /** Save the draft; a conflict is told and loses nothing on either side. */
  async save(over = false): Promise<boolean> {
    await this.#queue;
    const files = this.files();
    this.#set({ working: true, message: null });
    try {
      const { base, message } = await this.platform.save(files, this.settings.main, over && this.#snapshot.conflict ? this.#snapshot.conflict.base : this.#base, over);
      this.#base = base;
      this.#saved = this.#began = files;
      this.#files = { ...files };
      this.#windows.postMessage({ files, base });
      this.#set({ conflict: null, working: false, dirty: !same(this.files(), files) });
      this.tell("ok", message || "Saved.", "");
      this.keepNow();
      return true;
    } catch (error) {
      this.keepNow();
      const conflict = error instanceof Refused && error.status === 409 ? (error.answer as { conflict?: Conflict } | null)?.conflict : undefined;
      if (conflict) this.#set({ conflict, working: false });
      else this.refuse(error);
      return false;
    }
  }

  /** Work on with other files, such as those of somebody else or those that the browser kept. */
  replaceFiles(files: Files, base: string): void {
    const { main } = this.level;
    for (const [file, state] of this.#others) {
      const fresh = files[file];
      if (fresh !== undefined) this.#others.set(file, state.update({ changes: edits(state, fresh), annotations: isolateHistory.of("full") }).state); // its undo leads back
      else this.#others.delete(file);
    }
    const wanted = files[this.file] ?? "";
    this.#files = { ...files };
    this.#base = base;
    const places = readPositions(files[layoutFile(this.file)]);
    const gone = Object.fromEntries(Object.keys(this.#snapshot.positions).map((id) => [id, null]));
    this.#set({ found: null, conflict: null, files: Object.keys(files) });
    this.#splice(wanted, [moveNodes.of({ ...gone, ...places })]);
    this.#readings.delete(`${main}\n${wanted}`);
    this.#set({ dirty: !same(this.files(), this.#saved) });
    void this.#read();
  }

  /** Somebody else's files are what is saved now; mine can be kept as they are, to be saved over them or not. */
  takeTheirs(): void {
    const { conflict } = this.#snapshot;
    if (!conflict) return;
    const own = Object.entries(this.files()).filter(([name]) => !(name in this.#began) && !(name in conflict.files)); // made here, and nowhere else
    this.#saved = this.#began = { ...conflict.files };
    this.replaceFiles({ ...conflict.files, ...Object.fromEntries(own) }, conflict.base);
    this.tell("ok", `This is now what ${conflict.by} saved.`, "Undo brings your own text back.");
  }

  /** Go on with both sides brought together; saving them is the next step. */
  joinTheirs(files: Files): void {
    const { conflict } = this.#snapshot;
    if (!conflict) return;
    this.#saved = this.#began = { ...conflict.files };
    this.replaceFiles(files, conflict.base);
    this.keepNow();
    this.tell("warn", "Both are brought together, and not saved yet.", "Look at the text, then save. Undo brings your own text back.");
  }

  keepMine(): void {
    this.#set({ conflict: null });
  }

  restoreFound(): void {
    const { found } = this.#snapshot;
    if (!found) return;
    this.#began = found.began ?? {};
    this.replaceFiles(found.files, found.base);
    this.keepNow();
    forget(this.settings.key, found.window);
    this.say("Your unsaved changes are back.");
  }

  discardFound(): void {
    const { found } = this.#snapshot;
    if (found) forget(this.settings.key, found.window);
    void this.#find();
  }

  tell(tone: Message["tone"], text: string, advice: string): void {
    const message = { tone, text, advice };
    this.#set({ message });
    if (tone === "ok") setTimeout(() => this.#snapshot.message === message && this.dismiss(), OK_SHOWN);
  }

  dismiss(): void {
    this.#set({ message: null });
  }

  say(spoken: string): void {
    this.#set({ spoken: spoken === this.#snapshot.spoken ? `${spoken}\u00a0` : spoken });
  }

  refuse(error: unknown): void {
    const refused = error instanceof Refused ? error : null;
    this.#set({ working: false, message: { tone: "bad", text: refused?.message ?? "That did not work.", advice: refused?.advice ?? String(error) } });
  }
}

/** The changes that make a state's text another one. */
function edits(state: EditorState, fresh: string): { from: number; to: number; insert: Text }[] {
  const plain = (text: string): string => (state.lineBreak === "\r\n" ? text.replaceAll("\r\n", "\n") : text);
  return changes(plain(state.sliceDoc()), plain(fresh)).map(({ from, to, insert }) => ({ from, to, insert: state.toText(insert.replaceAll("\n", state.lineBreak)) }));
}

function inside(graph: Graph, path: readonly string[]): Graph {
  let found = graph;
  for (const id of path) {
    const sub = found.nodes.find((node) => node.id === id)?.sub;
    if (!sub) break;
    found = sub;
  }
  return found;
}
