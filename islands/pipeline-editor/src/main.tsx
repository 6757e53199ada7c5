// Starts the editor in the page that the platform made for it.
import { ReactFlowProvider } from "@xyflow/react";
import { createRoot } from "react-dom/client";
import "@xyflow/react/dist/base.css";
import { App } from "./App";
import { Session } from "./document/session";
import { Trial } from "./trial/follow";
import "./editor.css";
import { IconsUrl } from "./Icon";
import type { Settings } from "./wire";

const place = document.getElementById("pipeline-editor");
const data = document.getElementById("pipeline-editor-data")?.textContent;

/** Let the browser draw a frame in between. */
const breath = (): Promise<void> => new Promise((go) => setTimeout(go));

async function start(place: HTMLElement, settings: Settings): Promise<void> {
  await breath(); // reading this script was work enough for one frame
  const session = new Session(settings);
  const trial = new Trial(session.platform, settings.key);
  document.documentElement.classList.add("has-editor");
  await breath();
  createRoot(place).render(
    <IconsUrl value={settings.urls.icons}>
      <ReactFlowProvider>
        <App session={session} trial={trial} />
      </ReactFlowProvider>
    </IconsUrl>,
  );
}

if (place && data) void start(place, JSON.parse(data) as Settings);
