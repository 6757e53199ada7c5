"""One document from a bundle (`$graph`), and a bundle from one document; comments stay where the texts can be kept."""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from cwl_graph.bundles import Bundle, resolve
from cwl_graph.changes import same
from cwl_graph.documents import Files
from cwl_graph.problems import Refused
from cwl_graph.splicing import change_text
from cwl_graph.tree import MOST_VALUES, Tree, Value
from cwl_graph.workflows import choose_process
from cwl_graph.writing import block_lines

MOST_PROCESSES = 500
"""Processes of one packed document."""

_AROUND = ("cwlVersion", "$namespaces", "$schemas", "$graph", "$base")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|/|_:")


def pack(files: Files, main: str) -> str:
    """Return one document that holds a process and all that it runs, imports and includes. The main one is `#main`.

    Raises `Refused` where something is missing, or versions differ.
    """
    return _Packer(files, main).text()


class _Packer:
    def __init__(self, files: Files, main: str) -> None:
        self.bundle = Bundle(files)
        self.files = files
        path, _, fragment = main.partition("#")
        if path not in files:
            raise Refused(f"`{path}` is not in the bundle.", "Name the main document.")
        self.base = posixpath.dirname(path)
        self.names: dict[Value, str] = {}
        self.queue: list[Value] = []
        self.around: dict[str, Any] = {}
        self.count = 0
        root = self._root(path)
        self.version = root.word("cwlVersion")
        self.name_of(self._chosen(root, fragment, root), "main")

    def _root(self, path: str) -> Value:
        tree = self.bundle.tree(path)
        if tree.root is None:
            problem = tree.problems[0] if tree.problems else None
            told = f"`{path}`, line {problem.line}: {problem.message}" if problem else f"`{path}` is empty."
            raise Refused(told, "Correct it first.", file=path)
        return tree.root

    def _chosen(self, root: Value, fragment: str, at: Value) -> Value:
        found = choose_process(self.bundle, root, fragment, at, "")
        if found is None:
            problem = self.bundle.problems[-1]
            raise Refused(problem.message, problem.advice, file=problem.file, line=problem.line)
        return found

    def name_of(self, process: Value, wanted: str = "") -> str:
        """Return the id of a process in the packed document."""
        if process not in self.names:
            if len(self.names) >= MOST_PROCESSES:
                raise Refused("The document runs too many processes.", f"At most {MOST_PROCESSES} can be packed.")
            own = process.word("id").rpartition("#")[2]
            in_graph = process.tree.root is not process
            name = wanted or (
                own if in_graph and own != "main" else posixpath.basename(process.file).removesuffix(".cwl")
            )
            number, free = 2, name
            while free in self.names.values():
                free, number = f"{name}_{number}", number + 1
            self.names[process] = free
            self.queue.append(process)
        return self.names[process]

    def text(self) -> str:
        """Return the packed document."""
        texts, contents = [], []
        while self.queue:
            process = self.queue.pop(0)
            content = self._content(process)
            contents.append(content)
            texts.append(self._own_text(process, content))
        head = "\n".join(block_lines({"cwlVersion": self.version, **self.around}, 0))
        made = f"{head}\n$graph:\n" + "".join(texts)
        wanted = {"cwlVersion": self.version, **self.around, "$graph": contents}
        root = Tree(made).root
        if root is not None and same(root.plain(), wanted):
            return made
        return "\n".join(block_lines(wanted, 0)) + "\n"

    def _content(self, process: Value) -> dict[str, Any]:
        root = process.tree.root
        version = root.word("cwlVersion") if root is not None else ""
        if version and version != self.version:
            told = f"`{process.file}` is {version}, the main document {self.version}."
            raise Refused(told, "Bring all to one version first.", file=process.file)
        for name in ("$namespaces", "$schemas"):
            found = root.get(name) if root is not None else None
            if found is not None:
                self._join(name, found.plain())
        whole = self._value(process, "")
        content = {key: value for key, value in whole.items() if key not in _AROUND}
        own = content.pop("id", "")
        name = self.names[process]
        if isinstance(own, str) and own.startswith("#"):
            _move(content, own, f"#{name}")
        return {"id": f"#{name}", **content}

    def _join(self, name: str, value: Any) -> None:
        if isinstance(value, dict):
            self.around[name] = {**self.around.get(name, {}), **value}
        elif isinstance(value, list):
            self.around[name] = [
                *self.around.get(name, []),
                *(one for one in value if one not in self.around.get(name, [])),
            ]

    def _value(self, value: Value, key: str, depth: int = 0) -> Any:  # noqa: PLR0911  one answer a kind of value
        """Return plain data with addresses led to the packed document, imports and includes put in."""
        own = value.real
        self.count += 1
        if self.count > MOST_VALUES or depth > 200:  # noqa: PLR2004  deeper than any tree that was read, imports counted
            raise Refused("Files import one another in a circle.", "Write the imported part out.", file=own.file)
        if own.kind == "list":
            return [self._value(each, key, depth + 1) for each in own.items]
        if own.kind == "map":
            only = own.entries[0][0].text if len(own.entries) == 1 else ""
            if only == "$import":
                return self._value(self._imported(own.entries[0][1].real), key, depth + 1)
            if only == "$include":
                return self._included(own.entries[0][1].real)
            return {
                name: self._value(each, "" if key == "in" and depth else name, depth + 1)
                for name, _, each in own.pairs()
            }
        data = own.plain()
        if key == "run" and isinstance(data, str):
            return f"#{self.name_of(self._found(own))}"
        if key in {"location", "path"} and isinstance(data, str) and not _SCHEME.match(data):
            here = posixpath.normpath(posixpath.join(posixpath.dirname(own.file), data))
            return posixpath.relpath(here, self.base or ".")
        return data

    def _found(self, address: Value) -> Value:
        found = resolve(address.file, address.text, self.files)
        if found.trouble:
            raise Refused(found.trouble, found.advice, file=address.file, line=address.line)
        return self._chosen(self._root(found.path), found.fragment, address)

    def _imported(self, address: Value) -> Value:
        found = resolve(address.file, address.text, self.files)
        if found.trouble:
            raise Refused(found.trouble, found.advice, file=address.file, line=address.line)
        root = self._root(found.path)
        if root.word("class") and not found.fragment:
            return self._chosen(root, "", address)
        holder = address.tree.root if found.path == address.file else root
        part = self.bundle.follow(_holder_of(holder, address)) if found.fragment and holder is not None else root
        if part is None:
            raise Refused(
                f"`{address.text}` names nothing.", "Correct the address.", file=address.file, line=address.line
            )
        return part

    def _included(self, address: Value) -> str:
        found = resolve(address.file, address.text, self.files)
        if found.trouble:
            raise Refused(found.trouble, found.advice, file=address.file, line=address.line)
        return self.files[found.path]

    def _own_text(self, process: Value, content: dict[str, Any]) -> str:
        """Return a process as an item of `$graph`: its own text where that can be kept."""
        text = standing_alone(process)
        if text is not None:
            try:
                text = change_text(text, content)
            except Refused:
                text = None
        if text is None:
            text = "\n".join(block_lines(content, 0))
        return _as_item(text.strip("\n"))


