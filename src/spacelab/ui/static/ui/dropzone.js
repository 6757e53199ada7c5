// Dropping files and folders. Without this module the form takes files and zips all the same.

const form = document.getElementById("upload-form");
const zone = document.getElementById("dropzone");
const files = document.getElementById("id_upload");
const folder = document.getElementById("id_folder");
const paths = document.getElementById("id_paths");
const chosen = document.getElementById("chosen");
const JUNK = new Set([".git", ".DS_Store", "__MACOSX", "__pycache__", ".ipynb_checkpoints", "node_modules", ".venv"]);
const SHOWN = 12; // names in the list of what was chosen

function size(bytes) {
  return bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
}

/** Take these [path, file] pairs as what is sent: the files in the input, their paths beside. */
function take(pairs) {
  const kept = pairs.filter(([path]) => !path.split("/").some((part) => JUNK.has(part)));
  const bag = new DataTransfer();
  for (const [, file] of kept) bag.items.add(file);
  files.files = bag.files;
  paths.value = JSON.stringify(kept.map(([path]) => path));
  show(kept);
}

function show(pairs) {
  const total = pairs.reduce((sum, [, file]) => sum + file.size, 0);
  const list = document.createElement("ul");
  list.className = "chosen-files";
  for (const [path, file] of pairs.slice(0, SHOWN)) {
    const item = document.createElement("li");
    for (const text of [path, size(file.size)]) item.append(Object.assign(document.createElement("span"), { textContent: text }));
    list.append(item);
  }
  const words = document.createElement("p");
  const more = pairs.length > SHOWN ? `, of which ${SHOWN} are shown` : "";
  words.textContent = `${pairs.length} file${pairs.length === 1 ? "" : "s"}, ${size(total)}${more}`;
  const parts = [words, list];
  const trouble = total > form.dataset.mostMb * 1048576 ? `That is more than ${form.dataset.mostMb} MiB.`
    : pairs.length > form.dataset.mostFiles ? `That is more than ${form.dataset.mostFiles} files: put them into a zip.` : "";
  if (trouble) {
    const notice = document.createElement("div");
    notice.className = "notice";
    notice.dataset.tone = "bad";
    notice.append(Object.assign(document.createElement("p"), { textContent: trouble }));
    parts.unshift(notice);
  }
  document.getElementById("send-upload").disabled = Boolean(trouble) || !pairs.length;
  chosen.replaceChildren(...parts);
  chosen.hidden = !pairs.length;
}

/** Read a dropped entry with everything below it as [path, file] pairs. */
async function walk(entry, prefix = "") {
  const path = prefix + entry.name;
  if (JUNK.has(entry.name)) return [];
  if (entry.isFile) return [[path, await new Promise((done, failed) => { entry.file(done, failed); })]];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => { reader.readEntries(done, failed); });
    if (!some.length) return found;
    for (const one of some) found.push(...await walk(one, `${path}/`));
  }
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return take([...transfer.files].map((file) => [file.name, file]));
  return take((await Promise.all(entries.map((entry) => walk(entry)))).flat());
}

if (form) {
  document.getElementById("folder-field").hidden = !("webkitdirectory" in folder);
  zone.querySelector(".dropzone-words").hidden = false;
  files.addEventListener("change", () => take([...files.files].map((file) => [file.name, file])));
  folder.addEventListener("change", () => take([...folder.files].map((file) => [file.webkitRelativePath, file])));
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.dataset.over = ""; });
  }
  zone.addEventListener("dragleave", (event) => { if (!zone.contains(event.relatedTarget)) delete zone.dataset.over; });
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    dropped(event.dataTransfer);
  });
}
