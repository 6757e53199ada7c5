// Starts the editor in the page that the platform made for it.
import { ReactFlowProvider } from "@xyflow/react";
import { createRoot } from "react-dom/client";
import "@xyflow/react/dist/base.css";
import { App } from "./App";
import { Session } from "./document/session";
import "./editor.css";
import { IconsUrl } from "./Icon";
import type { Settings } from "./wire";

const place = document.getElementById("pipeline-editor");
const data = document.getElementById("pipeline-editor-data")?.textContent;

if (place && data) {
  const settings = JSON.parse(data) as Settings;
  const session = new Session(settings);
  document.documentElement.classList.add("has-editor");
  createRoot(place).render(
    <IconsUrl value={settings.urls.icons}>
      <ReactFlowProvider>
        <App session={session} />
      </ReactFlowProvider>
    </IconsUrl>,
  );
}
