// The smaller dialogs: what would make two ports fit, a new end of the pipeline, finding a node, the keys.
import { type FormEvent, type ReactElement, useState } from "react";
import type { Actions } from "../actions";
import { KINDS, titleOf } from "../canvas/words";
import type { Point } from "../document/positions";
import type { Session } from "../document/session";
import { TYPES } from "../panels/fields";
import type { Fit, Link } from "../wire";
import { Modal } from "./Modal";
import { Picker } from "./Picker";

interface Common {
  session: Session;
  actions: Actions;
  onClose: () => void;
}

export function FitDialog({ actions, link, fit, why, onClose }: Common & { link: Link; fit: Fit; why: string }): ReactElement {
  const go = (how: "fits" | "scatter" | "convert"): void => {
    onClose();
    actions.connect(link.source_node, link.source_port, link.target_node, link.target_port, { fit: how });
  };
  return (
    <Modal title={fit === "scatter" ? "Run it once for each?" : "Convert it?"} onClose={onClose}>
      <p>{why}</p>
      <p className="soft">
        <code>{link.source_node === link.source_port ? link.source_node : `${link.source_node}/${link.source_port}`}</code> → <code>{`${link.target_node}/${link.target_port}`}</code>
      </p>
      <div className="cluster">
        {fit === "scatter" && <button type="button" className="button primary" data-focus onClick={() => go("scatter")}>Scatter {link.target_node}</button>}
        {fit === "convert" && <button type="button" className="button primary" data-focus onClick={() => go("convert")}>Connect with a converter</button>}
        <button type="button" className="button" onClick={() => go("fits")}>Connect as it is</button>
        <button type="button" className="button quiet" onClick={onClose}>Cancel</button>
      </div>
    </Modal>
  );
}

export function ReplaceDialog({ actions, link, fit, onClose }: Common & { link: Link; fit: "fits" | "scatter" | "convert" }): ReactElement {
  const go = (add: boolean): void => {
    onClose();
    actions.connect(link.source_node, link.source_port, link.target_node, link.target_port, { fit, add });
  };
  return (
    <Modal title="It has a source already" onClose={onClose}>
      <p>
        <code>{`${link.target_node}/${link.target_port}`}</code> takes a list, so it may have several sources.
      </p>
      <div className="cluster">
        <button type="button" className="button primary" data-focus onClick={() => go(true)}>Add this one</button>
        <button type="button" className="button" onClick={() => go(false)}>Replace what is there</button>
        <button type="button" className="button quiet" onClick={onClose}>Cancel</button>
      </div>
    </Modal>
  );
}

export function PortDialog({ session, actions, what, point, onClose }: Common & { what: "input" | "output"; point: Point | null }): ReactElement {
  const sources = (session.snapshot().graph?.nodes ?? []).flatMap((node) => (node.kind === "output" ? [] : node.ports_out.map((port) => ({ key: `${node.id}\n${port.id}`, words: `${titleOf(node)}${node.kind === "step" ? ` · ${port.id}` : ""} (${port.type})`, type: port.type, node: node.id, port: port.id }))));
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const source = sources.find((one) => one.key === data.get("source"));
    onClose();
    void actions.addPort(what, String(data.get("name")), String(data.get("type") || ""), source ? { node: source.node, port: source.port, side: "out", type: source.type, kind: "step" } : null, point);
  };
  return (
    <Modal title={`New pipeline ${what}`} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <div className="field">
          <label htmlFor="new-port-name">Name</label>
          <input id="new-port-name" name="name" required data-focus autoComplete="off" pattern="[A-Za-z_][A-Za-z0-9_\-]*" title="Letters, digits, _ and -, beginning with a letter" />
        </div>
        {what === "output" && (
          <div className="field">
            <label htmlFor="new-port-source">Comes from</label>
            <select id="new-port-source" name="source" defaultValue={sources[sources.length - 1]?.key ?? ""}>
              <option value="">nothing yet</option>
              {sources.map((source) => <option key={source.key} value={source.key}>{source.words}</option>)}
            </select>
          </div>
        )}
        <div className="field">
          <label htmlFor="new-port-type">Type</label>
          <input id="new-port-type" name="type" list="new-port-types" defaultValue={what === "input" ? "File" : ""} required={what === "input"} autoComplete="off" />
          <datalist id="new-port-types">{TYPES.map((type) => <option key={type} value={type} />)}</datalist>
          {what === "output" && <p className="hint">Empty: as its source.</p>}
        </div>
        <div className="cluster">
          <button className="button primary">Add</button>
          <button type="button" className="button quiet" onClick={onClose}>Cancel</button>
        </div>
      </form>
    </Modal>
  );
}

