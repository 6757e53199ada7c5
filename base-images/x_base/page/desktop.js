// Shows a desktop: connects at once, follows the size of the window, comes back by itself, says what the program does.
import RFB from "@novnc/novnc";
import { shareClipboard } from "./clipboard.js";
import { typeByTouch } from "./touch.js";

const NARROW = 640; // CSS pixels; below, the screen keeps its size and is shown smaller
const WAITS = [300, 800, 1500, 3000, 5000]; // ms before each attempt to connect again; the last one repeats

const at = (id) => document.getElementById(id);
const body = document.body;
const screen = at("screen");
let rfb = null;
let events = null;
let state = { name: "Desktop", state: "starting", windows: [], portal: "" };
let connected = false;
let attempts = 0;
let timer = 0;

const clipboard = shareClipboard({ screen, rfb: () => (connected ? rfb : null) });
typeByTouch({ button: at("keyboard"), field: at("keys"), rfb: () => (connected ? rfb : null) });

const address = (name) => {
  const url = new URL(`-/${name}`, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = url.hash = "";
  return url.href;
};

function fit() {
  if (!rfb) return;
  const narrow = window.innerWidth < NARROW;
  rfb.scaleViewport = narrow;
  rfb.resizeSession = !narrow;
}

function connect() {
  clearTimeout(timer);
  connectEvents();
  if (rfb) return;
  const mine = new RFB(screen, address("screen"), { shared: true });
  rfb = mine;
  mine.background = "#1b2333";
  mine.qualityLevel = 8;
  mine.compressionLevel = 2;
  fit();
  mine.addEventListener("connect", () => {
    connected = true;
    attempts = 0;
    const canvas = screen.querySelector("canvas");
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-describedby", "about");
    show();
    if (!at("clipboard").contains(document.activeElement)) mine.focus({ preventScroll: true });
    clipboard.offer();
  });
  mine.addEventListener("clipboard", (event) => clipboard.arrived(event.detail.text));
  mine.addEventListener("disconnect", () => {
    rfb = null;
    connected = false;
    comeBack();
  });
}

function connectEvents() {
  if (events && events.readyState <= WebSocket.OPEN) return;
  events = new WebSocket(address("events"));
  events.onmessage = (message) => {
    state = JSON.parse(message.data);
    show();
  };
  events.onclose = () => comeBack();
}

function comeBack() {
  clearTimeout(timer);
  timer = setTimeout(connect, WAITS[Math.min(attempts, WAITS.length - 1)]);
  attempts += 1;
  show();
}

function order(what) {
  if (events?.readyState === WebSocket.OPEN) events.send(JSON.stringify(what));
}

// The cover over the screen: nothing, a wheel while something comes, or what happened and what to do.
function cover(kind, say = "", more = "", again = "") {
  if (kind) body.dataset.cover = kind;
  else delete body.dataset.cover;
  const set = (id, text) => { if (at(id).textContent !== text) at(id).textContent = text; };
  set("say", say);
  set("more", more);
  set("again", again);
  at("again").hidden = !again;
  at("portal").hidden = !(again && state.portal);
}

function show() {
  const { name } = state;
  document.title = name;
  at("name").textContent = name;
  screen.querySelector("canvas")?.setAttribute("aria-label", `Screen of ${name}`);
  if (state.portal) at("portal").href = new URL("/sessions", state.portal).href;
  showWindows();
  if (!connected) {
    if (attempts < 4) return cover("wait", attempts ? "Connecting again …" : "Connecting …");
    return cover("lost", "The session does not answer", "It may have ended, or the network is down. This page keeps trying.", "Try now");
  }
  if (state.state === "ended") {
    const well = !state.status;
    const more = well
      ? "The session goes on, and your files are where you saved them."
      : `It ended with an error (status ${state.status}); the session’s log has what it said. The session goes on.`;
    cover("ended", well ? `${name} was closed` : `${name} has stopped`, more, "Start it again");
    if (document.activeElement?.tagName === "CANVAS" || document.activeElement === body) at("again").focus();
  } else if (state.state === "starting") cover("wait", `${name} is starting …`);
  else {
    const was = body.dataset.cover;
    cover("");
    if (was && document.activeElement !== at("text")) rfb.focus({ preventScroll: true });
  }
}

function showWindows() {
  const nav = at("windows");
  const windows = state.windows.length > 1 ? state.windows : [];
  while (nav.children.length > windows.length) nav.lastChild.remove();
  windows.forEach((one, index) => {
    const button = nav.children[index] ?? nav.appendChild(Object.assign(document.createElement("button"), { type: "button" }));
    button.textContent = button.title = one.title || "Window";
    button.setAttribute("aria-pressed", String(one.active));
    button.onclick = () => {
      order({ do: "raise", window: one.id });
      rfb?.focus();
    };
  });
}

at("again").onclick = () => {
  if (!connected) {
    attempts = 0;
    connect();
  } else order({ do: "start" });
};

at("full").onclick = async () => {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen();
  rfb?.focus();
};
document.addEventListener("fullscreenchange", () => {
  const full = Boolean(document.fullscreenElement);
  at("full").setAttribute("aria-pressed", String(full));
  at("full").title = full ? "Leave full screen" : "Full screen";
  at("full").setAttribute("aria-label", at("full").title);
  // Escape and the like belong to the program then; where this is not known, holding Escape leaves full screen anyway.
  if (full) navigator.keyboard?.lock?.(["Escape"]).catch(() => {});
  else navigator.keyboard?.unlock?.();
});

window.addEventListener("keydown", (event) => {
  if (event.key === "F6" && event.ctrlKey && event.shiftKey) {
    event.preventDefault();
    event.stopImmediatePropagation();
    for (const [keysym, code] of [[0xffe3, "ControlLeft"], [0xffe1, "ShiftLeft"]]) rfb?.sendKey(keysym, code, false);
    rfb?.blur();
    (at("windows").querySelector("button") ?? at("clip")).focus();
  }
}, { capture: true });
window.addEventListener("resize", fit);
for (const back of ["online", "focus"]) window.addEventListener(back, () => { if (!connected && attempts) connect(); });

connect();
