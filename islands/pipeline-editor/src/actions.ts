// What a person can do, by mouse and by key alike: each becomes one change of the text.
import type { KeyboardEvent } from "react";
import { focusNode } from "./canvas/focus";
import type { Held } from "./canvas/connecting";
import { type CanvasNode, neighbour } from "./canvas/shape";
import { findPort, fitOf, plural, titleOf } from "./canvas/words";
import type { Point } from "./document/positions";
import type { Session } from "./document/session";
import type { Edit, Fit, GraphNode, Link } from "./wire";

/** Something that can be put on the canvas. */
export interface Addable {
  kind: "step" | "input" | "output";
  ref: string;
  name: string;
}

export type Dialog =
  | { kind: "connect"; node: string; port: string; side: "in" | "out" }
  | { kind: "fit"; link: Link; fit: Fit; why: string }
  | { kind: "replace"; link: Link; fit: "fits" | "scatter" | "convert" }
  | { kind: "port"; what: "input" | "output"; point: Point | null }
  | { kind: "make"; from: "command" | "script" | "notebook" }
  | { kind: "trial"; step: string }
  | { kind: "find" }
  | { kind: "help" };

/** What the actions need of the page around them. */
export interface Surroundings {
  open(dialog: Dialog | null): void;
  canvas(): HTMLElement | null;
  middle(): Point;
  zoom(how: "in" | "out" | "fit"): void;
  reveal(id: string): void;
  /** The links that are selected. */
  links(): readonly Link[];
}

const STEP = 10; // pixels that an arrow key moves a node
const ARROWS: Record<string, Point> = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

export class Actions {
  readonly session: Session;
  readonly around: Surroundings;
  #wanted: string | null = null;
  #clipboard = "";

  constructor(session: Session, around: Surroundings) {
    this.session = session;
    this.around = around;
  }

