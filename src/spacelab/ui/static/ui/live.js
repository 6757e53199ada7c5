// Live parts of a page. Everything works without this module; with it, pages follow what happens.

const LONGEST_WAIT = 15000; // milliseconds between two attempts to reconnect
const SENT_FOR = 20000; // milliseconds after which a form can be sent again whose answer has not come

/** Replace the element `id` by server-rendered `html`; focus, open details and scrolled logs stay as they were. */
function replace(id, html) {
  const old = document.getElementById(id);
  if (!old) return;
  const box = document.createElement("template");
  box.innerHTML = html;
  let fresh = box.content.firstElementChild;
  if (old.ownerSVGElement) fresh = fresh?.firstElementChild; // a piece of a drawing comes in an <svg>
  if (!fresh || fresh.isEqualNode(old)) return;
  if (!fresh.id) fresh.id = id;
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  const open = new Set([...old.querySelectorAll("details[open][id]")].map((one) => one.id));
  const scrolled = [old, ...old.querySelectorAll(".log[id], .graph[id]")].map((one) => ({
    id: one.id, top: one.scrollTop, left: one.scrollLeft, end: one.scrollHeight - one.clientHeight - one.scrollTop < 8,
  }));
  const path = focus && pathTo(focus, old);
  old.replaceWith(fresh);
  for (const one of fresh.querySelectorAll("details[id]")) one.open ||= open.has(one.id);
  for (const { id: key, top, left, end } of scrolled) {
    const log = key && document.getElementById(key);
    if (!log) continue;
    log.scrollTop = end && log.matches(".log") ? log.scrollHeight : top;
    log.scrollLeft = left;
  }
  if (focus) ((focus.id && document.getElementById(focus.id)) || follow(path, fresh))?.focus({ preventScroll: true });
  window.htmx?.process(fresh);
  prepare(fresh);
}

/** The places of `node` among its siblings, from `root` down; follow() walks them again in a fresh copy. */
function pathTo(node, root) {
  const path = [];
  for (let at = node; at !== root; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
  return path;
}

function follow(path, root) {
  return path.reduce((at, place) => at?.children[place], root);
}

/** Follow the events that `section` names in data-live: "fragment" replaces, "end" closes, a lost line is tried again. */
function listen(section) {
  if (section.listening) return;
  section.listening = true;
  const key = section.id;
  const { live } = section.dataset;
  const current = () => (key && document.getElementById(key)) || section;
  let wait = 500;
  const connect = () => {
    if (!current().isConnected) return;
    const source = new EventSource(live);
    source.addEventListener("open", () => {
      wait = 500;
      delete current().dataset.state;
    });
    source.addEventListener("fragment", (event) => {
      const { id, html } = JSON.parse(event.data);
      replace(id, html);
      if (id === key) current().listening = true;
    });
    source.addEventListener("go", (event) => {
      source.close();
      location.assign(new URL(JSON.parse(event.data).url, location.origin));
    });
    source.addEventListener("end", () => {
      source.close();
      delete current().dataset.state;
    });
    source.addEventListener("error", () => {
      source.close();
      current().dataset.state = "lost";
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    });
    window.addEventListener("pagehide", () => source.close(), { once: true });
  };
  connect();
}

/** Write into each <time data-countdown datetime="…"> how long it is until then. */
function countDown() {
  for (const time of document.querySelectorAll("time[data-countdown]")) {
    const seconds = Math.max(0, Math.round((new Date(time.dateTime) - Date.now()) / 1000));
    const hours = Math.floor(seconds / 3600);
    const minutes = String(Math.floor((seconds % 3600) / 60)).padStart(2, "0");
    const text = `${hours}:${minutes}:${String(seconds % 60).padStart(2, "0")}`;
    if (time.textContent !== text) time.textContent = text;
  }
}

/** Copy the text that the button's data-copy names by id, and say so on the button for a moment. */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = source?.value ?? source?.textContent ?? "";
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text.trim());
    button.textContent = "Copied";
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = label; }, 1600);
}

/** Ask before a form or button with data-confirm does its work; resolves to whether to go on. */
function confirmed(question, verb) {
  const dialog = document.createElement("dialog");
  dialog.innerHTML = '<h2 id="confirm-title"></h2><form method="dialog" class="cluster"><button class="button" value="no">Go back</button><button class="button danger" value="yes"></button></form>';
  dialog.setAttribute("aria-labelledby", "confirm-title");
  dialog.querySelector("h2").textContent = question;
  dialog.querySelector("[value=yes]").textContent = verb;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

/** Return the form and its button as they stand on the page now. */
function present(form, button) {
  if (form.isConnected) return [form, button];
  const fresh = [...document.forms].find((one) => one.action === form.action) ?? document.body.appendChild(form);
  const like = [...fresh.elements].find((one) => one.type === "submit" && one.value === button?.value);
  return [fresh, fresh === form ? button : like];
}

function prepare(root) {
  for (const section of root.querySelectorAll("[data-live]")) listen(section);
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
  countDown();
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter;
  const question = button?.dataset.confirm ?? form.dataset.confirm;
  if (!question || form.sure) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!(await confirmed(question, button?.textContent.trim() || "Go on"))) return;
  const [asked, pressed] = present(form, button); // an event may have replaced the form meanwhile
  asked.sure = true;
  asked.requestSubmit(pressed);
  asked.sure = false;
}, { capture: true });

/** Send a form once, however often its button is pressed, and show on the button that it is on its way. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.sent) {
    event.preventDefault();
    return;
  }
  form.sent = true;
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(() => sendable(form), SENT_FOR);
});

function sendable(form) {
  form.sent = false;
  for (const button of form.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
}

// The page that the Back button brings is the old one, with its forms as they were left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) sendable(form);
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("button[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  const button = event.target.closest("button[data-copy]");
  if (button) copy(button);
  for (const drop of document.querySelectorAll("details.drop[open]")) if (!drop.contains(event.target)) drop.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const drop = document.querySelector("details.drop[open]");
  if (!drop) return;
  drop.open = false;
  drop.querySelector("summary").focus();
});

document.addEventListener("htmx:afterSettle", (event) => prepare(event.target.parentElement ?? document));
document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
});
document.addEventListener("focusin", (event) => {
  if (event.target.matches("input[data-caret=end]")) event.target.setSelectionRange(-1, -1);
});
prepare(document);
setInterval(countDown, 1000);
