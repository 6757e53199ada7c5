// The way up, undo and redo, and what is done with the whole document.
import type { ReactElement } from "react";
import { Icon } from "../Icon";
import type { PanelProps } from "./Inspector";

export function Toolbar({ session, snapshot, actions, textOpen, onText }: PanelProps & { textOpen: boolean; onText: () => void }): ReactElement {
  const { trail, dirty, offline, undoable, redoable } = snapshot;
  const { writable, urls, version } = session.settings;
  return (
    <header className="toolbar">
      <nav className="crumbs" aria-label="You are here">
        <ol>
          <li><a href={urls.back}>Pipeline</a></li>
          {trail.map((level, depth) => (
            <li key={depth} aria-current={depth === trail.length - 1 ? "page" : undefined}>
              {depth === trail.length - 1 ? <h1>{level.label}</h1> : <button type="button" className="button small quiet" onClick={() => session.leaveTo(depth)}>{level.label}</button>}
            </li>
          ))}
        </ol>
        <span className="badge" data-tone={!writable ? "quiet" : dirty ? "warn" : "ok"}>{!writable ? "read only" : dirty ? (offline ? "kept in this browser" : "unsaved changes") : `${version} saved`}</span>
      </nav>
      <div className="cluster">
        <button type="button" className="button small" disabled={!undoable} onClick={() => session.undo()} title="Undo (Ctrl Z)">Undo</button>
        <button type="button" className="button small" disabled={!redoable} onClick={() => session.redo()} title="Redo (Ctrl Shift Z)">Redo</button>
        <button type="button" className="button small" disabled={!writable} onClick={() => session.arrange()} title="Place all nodes anew (L)">Arrange</button>
        <button type="button" className="button small" onClick={() => actions.around.open({ kind: "find" })} title="Find a node (/)"><Icon name="search" /> Find</button>
        <button type="button" className="button small" aria-pressed={textOpen} onClick={onText}>Text</button>
        <button type="button" className="button small" onClick={() => actions.around.open({ kind: "help" })}>Keys</button>
        {urls.test && <button type="button" className="button small" onClick={() => void actions.test()} title="Save and test run (T)"><Icon name="launch" /> Test run</button>}
        {writable && <button type="button" className="button small primary" disabled={!dirty} onClick={() => void session.save()} title="Save the draft (Ctrl S)">Save draft</button>}
      </div>
    </header>
  );
}
