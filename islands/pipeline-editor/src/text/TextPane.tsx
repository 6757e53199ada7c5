// Where the text of the open document stands on the page.
import { type ReactElement, useEffect, useRef } from "react";
import type { Session, Snapshot } from "../document/session";

export function TextPane({ session, snapshot }: { session: Session; snapshot: Snapshot }): ReactElement {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    place.current?.append(session.host);
    session.view.requestMeasure();
    return () => session.host.remove();
  }, [session]);
  return (
    <section className="text-pane" aria-label="CWL text">
      <header>
        <code>{session.file}</code>
        <span className="soft">{snapshot.current ? "" : snapshot.working ? "reading…" : "the canvas shows the last text that could be read"}</span>
      </header>
      <div ref={place} className="text-place" />
    </section>
  );
}
