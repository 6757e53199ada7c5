"""New documents: an empty workflow, and a tool made from a command line."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import Any

from cwl_graph.problems import Refused
from cwl_graph.writing import block_lines

VERSION = "v1.2"
LONGEST_COMMAND = 10_000
"""Characters of a command line that becomes a tool."""

_TYPES = {
    "int": "int",
    "integer": "int",
    "long": "long",
    "float": "float",
    "double": "double",
    "string": "string",
    "str": "string",
    "text": "string",
    "bool": "boolean",
    "boolean": "boolean",
    "flag": "boolean",
    "file": "File",
    "dir": "Directory",
    "directory": "Directory",
    "folder": "Directory",
    "any": "Any",
}
_BRACE = re.compile(r"\{(?P<out>>?)\s*(?:(?P<type>[A-Za-z]+)(?P<marks>(?:\[\]|\?)*)\s*:)?\s*(?P<name>[^{}]+)\}")
_HOLDER = re.compile(r"\x00(\d+)\x00")
_FILE_NAME = re.compile(r"(?:[\w.+-]*/)*[\w+-][\w.+-]*\.[A-Za-z][A-Za-z0-9]{0,9}(?:\.(?:gz|bz2|xz|zst))?\Z")
_OUTPUT_OPTION = re.compile(r"(?:-o|--out|--output|--outfile|--output-file|--out-file|--outdir|--output-dir)\Z")
_NUMBER = re.compile(r"-?\d+\Z")
_REAL = re.compile(r"-?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?\Z")
_REFUSED = {"|", "||", "&&", ";", "&", "<<", "<<<", "2>>"}


@dataclass
class Tool:
    """A tool while it is put together."""

    label: str = ""
    doc: str = ""
    command: list[str] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    arguments: list[Any] = field(default_factory=list)
    streams: dict[str, str] = field(default_factory=dict)
    hints: dict[str, Any] = field(default_factory=dict)
    requirements: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Return the tool as a document."""
        content: dict[str, Any] = {"cwlVersion": VERSION, "class": "CommandLineTool"}
        parts = {
            "label": self.label,
            "doc": self.doc,
            "requirements": self.requirements,
            "hints": self.hints,
            "baseCommand": self.command,
            "arguments": self.arguments,
        }
        content |= {key: value for key, value in parts.items() if value}
        content |= {"inputs": self.inputs, **self.streams, "outputs": self.outputs}
        return "\n".join(block_lines(content, 0)) + "\n"


def new_workflow(label: str) -> str:
    """Return the text of an empty workflow."""
    content: dict[str, Any] = {"cwlVersion": VERSION, "class": "Workflow"}
    if label:
        content["label"] = label
    return "\n".join(block_lines({**content, "inputs": {}, "outputs": {}, "steps": {}}, 0)) + "\n"