  get #graph() {
    return this.session.snapshot().graph;
  }

  /** A name for a new node that no other has. */
  freeId(wish: string): string {
    const base = wish.trim().replace(/\.[a-z]+$/i, "").replace(/[^A-Za-z0-9_-]+/g, "_").replace(/^[^A-Za-z_]+/, "") || "step";
    const taken = new Set(this.#graph?.nodes.map((node) => node.id));
    for (let number = 1; ; number++) {
      const id = number > 1 ? `${base}_${number}` : base;
      if (!taken.has(id)) return id;
    }
  }

  async add(what: Addable, point: Point | null): Promise<boolean> {
    if (what.kind !== "step") {
      this.around.open({ kind: "port", what: what.kind, point });
      return false;
    }
    const id = this.freeId(what.name);
    return this.#added({ edit: "AddStep", id, run: what.ref }, id, point, `Step ${id} added.`);
  }

  /** Add an input or output of the pipeline, connected to a port of a step where one is given. */
  async addPort(what: "input" | "output", name: string, type: string, held: Held | null, point: Point | null): Promise<boolean> {
    const id = this.freeId(name);
    const spoken = `Pipeline ${what} ${id} added.`;
    if (what === "output") return this.#added({ edit: "AddOutput", id, ...(type ? { type } : {}), ...(held ? { source_node: held.node, source_port: held.port } : {}) }, id, point, spoken);
    const made: Edit = { edit: "AddInput", id, type: held ? { like: [held.node, held.port] } : type };
    if (!held) return this.#added(made, id, point, spoken);
    return this.#added({ edit: "Several", edits: [made, { edit: "Connect", source_node: id, source_port: id, target_node: held.node, target_port: held.port, add: false, fit: "fits" }] }, id, point, spoken);
  }

  async #added(edit: Edit, id: string, point: Point | null, spoken: string): Promise<boolean> {
    const [x, y] = point ?? this.#free(this.around.middle());
    const made = await this.session.edit(edit, { effects: [this.session.effectOfPlace(id, [x, y])], spoken, select: [id] });
    if (made) this.focus(id);
    return made;
  }

  /** A place near `point` where no other node begins. */
  #free([x, y]: Point): Point {
    const taken = (this.#graph?.nodes ?? []).map((node) => this.placed(node.id));
    let at: Point = [x, y];
    while (taken.some((one) => one && Math.abs(one[0] - at[0]) < 24 && Math.abs(one[1] - at[1]) < 24)) at = [at[0] + 28, at[1] + 28];
    return at;
  }

  placed(id: string): Point | undefined {
    const { reading } = this.session.snapshot();
    const prefix = this.session.level.path.map((one) => `${one}/`).join("");
    const box = reading?.layout?.boxes[prefix + id];
    return this.session.placeOf(id) ?? (box ? [box[0], box[1]] : undefined);
  }

  /** A port was dropped on nothing: it becomes an input or output of the pipeline. */
  portToNothing(held: Held, point: Point): void {
    void this.addPort(held.side === "in" ? "input" : "output", held.port, "", held, [Math.round(point[0]), Math.round(point[1])]);
  }

  /** Connect two ports; ask first where only a scatter or a converter fits, or where a list has a source already. */
  connect(source: string, sourcePort: string, target: string, targetPort: string, how: { fit?: "fits" | "scatter" | "convert"; add?: boolean } = {}): void {
    const graph = this.#graph;
    const out = graph && findPort(graph, source, sourcePort, "out");
    const into = graph && findPort(graph, target, targetPort, "in");
    if (!graph || !out || !into) return;
    const ends = { source_node: source, source_port: sourcePort, target_node: target, target_port: targetPort };
    const before = graph.links.filter((link) => link.target_node === target && link.target_port === targetPort);
    if (before.some((link) => link.source_node === source && link.source_port === sourcePort)) {
      this.session.say("These are connected already.");
      return;
    }
    const [fit, why] = fitOf(this.session.snapshot().reading, out.type, into.type, this.session.node(target)?.kind);
    const link: Link = { id: `new ${source}/${sourcePort} ${target}/${targetPort}`, ...ends, fit, why };
    if (!how.fit && (fit === "convert" || (fit === "scatter" && !into.scattered))) {
      this.around.open({ kind: "fit", link, fit, why });
      return;
    }
    if (how.add === undefined && before.length && into.type.endsWith("[]")) {
      this.around.open({ kind: "replace", link, fit: how.fit ?? "fits" });
      return;
    }
    const replaced = before.length && !how.add ? ` It replaces ${before.map((one) => one.source_node).join(", ")}.` : "";
    void this.session.edit({ edit: "Connect", ...ends, add: how.add ?? false, fit: how.fit ?? "fits" }, { pending: link, spoken: `${sourcePort} of ${source} now feeds ${targetPort} of ${target}.${replaced}` });
  }

  /** Ask for the inputs of a test run: of the whole draft, or of one step alone by its path from the main document. */
  async test(step = ""): Promise<void> {
    if (this.session.settings.urls.test && (!this.session.snapshot().dirty || (await this.session.save()))) this.around.open({ kind: "trial", step });
  }

  /** Go to a step by its path from the main document, opening the workflows on the way. */
  goToStep(path: string): void {
    const ids = path.split("/");
    this.session.leaveTo(0);
    for (const id of ids.slice(0, -1)) {
      const node = this.session.node(id);
      if (!node?.sub) break;
      this.session.openInside(node);
    }
    const last = ids[ids.length - 1] as string;
    this.session.select([last]);
    this.focus(last);
  }

  disconnect(link: Link): void {
    void this.session.edit(
      { edit: "Disconnect", source_node: link.source_node, source_port: link.source_port, target_node: link.target_node, target_port: link.target_port },
      { spoken: `${link.source_port} no longer feeds ${link.target_port} of ${link.target_node}.` },
    );
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (!ids.length) return;
    const graph = this.#graph;
    const next = graph?.nodes.find((node) => !ids.includes(node.id))?.id;
    const made = await this.session.edit(one(ids.map((node) => ({ edit: "Remove", node }))), { spoken: `${ids.length === 1 ? ids[0] : plural(ids.length, "node")} removed.`, select: [] });
    if (made && next) this.focus(next);
  }

  /** Focus a node as soon as it is drawn. */
  focus(id: string): void {
    this.#wanted = id;
    this.#focusWanted(30);
  }

  #focusWanted(tries: number): void {
    const [id, root, graph] = [this.#wanted, this.around.canvas(), this.#graph];
    if (!id || !root || !graph) return;
    if (focusNode(root, graph, id)) {
      this.#wanted = null;
      this.around.reveal(id);
      return;
    }
    if (tries % 10 === 0) this.around.reveal(id); // what is out of sight is not drawn
    if (tries > 0) requestAnimationFrame(() => this.#focusWanted(tries - 1));
  }

  inspect(): void {
    (document.querySelector<HTMLElement>(".inspector :is(input, textarea, select):not(:disabled)") ?? document.querySelector<HTMLElement>(".inspector button"))?.focus();
  }

  /** Copy the text of the selected steps, for this page and, where the browser allows it, for others. */
  async copy(): Promise<boolean> {
    const nodes = this.session.snapshot().selection.filter((id) => this.session.node(id)?.kind === "step");
    if (!nodes.length) {
      this.session.say("Select a step to copy it.");
      return false;
    }
    try {
      const { text } = await this.session.platform.copy(this.session.files(), this.session.level.main, this.session.level.path, nodes);
      this.#clipboard = text;
      void navigator.clipboard?.writeText(text).catch(() => undefined);
      this.session.say(`${plural(nodes.length, "step")} copied.`);
      return true;
    } catch (error) {
      this.session.refuse(error);
      return false;
    }
  }

  async cut(): Promise<void> {
    const { selection } = this.session.snapshot();
    if (await this.copy()) await this.remove(selection);
  }

  async paste(): Promise<void> {
    if (!this.#clipboard) {
      this.session.say("Nothing is copied.");
      return;
    }
    const before = new Set(this.#graph?.nodes.map((node) => node.id));
    if (!(await this.session.edit({ edit: "Paste", text: this.#clipboard }))) return;
    const fresh = (this.#graph?.nodes ?? []).filter((node) => !before.has(node.id)).map((node) => node.id);
    const places = fresh.map((id, number) => [id, this.#free([this.around.middle()[0] + 28 * number, this.around.middle()[1] + 28 * number])] as const);
    this.session.move(Object.fromEntries(places));
    this.session.select(fresh);
    this.session.say(`${plural(fresh.length, "step")} pasted: ${fresh.join(", ")}.`);
    if (fresh[0]) this.focus(fresh[0]);
  }

  #move(event: KeyboardEvent, ids: readonly string[]): void {
    const [dx, dy] = ARROWS[event.key] as Point;
    const far = event.ctrlKey || event.metaKey ? 10 : 1;
    const places: Record<string, Point> = {};
    for (const id of ids) {
      const at = this.placed(id);
      if (at) places[id] = [at[0] + dx * far, at[1] + dy * far];
    }
    this.session.move(places);
    const first = ids[0] && places[ids[0]];
    if (first) this.session.say(`At ${first[0]}, ${first[1]}.`);
  }

  #goTo(id: string | null, also: boolean): void {
    if (!id) return;
    const { selection } = this.session.snapshot();
    this.session.select(also ? [...new Set([...selection, id])] : [id]);
    this.around.reveal(id);
    this.focus(id);
  }

  /** A key on the canvas. */
  key(event: KeyboardEvent<HTMLElement>, nodes: readonly CanvasNode[]): void {
    const target = event.target as HTMLElement;
    if (target.closest("button, input, select, textarea")) return;
    const id = target.dataset["nodeId"] ?? this.session.snapshot().selection[0] ?? nodes[0]?.id ?? "";
    if (this.#command(event) || this.#travel(event, nodes, id) || this.#onNode(event, id)) event.preventDefault();
  }

  /** Keys with Control (or Command), which hold on the whole page outside of the text. */
  #command(event: KeyboardEvent): boolean {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key in ARROWS) return false;
    const key = event.key.toLowerCase();
    if (key === "c") void this.copy();
    else if (key === "x") void this.cut();
    else if (key === "v") void this.paste();
    else if (key === "a") this.session.select((this.#graph?.nodes ?? []).map((node) => node.id));
    else if (key === "f") this.around.open({ kind: "find" });
    else return false;
    return true;
  }

  #travel(event: KeyboardEvent, nodes: readonly CanvasNode[], id: string): boolean {
    if (event.key in ARROWS) {
      if (event.shiftKey) {
        const { selection } = this.session.snapshot();
        this.#move(event, selection.includes(id) ? selection : [id]);
      } else this.#goTo(neighbour(nodes, id, event.key), event.altKey);
      return true;
    }
    const order = nodes.map((node) => node.id);
    const at = order.indexOf(id);
    if (event.key === "PageDown") this.#goTo(order[(at + 1) % order.length] ?? null, false);
    else if (event.key === "PageUp") this.#goTo(order[(at - 1 + order.length) % order.length] ?? null, false);
    else if (event.key === "Home") this.#goTo(order[0] ?? null, false);
    else if (event.key === "End") this.#goTo(order[order.length - 1] ?? null, false);
    else return false;
    return true;
  }

  /** Remove the links that are selected, else the nodes. */
  #delete(id: string): void {
    const links = this.around.links();
    const { selection } = this.session.snapshot();
    if (links.length && !selection.length) for (const link of links) this.disconnect(link);
    else void this.remove(selection.length ? selection : [id]);
  }

  #onNode(event: KeyboardEvent, id: string): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const { selection, trail } = this.session.snapshot();
    const node = this.session.node(id);
    const keys: Record<string, () => void> = {
      Enter: () => {
        this.session.select([id]);
        requestAnimationFrame(() => this.inspect());
      },
      " ": () => this.session.select(selection.includes(id) ? selection.filter((one) => one !== id) : [...selection, id]),
      Escape: () => (trail.length > 1 && !selection.length ? this.session.leaveTo(trail.length - 2) : this.session.select([])),
      Delete: () => this.#delete(id),
      Backspace: () => this.#delete(id),
      a: () => document.querySelector<HTMLElement>(".palette input")?.focus(),
      i: () => this.around.open({ kind: "port", what: "input", point: null }),
      o: () => this.around.open({ kind: "port", what: "output", point: null }),
      c: () => node && this.around.open({ kind: "connect", node: id, ...firstPort(node) }),
      e: () => (node?.sub ? this.session.openInside(node) : this.session.say(`${node ? titleOf(node) : "This"} holds no workflow.`)),
      l: () => this.session.arrange(),
      t: () => void this.test(),
      f: () => this.around.zoom("fit"),
      "/": () => this.around.open({ kind: "find" }),
      "?": () => this.around.open({ kind: "help" }),
      "+": () => this.around.zoom("in"),
      "=": () => this.around.zoom("in"),
      "-": () => this.around.zoom("out"),
    };
    const action = keys[event.key];
    action?.();
    return Boolean(action);
  }
}

function firstPort(node: GraphNode): { port: string; side: "in" | "out" } {
  const out = node.ports_out[0];
  return out ? { port: out.id, side: "out" } : { port: node.ports_in[0]?.id ?? "", side: "in" };
}

function one(edits: readonly Edit[]): Edit {
  return edits.length === 1 ? (edits[0] as Edit) : { edit: "Several", edits };
}
