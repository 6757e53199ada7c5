// Starts the editor in the page that the platform made for it: its parts one after another, a frame in between.
import "@xyflow/react/dist/base.css";
import "./editor.css";
import type { Settings } from "./wire";

const place = document.getElementById("pipeline-editor");
const data = document.getElementById("pipeline-editor-data")?.textContent;

/** Let the browser draw a frame in between: each part is work enough for one. */
const breath = (): Promise<void> => new Promise((go) => setTimeout(go));

async function start(place: HTMLElement, settings: Settings): Promise<void> {
  const { Session } = await import("./document/session");
  await breath();
  await import("@xyflow/react");
  await breath();
  const { mount } = await import("./mount");
  await breath();
  const session = new Session(settings);
  document.documentElement.classList.add("has-editor");
  await breath();
  mount(place, session);
}

if (place && data) void start(place, JSON.parse(data) as Settings);
