// Somebody else saved while this person worked: both versions stay until this person has chosen.
import { type ReactElement, useMemo } from "react";
import { changes } from "../document/diff";
import type { Session } from "../document/session";
import type { Conflict } from "../wire";
import { Modal } from "./Modal";

function differing(mine: string, theirs: string): number {
  return changes(mine, theirs).reduce((sum, change) => sum + Math.max(mine.slice(change.from, change.to).split("\n").length - 1, change.insert.split("\n").length - 1, 1), 0);
}

export function ConflictDialog({ session, conflict }: { session: Session; conflict: Conflict }): ReactElement {
  const files = useMemo(() => {
    const mine = session.files();
    return [...new Set([...Object.keys(mine), ...Object.keys(conflict.files)])]
      .filter((name) => mine[name] !== conflict.files[name])
      .map((name) => [name, differing(mine[name] ?? "", conflict.files[name] ?? "")] as const);
  }, [session, conflict]);
  return (
    <Modal title="Somebody saved meanwhile" onClose={() => session.keepMine()}>
      <p>
        {conflict.by || "Somebody"} saved this draft at {conflict.at} while you worked on it. Nothing is lost: your changes are here and kept in this browser.
      </p>
      <ul>
        {files.map(([name, lines]) => <li key={name}><code>{name}</code> differs in about {lines} {lines === 1 ? "line" : "lines"}</li>)}
      </ul>
      <div className="stack" data-gap="s">
        <button type="button" className="button" data-focus onClick={() => session.keepMine()}>Go on with mine, without saving</button>
        <button type="button" className="button" onClick={() => session.takeTheirs()}>Go on with theirs; undo brings mine back</button>
        <button type="button" className="button danger" onClick={() => void session.save(true)}>Save mine over theirs</button>
      </div>
    </Modal>
  );
}
