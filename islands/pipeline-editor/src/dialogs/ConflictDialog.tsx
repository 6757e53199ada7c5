// Somebody else saved while this person worked: both texts are shown, and brought together where this person says how.
import { type ReactElement, useMemo, useState } from "react";
import { plural } from "../canvas/words";
import { type Clash, type Side, merge } from "../document/merge";
import type { Session } from "../document/session";
import type { Conflict } from "../wire";
import { Modal } from "./Modal";

export function ConflictDialog({ session, conflict }: { session: Session; conflict: Conflict }): ReactElement {
  const found = useMemo(() => merge(session.began, session.files(), conflict.files), [session, conflict]);
  const [sides, choose] = useState<Readonly<Record<number, Side>>>({});
  const open = found.clashes.filter((_, number) => !sides[number]).length;
  const join = (): void => session.joinTheirs(found.files(found.clashes.map((_, number) => sides[number] ?? "both")));
  return (
    <Modal title="Somebody saved meanwhile" wide onClose={() => session.keepMine()}>
      <p>
        {conflict.by || "Somebody"} saved this draft at {conflict.at} while you worked on it. Nothing is lost: your changes are here and kept in this browser.
      </p>
      {found.clashes.length > 0 ? (
        <>
          <p>{plural(found.clashes.length, "place")} changed on both sides; all else is brought together by itself.</p>
          {found.clashes.map((clash, number) => (
            <Choices key={number} clash={clash} side={sides[number]} onChoose={(side) => choose((before) => ({ ...before, [number]: side }))} />
          ))}
        </>
      ) : (
        <p>Your changes and theirs are in different lines, so they can be brought together as they are.</p>
      )}
      <div className="cluster">
        <button type="button" className="button primary" disabled={open > 0} data-focus={found.clashes.length ? undefined : true} onClick={join}>Bring both together</button>
        {open > 0 && <span className="soft">Choose at {plural(open, "place")} first.</span>}
      </div>
      <div className="stack" data-gap="s">
        <button type="button" className="button" data-focus={found.clashes.length ? true : undefined} onClick={() => session.keepMine()}>Go on with mine, without saving</button>
        <button type="button" className="button" onClick={() => session.takeTheirs()}>Go on with theirs; undo brings mine back</button>
        <button type="button" className="button danger" onClick={() => void session.save(true)}>Save mine over theirs</button>
      </div>
    </Modal>
  );
}

function Choices({ clash, side, onChoose }: { clash: Clash; side: Side | undefined; onChoose: (side: Side) => void }): ReactElement {
  const place = `${clash.file}, line ${clash.line}`;
  const option = (one: Side, words: string): ReactElement => (
    <label className="check">
      <input type="radio" name={place} checked={side === one} onChange={() => onChoose(one)} /> {words}
    </label>
  );
  return (
    <fieldset className="clash">
      <legend>{place}</legend>
      <div className="pair">
        <div>
          <p className="eyebrow">Yours</p>
          <pre tabIndex={0} role="region" aria-label={`Your text at ${place}`}>{clash.mine ?? "(you removed this file)"}</pre>
        </div>
        <div>
          <p className="eyebrow">Saved meanwhile</p>
          <pre tabIndex={0} role="region" aria-label={`Their text at ${place}`}>{clash.theirs ?? "(this file was removed)"}</pre>
        </div>
      </div>
      <div className="cluster">
        {option("mine", "Mine")}
        {option("theirs", "Theirs")}
        {clash.mine !== null && clash.theirs !== null && option("both", "Both, theirs first")}
      </div>
    </fieldset>
  );
}
