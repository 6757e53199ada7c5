// What can be put on the canvas: ends of the pipeline, steps of the catalogue, steps of this pipeline's own files.
import { type DragEvent, memo, type ReactElement, useEffect, useId, useState } from "react";
import type { Actions, Addable } from "../actions";
import type { Session } from "../document/session";
import { DRAGGED } from "../canvas/Canvas";
import { Icon } from "../Icon";
import type { CatalogueEntry } from "../wire";

const PAUSE = 200; // milliseconds without a key after which the catalogue is asked

function drag(event: DragEvent, what: Addable): void {
  event.dataTransfer.setData(DRAGGED, JSON.stringify(what));
  event.dataTransfer.effectAllowed = "copy";
}

function Item({ what, title, hint, symbol, actions, disabled }: { what: Addable; title: string; hint: string; symbol: string; actions: Actions; disabled: boolean }): ReactElement {
  return (
    <li>
      <button type="button" className="palette-item" disabled={disabled} draggable={!disabled} onDragStart={(event) => drag(event, what)} onClick={() => void actions.add(what, null)} title={hint}>
        <Icon name={symbol} />
        <span><strong>{title}</strong>{hint && <small>{hint}</small>}</span>
      </button>
    </li>
  );
}

interface Props {
  session: Session;
  files: readonly string[];
  file: string;
  writable: boolean;
  actions: Actions;
}

export const Palette = memo(function Palette({ session, files, file: open, writable, actions }: Props): ReactElement {
  const id = useId();
  const [query, setQuery] = useState("");
  const [entries, setEntries] = useState<readonly CatalogueEntry[] | null>(null);
  const disabled = !writable;
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      session.platform.steps(query, stop.signal).then((found) => setEntries(found.filter((entry) => entry.slug !== session.settings.slug)), (error: unknown) => {
        if (!stop.signal.aborted) session.refuse(error);
      });
    }, query ? PAUSE : 0);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [query, session]);
  const word = query.trim().toLowerCase();
  const own = files.filter((file) => /\.cwl$/i.test(file) && file !== open && (!word || file.toLowerCase().includes(word)));
  return (
    <section className="palette" aria-label="Add to the canvas">
      <div className="field">
        <label htmlFor={id}>Find a step</label>
        <input id={id} type="search" value={query} onChange={(event) => setQuery(event.target.value)} autoComplete="off" />
      </div>
      <div className="palette-lists">
        {!word && (
          <ul role="list" aria-label="Ends of the pipeline">
            <Item what={{ kind: "input", ref: "", name: "input" }} title="Pipeline input" hint="asked for at launch" symbol="download" actions={actions} disabled={disabled} />
            <Item what={{ kind: "output", ref: "", name: "output" }} title="Pipeline output" hint="kept at the end" symbol="up" actions={actions} disabled={disabled} />
          </ul>
        )}
        <h2>Catalogue</h2>
        {entries === null && <p className="soft">Looking…</p>}
        {entries?.length === 0 && <p className="soft">{word ? "No step is called that." : "The catalogue has no steps yet."}</p>}
        <ul role="list" aria-label="Steps of the catalogue">
          {entries?.map((entry) => <Item key={entry.ref} what={{ kind: "step", ref: entry.ref, name: entry.slug }} title={entry.title} hint={[entry.version, entry.abstract].filter(Boolean).join(" · ")} symbol={entry.kind === "pipeline" ? "catalogue" : "launch"} actions={actions} disabled={disabled} />)}
        </ul>
        {own.length > 0 && (
          <>
            <h2>This pipeline’s files</h2>
            <ul role="list" aria-label="Steps of this pipeline’s files">
              {own.map((file) => <Item key={file} what={{ kind: "step", ref: file, name: (file.split("/").pop() ?? file).replace(/\.cwl$/i, "") }} title={file} hint="" symbol="file" actions={actions} disabled={disabled} />)}
            </ul>
          </>
        )}
      </div>
      <div className="palette-make">
        <h2>New step from</h2>
        <div className="cluster">
          <button type="button" className="button small" disabled={disabled} onClick={() => actions.around.open({ kind: "make", from: "command" })}>a command</button>
          <button type="button" className="button small" disabled={disabled} onClick={() => actions.around.open({ kind: "make", from: "script" })}>a script</button>
          <button type="button" className="button small" disabled={disabled} onClick={() => actions.around.open({ kind: "make", from: "notebook" })}>a notebook</button>
        </div>
      </div>
    </section>
  );
});
