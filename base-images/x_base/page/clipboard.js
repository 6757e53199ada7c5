// One clipboard for the desktop and the computer in front of it, as far as the browser allows; a panel for the rest.

const at = (id) => document.getElementById(id);
const V = 0x76;
const CONTROL = 0xffe3;
const INSERT = 0xff63;

// `screen` is where the keys go; `rfb` gives the connection, or null.
export function shareClipboard({ screen, rfb }) {
  const panel = at("clipboard");
  const text = at("text");
  const button = at("clip");
  const note = (words) => { at("clip-note").textContent = words; };
  let given = null; // what the desktop has last, so that nothing is sent to and fro

  function give(value) {
    if (!value || value === given || !rfb()) return;
    given = value;
    text.value = value;
    rfb().clipboardPasteFrom(value);
  }

  async function write(value) {
    try {
      await navigator.clipboard.writeText(value);
      return true;
    } catch {
      return false;
    }
  }

  // Where the person has allowed it once, what was copied elsewhere is there before she pastes.
  async function offer() {
    try {
      const allowed = await navigator.permissions.query({ name: "clipboard-read" });
      if (allowed.state === "granted" && document.hasFocus()) give(await navigator.clipboard.readText());
    } catch { /* the browser has no such permission: the keys and the panel remain */ }
  }

  async function arrived(value) {
    given = value;
    text.value = value;
    if (await write(value)) delete button.dataset.news;
    else button.dataset.news = "";
    note("");
  }

  function open(shown) {
    panel.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
    if (shown) {
      delete button.dataset.news;
      note("");
      text.focus();
      text.select();
    } else rfb()?.focus();
  }

  // Control+V (Command+V, Shift+Insert) in the screen: let the browser paste into a field of ours, which needs no
  // permission, hand the text over, and only then press the keys in the desktop.
  const field = document.createElement("textarea");
  field.className = "apart";
  field.tabIndex = -1;
  field.setAttribute("aria-hidden", "true");
  document.body.append(field);
  let pressed = null;
  window.addEventListener("keyup", (event) => {
    if (pressed && event.key === "Control") pressed.released = true; // the canvas doesn't hear of it just now
  }, { capture: true });

  function press() {
    if (!pressed) return;
    const { keysym, code, command, released } = pressed;
    pressed = null;
    field.value = "";
    rfb()?.focus({ preventScroll: true });
    if (command) rfb()?.sendKey(CONTROL, "ControlLeft", true);
    rfb()?.sendKey(keysym, code);
    if (command || released) rfb()?.sendKey(CONTROL, "ControlLeft", false);
  }

  window.addEventListener("keydown", (event) => {
    if (!screen.contains(document.activeElement) || event.altKey || !rfb()) return;
    const insert = event.code === "Insert" && event.shiftKey && !event.ctrlKey;
    const letter = event.key.toLowerCase() === "v" && (event.ctrlKey || event.metaKey);
    if (!insert && !letter) return;
    event.stopImmediatePropagation();
    if (event.repeat) return;
    pressed = insert ? { keysym: INSERT, code: "Insert" } : { keysym: event.key.charCodeAt(0), code: "KeyV", command: event.metaKey };
    // Losing the focus would release Control in the desktop; the canvas gets it back before the key is pressed.
    field.focus({ preventScroll: true });
    setTimeout(press, 250);
  }, { capture: true });
  field.addEventListener("paste", (event) => {
    event.preventDefault();
    give(event.clipboardData.getData("text/plain"));
    setTimeout(press, 30);
  });

  button.onclick = () => open(panel.hidden);
  at("send").onclick = () => {
    given = null;
    give(text.value);
    note("Now paste it in the program.");
  };
  at("take").onclick = async () => {
    if (await write(text.value)) return note("Copied.");
    text.focus();
    text.select();
    note(document.execCommand("copy") ? "Copied." : "Press Control+C.");
  };
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") open(false); });
  window.addEventListener("focus", offer);
  return { offer, arrived };
}