def as_id(text: str, taken: set[str]) -> str:
    """Return an id made of a text, not taken yet (it is then)."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_").lower() or "value"
    name = f"_{name}" if name[0].isdigit() else name
    number, made = 2, name
    while made in taken:
        made, number = f"{name}_{number}", number + 1
    taken.add(made)
    return made


def tool_from_command(line: str) -> str:
    """Return a tool that runs a command line.

    Inputs stand in braces, with a type or without: `sort -k {int:key} {File:table} > {sorted.txt}`. Behind `>`, or as
    `{>image.png}`, braces name an output. A line without braces is guessed: names of files become inputs, what stands
    behind `>` or `-o` outputs, numbers inputs with defaults. Raises `Refused` for what one tool can't do.
    """
    if len(line) > LONGEST_COMMAND:
        raise Refused("The command line is too long.", f"At most {LONGEST_COMMAND} characters.")
    return _CommandReader(line).tool().text()


class _CommandReader:
    def __init__(self, line: str) -> None:
        self.braces: list[re.Match[str]] = []
        held = _BRACE.sub(self._hold, line.replace("\x00", "").replace("\\\n", " "))
        try:
            lexer = shlex.shlex(held, posix=True, punctuation_chars="|&;<>")
            lexer.whitespace_split = True
            lexer.commenters = ""
            self.words = list(lexer)
        except ValueError as error:
            raise Refused("A quote is opened and never closed.", "Close it.") from error
        if not self.words:
            raise Refused("The command line is empty.", "Write what the tool runs: `sort -k {int:key} {File:table}`.")
        self.made = Tool()
        self.taken: set[str] = set()
        self.used = 0

    def _hold(self, found: re.Match[str]) -> str:
        self.braces.append(found)
        return f"\x00{len(self.braces) - 1}\x00"

    def tool(self) -> Tool:
        """Return the tool that the words describe."""
        words = self._streams()
        if not words:
            raise Refused("There is no command.", "Begin with the program's name.")
        made = self.made
        while words and self._is_base(words, made.command):
            made.command.append(words.pop(0))
        if not made.command:
            raise Refused("The command begins with an input.", "Begin with the program's name.")
        made.label = made.command[0].rpartition("/")[2]
        position = 0
        option = ""
        for word in words:
            position += 1
            option = self._word(word, option, position)
        if option:
            made.arguments.append({"position": position, "valueFrom": option})
        if not made.outputs:
            made.streams["stdout"] = "output.txt"
            made.outputs[as_id("output", self.taken)] = {"type": "stdout"}
        return made

    def _is_base(self, words: list[str], command: list[str]) -> bool:
        word = words[0]
        if _HOLDER.search(word):
            return False
        if not command:
            return True
        return (
            bool(self.braces)
            and not word.startswith("-")
            and not any(w.startswith("-") for w in command)
            and (bool(re.fullmatch(r"[a-z][a-z0-9-]*", word)) and len(command) == 1)
        )

    def _streams(self) -> list[str]:
        """Take `<`, `>` and `2>` out of the words."""
        words = list(self.words)
        rest: list[str] = []
        while words:
            word = words.pop(0)
            if word in _REFUSED or word in {">>", "&>", ">&"}:
                raise Refused(
                    f"`{word}` joins commands, and a tool runs one.",
                    "Make a tool of each and connect them, or run a script.",
                )
            if word not in {"<", ">"}:
                rest.append(word)
                continue
            stream = "stdin" if word == "<" else "stdout"
            if word == ">" and rest and rest[-1] == "2":
                rest.pop()
                stream = "stderr"
            if not words:
                raise Refused(f"Nothing stands behind `{word}`.", "Name a file.")
            self._stream(stream, words.pop(0))
        return rest

    def _stream(self, stream: str, word: str) -> None:
        found = _HOLDER.fullmatch(word)
        brace = self.braces[int(found[1])] if found else None
        name = brace["name"].strip() if brace else word
        if stream == "stdin":
            own = as_id(_stem(name), self.taken)
            self.made.inputs[own] = {"type": "File"}
            self.made.streams["stdin"] = f"$(inputs.{own}.path)"
            return
        own = as_id(_stem(name), self.taken)
        self.made.streams[stream] = name.rpartition("/")[2]
        self.made.outputs[own] = {"type": stream}

    def _word(self, word: str, option: str, position: int) -> str:
        """Take one word; an option waits for the word behind it. Returns the option that waits."""
        holders = list(_HOLDER.finditer(word))
        if len(holders) > 1 or (holders and holders[0].span() != (0, len(word))):
            self._mixed(word, holders, option, position)
            return ""
        if holders:
            self._brace(self.braces[int(holders[0][1])], option, position)
            return ""
        if word.startswith("-") and not _NUMBER.match(word) and not _REAL.match(word):
            if option:
                self.made.arguments.append({"position": position - 1, "valueFrom": option})
            return word
        self._plain(word, option, position)
        return ""

    def _binding(self, option: str, position: int, *, joined: bool = False) -> dict[str, Any]:
        binding: dict[str, Any] = {"position": position}
        if option:
            binding["prefix"] = option
        if joined:
            binding["separate"] = False
        return binding

    def _brace(self, brace: re.Match[str], option: str, position: int) -> None:
        name = brace["name"].strip()
        if brace["out"]:
            self._output(name, option, position)
            return
        kind = self._kind(brace)
        own = as_id(_stem(name) if _FILE_NAME.match(name) else name, self.taken)
        base = kind.rstrip("?")
        self.made.inputs[own] = {"type": kind, "inputBinding": self._binding(option, position)}
        if base == "boolean" and not option:
            raise Refused(
                f"`{name}` is a switch without its option.", f"Write the option before it: `-v {{flag:{name}}}`."
            )

    def _kind(self, brace: re.Match[str]) -> str:
        name = brace["name"].strip()
        if brace["type"] is None:
            return "File" if _FILE_NAME.match(name) else "string"
        known = _TYPES.get(brace["type"].lower())
        if known is None:
            names = ", ".join(sorted({"int", "float", "string", "boolean", "File", "Directory"}))
            raise Refused(f"`{brace['type']}` is no type.", f"Use one of {names}.")
        return known + (brace["marks"] or "")

    def _output(self, name: str, option: str, position: int) -> None:
        own = as_id(_stem(name), self.taken)
        plain = name.rpartition("/")[2] or name.rstrip("/")
        binding = {"position": position, **({"prefix": option} if option else {}), "valueFrom": plain}
        self.made.arguments.append(binding)
        kind = "Directory" if name.endswith("/") or option.endswith("dir") else "File"
        self.made.outputs[own] = {"type": kind, "outputBinding": {"glob": plain}}

    def _mixed(self, word: str, holders: list[re.Match[str]], option: str, position: int) -> None:
        """Take a word that holds inputs among other text, such as `--size={int:n}` or `{a}.{b}`."""
        first = holders[0]
        prefix = word[: first.start()]
        if len(holders) == 1 and first.end() == len(word) and prefix.startswith("-") and not option:
            brace = self.braces[int(first[1])]
            if not brace["out"]:
                own = as_id(brace["name"], self.taken)
                self.made.inputs[own] = {
                    "type": self._kind(brace),
                    "inputBinding": self._binding(prefix, position, joined=True),
                }
                return
        parts, at = [], 0
        for holder in holders:
            brace = self.braces[int(holder[1])]
            own = as_id(brace["name"], self.taken)
            kind = self._kind(brace)
            self.made.inputs[own] = {"type": kind}
            parts += [
                word[at : holder.start()],
                f"$(inputs.{own}.path)" if kind in {"File", "Directory"} else f"$(inputs.{own})",
            ]
            at = holder.end()
        value = "".join([*parts, word[at:]])
        self.made.arguments.append({"position": position, **({"prefix": option} if option else {}), "valueFrom": value})

    def _plain(self, word: str, option: str, position: int) -> None:
        """Take a word without braces: guessed if the line has none at all, else as it is."""
        made = self.made
        if self.braces:
            kept = {"position": position, **({"prefix": option} if option else {}), "valueFrom": word}
            made.arguments.append(kept)
        elif _OUTPUT_OPTION.match(option):
            self._output(word, option, position)
        elif _FILE_NAME.match(word):
            own = as_id(_stem(word), self.taken)
            made.inputs[own] = {"type": "File", "inputBinding": self._binding(option, position)}
        elif option and (_NUMBER.match(word) or _REAL.match(word)):
            own = as_id(option, self.taken)
            number: float = int(word) if _NUMBER.match(word) else float(word)
            kind = "int" if isinstance(number, int) else "double"
            made.inputs[own] = {"type": kind, "default": number, "inputBinding": self._binding(option, position)}
        elif word.endswith("/"):
            own = as_id(word, self.taken)
            made.inputs[own] = {"type": "Directory", "inputBinding": self._binding(option, position)}
        else:
            made.arguments.append({"position": position, **({"prefix": option} if option else {}), "valueFrom": word})


def _stem(name: str) -> str:
    last = name.rstrip("/").rpartition("/")[2]
    return last.partition(".")[0] or last