export function FindDialog({ session, actions, onClose }: Common): ReactElement {
  const nodes = session.snapshot().graph?.nodes ?? [];
  return (
    <Modal title="Find a node" onClose={onClose}>
      <Picker
        label="Name, label or what it runs"
        options={nodes.map((node) => ({ key: node.id, title: titleOf(node), hint: `${KINDS[node.kind]} ${node.id === titleOf(node) ? "" : node.id} ${node.run}`.trim(), tone: "" }))}
        empty="No node is called that."
        onPick={(id) => {
          onClose();
          session.select([id]);
          actions.focus(id);
        }}
      />
    </Modal>
  );
}

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ["← → ↑ ↓", "to the next node in that direction"],
  ["Page Down, Page Up", "to the next or previous node"],
  ["Shift + arrow", "move the node (with Ctrl ten times as far)"],
  ["Enter", "inspect the node; Escape comes back"],
  ["C", "connect the node"],
  ["A", "add a step: search the catalogue"],
  ["I, O", "add a pipeline input or output"],
  ["E", "open the workflow inside the node; Escape goes up again"],
  ["Space", "select one more, or one less"],
  ["Delete", "remove what is selected"],
  ["Ctrl C, X, V", "copy, cut, paste steps"],
  ["Ctrl Z, Ctrl Shift Z", "undo, redo"],
  ["Ctrl S", "save the draft"],
  ["/ or Ctrl F", "find a node"],
  ["+ − F", "zoom in, zoom out, show everything"],
  ["L", "arrange the nodes"],
  ["T", "test run"],
];

export function HelpDialog({ onClose }: { onClose: () => void }): ReactElement {
  return (
    <Modal title="Keys on the canvas" onClose={onClose}>
      <dl className="facts">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt><kbd>{keys}</kbd></dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div className="cluster"><button type="button" className="button" data-focus onClick={onClose}>Close</button></div>
    </Modal>
  );
}

const MAKES = {
  command: { title: "New step from a command", label: "Command line", hint: "Inputs stand in braces, with a type or without: sort -k {int:key} {File:table} > {sorted.txt}", rows: 3 },
  script: { title: "New step from a script", label: "Python script", hint: "Its argparse arguments become inputs.", rows: 12 },
  notebook: { title: "New step from a notebook", label: "Notebook (.ipynb)", hint: "The cell tagged “parameters” becomes inputs.", rows: 6 },
} as const;

export function MakeDialog({ session, actions, from, onClose }: Common & { from: keyof typeof MAKES }): ReactElement {
  const words = MAKES[from];
  const [text, setText] = useState("");
  const [name, setName] = useState("");
  const [told, tell] = useState("");
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      let made = await session.platform.make(from, text, name.trim());
      for (let number = 2; session.taken(`steps/${made.name}.cwl`); number++) made = await session.platform.make(from, text, `${made.name.replace(/-\d+$/, "")}-${number}`);
      for (const [beside, content] of Object.entries(made.beside)) session.addFile(`steps/${beside}`, content);
      session.addFile(`steps/${made.name}.cwl`, made.text);
      onClose();
      await actions.add({ kind: "step", ref: `steps/${made.name}.cwl`, name: made.name }, null);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Modal title={words.title} wide onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        {from !== "command" && (
          <div className="field">
            <label htmlFor="make-file">File</label>
            <input
              id="make-file"
              type="file"
              accept={from === "script" ? ".py,text/x-python" : ".ipynb"}
              onChange={(event) => {
                const file = event.target.files?.[0];
                if (!file) return;
                if (!name) setName(file.name.replace(/\.[^.]+$/, ""));
                void file.text().then(setText);
              }}
            />
          </div>
        )}
        <div className="field">
          <label htmlFor="make-text">{words.label}</label>
          <textarea id="make-text" className="code" rows={words.rows} required data-focus={from === "command" || undefined} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} aria-describedby="make-hint" />
          <p className="hint" id="make-hint">{words.hint}</p>
        </div>
        <div className="field">
          <label htmlFor="make-name">Name of the step</label>
          <input id="make-name" value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" />
        </div>
        {told && <p className="error" role="alert">{told}</p>}
        <div className="cluster">
          <button className="button primary">Make the step</button>
          <button type="button" className="button quiet" onClick={onClose}>Cancel</button>
        </div>
      </form>
    </Modal>
  );
}
