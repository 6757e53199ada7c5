// Puts the editor into its place on the page.
import { ReactFlowProvider } from "@xyflow/react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import type { Session } from "./document/session";
import { IconsUrl } from "./Icon";
import { Trial } from "./trial/follow";

export function mount(place: HTMLElement, session: Session): void {
  const trial = new Trial(session.platform, session.settings.key);
  createRoot(place).render(
    <IconsUrl value={session.settings.urls.icons}>
      <ReactFlowProvider>
        <App session={session} trial={trial} />
      </ReactFlowProvider>
    </IconsUrl>,
  );
}
