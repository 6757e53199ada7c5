// What the page has to say: the last answer of the platform, and changes that a closed tab left behind.
import type { ReactElement } from "react";
import type { Session, Snapshot } from "../document/session";
import { Icon } from "../Icon";
import { Words } from "../Words";

export function Notices({ session, snapshot }: { session: Session; snapshot: Snapshot }): ReactElement {
  const { message, found } = snapshot;
  return (
    <div className="notices" aria-live="polite">
      {found && (
        <div className="notice" data-tone="warn">
          <p>
            This browser kept changes from {new Date(found.at).toLocaleString()} that were not saved.
            {found.base !== session.settings.base && " The draft was saved since then, so saving them will ask first."}
          </p>
          <div className="cluster">
            <button type="button" className="button small primary" onClick={() => session.restoreFound()}>Bring them back</button>
            <button type="button" className="button small" onClick={() => session.discardFound()}>Throw them away</button>
          </div>
        </div>
      )}
      {message && (
        <div className="notice" data-tone={message.tone}>
          <p><strong><Words text={message.text} /></strong> <Words text={message.advice} /></p>
          <button type="button" className="button small quiet" aria-label="Dismiss" onClick={() => session.dismiss()}><Icon name="cross" /></button>
        </div>
      )}
    </div>
  );
}