def _holder_of(root: Value, address: Value) -> Value:
    """Return the map whose only entry is this `$import`."""
    stack = [root]
    while stack:
        value = stack.pop()
        for _, each in value.entries:
            if each is address:
                return value
            stack.append(each)
        stack += value.items
    return root


def _move(value: Any, old: str, new: str) -> None:
    """Lead every text that names an id of a process to its new name."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in list(items):
        if isinstance(each, dict | list):
            _move(each, old, new)
        elif isinstance(each, str) and each.startswith(f"{old}/"):
            value[key] = new + each[len(old) :]


def _as_item(text: str) -> str:
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    before = [f"  {line}\n" for line in lines[:first] if not line.startswith("#!") and line.strip()]
    rest = [f"    {line}\n" if line.strip() else "\n" for line in lines[first + 1 :]]
    return "".join([*before, f"  - {lines[first]}\n", *rest])


def standing_alone(process: Value) -> str | None:
    """Return the text of a process as a document of its own; None where it stands in flow style or shares anchors."""
    tree = process.tree
    if process.flow or process.kind != "map" or not process.entries:
        return None
    if tree.root is process:
        text = tree.text.lstrip("\ufeff").replace("\r\n", "\n")
        return text if not text.lstrip().startswith(("---", "%")) else None
    start = process.entries[0][0].start
    pad = start - tree.line_start(start)
    end = tree.line_end(process.end)
    lines = (" " * pad + tree.text[start:end]).replace("\r\n", "\n").split("\n")
    if any(line[:pad].strip() and not line.lstrip().startswith("#") for line in lines[1:]):
        return None
    text = "\n".join(line[pad:] if not line[:pad].strip() else line.lstrip() for line in lines) + "\n"
    root = Tree(text).root
    return text if root is not None and same(root.plain(), process.plain()) else None


def unpack(text: str, main: str = "main.cwl") -> dict[str, str]:
    """Return a bundle with one file for each process of a `$graph`; the main process is in `main`, ids are kept.

    A document without `$graph` is its own bundle. Raises `Refused` for a text that can't be read.
    """
    tree = Tree(text, main)
    root = tree.root
    if root is None:
        problem = tree.problems[0] if tree.problems else None
        raise Refused(
            f"Line {problem.line}: {problem.message}" if problem else "The document is empty.", "Correct it first."
        )
    graph = root.get("$graph")
    if graph is None:
        return {main: text}
    chosen = choose_process(Bundle({main: text}), root, "", root, "")
    if chosen is None:
        raise Refused("The document holds several processes and none is `main`.", "Call one `main`.")
    processes = [each.real for each in graph.items if each.real.kind == "map"]
    names = dict(_file_names(processes, chosen, main))
    around = {key: value.plain() for key, _, value in root.pairs() if key != "$graph"}
    files = {}
    for process in processes:
        content = {**around, **process.plain()}
        for holder in _runs(content):
            address = str(holder["run"]).removeprefix("#")
            if str(holder["run"]).startswith("#") and address in names:
                holder["run"] = names[address]
        files[names[process.word("id").rpartition("#")[2]]] = _unpacked_text(process, around, content)
    return files


def _unpacked_text(process: Value, around: dict[str, Any], content: dict[str, Any]) -> str:
    alone = standing_alone(process)
    if alone is not None:
        head = "\n".join(block_lines(around, 0))
        try:
            return change_text(f"{head}\n{alone}", content)
        except Refused:
            pass
    return "\n".join(block_lines(content, 0)) + "\n"


def _file_names(processes: list[Value], chosen: Value, main: str) -> Iterator[tuple[str, str]]:
    taken = {main}
    for process in processes:
        own = process.word("id").rpartition("#")[2]
        if process is chosen:
            yield own, main
            continue
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", own).strip("._").removesuffix(".cwl") or "tool"
        number, name = 2, f"{stem}.cwl"
        while name in taken:
            name, number = f"{stem}_{number}.cwl", number + 1
        taken.add(name)
        yield own, name


def _runs(value: Any) -> Iterator[dict[str, Any]]:
    """Yield each step whose `run` is an address."""
    if isinstance(value, dict):
        steps = value.get("steps")
        for step in steps.values() if isinstance(steps, dict) else steps if isinstance(steps, list) else []:
            if isinstance(step, dict) and isinstance(step.get("run"), str):
                yield step
            elif isinstance(step, dict):
                yield from _runs(step.get("run"))


def copy_nodes(files: Files, main: str, nodes: tuple[str, ...], inside: tuple[str, ...] = ()) -> str:
    """Return some nodes of a document as text, to be put in elsewhere by the edit `Paste`.

    `inside` names the steps, from the outside in, in whose own workflow the nodes stand.
    """
    from cwl_graph.outline import Outline  # noqa: PLC0415  only copies need it

    path, _, process_id = main.partition("#")
    root = Tree(files.get(path, ""), path).root
    if root is None:
        raise Refused("The document can't be read.", "Correct it first.")
    outline = Outline(root.plain(), process_id)
    for step in inside:
        outline.enter(step)
    found: dict[str, dict[str, Any]] = {}
    for node in nodes:
        kind = outline.kind_of(node)
        name = outline.name_of(node)
        value = copy.deepcopy(outline.get(outline.process, kind, name))
        if isinstance(value, dict):
            value.pop("id", None)
            if kind == "steps":
                ports = {port: _source_only(each) for port, each in outline.entries(value.get("in"))}
                value["in"] = ports
                value["out"] = [port for port, _ in outline.entries(value.get("out"))]
        if outline.prefix:
            value = _local(value, outline.prefix)
        found.setdefault(kind, {})[name] = value
    return "\n".join(block_lines(found, 0)) + "\n" if found else "{}\n"


def _source_only(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    rest = {key: each for key, each in value.items() if key != "id"}
    return rest["source"] if set(rest) == {"source"} else rest


def _local(value: Any, prefix: str) -> Any:
    """Return data of a packed process with plain names."""
    if isinstance(value, dict):
        return {key: _local(each, prefix) for key, each in value.items()}
    if isinstance(value, list):
        return [_local(each, prefix) for each in value]
    return value.removeprefix(prefix) if isinstance(value, str) else value
