"""Tools made from Python scripts: their `argparse` is read from the syntax tree, the script is never run."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from cwl_graph.new_tools import Tool, as_id
from cwl_graph.problems import Refused

LARGEST_SCRIPT = 1_000_000
"""Characters of a script that becomes a tool."""

_TYPES = {"int": "int", "float": "double", "str": "string", "Path": "File", "FileType": "File", "open": "File"}
_FILE_WORDS = ("file", "path", "image", "table", "catalog", "fits", "csv")
_OUTPUT_WORDS = ("output", "outfile", "out_file", "outpath", "out_path", "destination", "dest_file")
_FOLDER_WORDS = ("dir", "directory", "folder")
_SILENT = frozenset({"help", "version"})


@dataclass
class _Argument:
    """One `add_argument`, as far as constants tell."""

    names: list[str]
    line: int
    kind: str = "string"
    action: str = "store"
    default: Any = None
    choices: list[Any] = field(default_factory=list)
    nargs: Any = None
    required: bool = False
    help: str = ""
    dest: str = ""
    typed: bool = False

    @property
    def option(self) -> str:
        """The longest option name; empty for a positional argument."""
        return max((name for name in self.names if name.startswith("-")), key=len, default="")

    @property
    def id(self) -> str:
        return self.dest or (self.option or self.names[0]).lstrip("-")


def tool_from_script(source: str, name: str) -> str:
    """Return a tool that runs a Python script with the arguments that its `argparse` parser takes.

    The script is an input named `script` whose default is `name` beside the document. Arguments whose names say that
    they are outputs become outputs. Raises `Refused` if the script can't be read or parses no arguments.
    """
    if len(source) > LARGEST_SCRIPT:
        raise Refused(f"`{name}` is too large.", "Keep data in files of their own.")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", 0) or 0
        raise Refused(
            f"`{name}`, line {line}: this is not Python.", "Correct the script.", file=name, line=line
        ) from error
    parsers = _described_parsers(tree)
    arguments = _arguments(tree)
    if not arguments and not parsers:
        raise Refused(f"`{name}` doesn't use argparse.", "Write its command line instead: `python3 x.py {File:table}`.")
    doc = parsers[0] if parsers else ""
    tool = Tool(label=name.rpartition("/")[2], doc=doc or (ast.get_docstring(tree) or ""), command=["python3"])
    tool.inputs["script"] = {
        "type": "File",
        "default": {"class": "File", "location": name},
        "inputBinding": {"position": 0},
    }
    taken = {"script"}
    for number, argument in enumerate(sorted(arguments, key=lambda each: not each.option)):
        _add(tool, argument, number + 1, taken)
    if not tool.outputs:
        tool.streams["stdout"] = "output.txt"
        tool.outputs[as_id("output", taken)] = {"type": "stdout"}
    return tool.text()


def _constant(node: ast.expr | None) -> Any:
    try:
        value = ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, str | int | float | bool | list | tuple | None) else None


def _last_name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _described_parsers(tree: ast.Module) -> list[str]:
    """Return what each `ArgumentParser(…)` says of itself."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) == "ArgumentParser":
            words = {each.arg: _constant(each.value) for each in node.keywords}
            found.append(str(words.get("description") or ""))
    return found


def _arguments(tree: ast.Module) -> list[_Argument]:
    """Return the arguments in the order of the script."""
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"
    ]
    found = []
    for call in sorted(calls, key=lambda each: (each.lineno, each.col_offset)):
        names = [str(value) for each in call.args if isinstance(value := _constant(each), str)]
        words: dict[str, ast.expr] = {each.arg: each.value for each in call.keywords if each.arg}
        action = str(_constant(words.get("action")) or _last_name(words.get("action")) or "store")
        if not names or action in _SILENT:
            continue
        choices = _constant(words.get("choices"))
        found.append(
            _Argument(
                names=names,
                line=call.lineno,
                kind=_TYPES.get(_last_name(words.get("type")), "string"),
                typed="type" in words,
                action=action,
                default=_constant(words.get("default")),
                choices=list(choices) if isinstance(choices, list | tuple) else [],
                nargs=_constant(words.get("nargs")),
                required=bool(_constant(words.get("required"))),
                help=str(_constant(words.get("help")) or ""),
                dest=str(_constant(words.get("dest")) or ""),
            )
        )
    return found


def _is_output(argument: _Argument) -> bool:
    words = argument.id.lower().replace("-", "_")
    return words in {"o", "out"} or any(words.startswith(each) or words.endswith(each) for each in _OUTPUT_WORDS)


def _add(tool: Tool, argument: _Argument, position: int, taken: set[str]) -> None:
    own = as_id(argument.id, taken)
    binding: dict[str, Any] = {"position": position}
    if argument.option:
        binding["prefix"] = argument.option
    if argument.action in {
        "store_true",
        "store_false",
        "BooleanOptionalAction",
        "store_const",
        "append_const",
        "count",
    }:
        tool.inputs[own] = {"type": "boolean?", **_doc(argument), "inputBinding": binding}
        return
    if _is_output(argument) and argument.nargs in {None, "?"}:
        _add_output(tool, argument, own, binding, position)
        return
    kind = _kind(argument)
    entry: dict[str, Any] = {"type": kind, **_doc(argument)}
    default = argument.default
    simple = (
        isinstance(default, str | int | float)
        and not isinstance(kind, dict)
        and kind.rstrip("?") in {"int", "double", "string"}
    )
    if simple or (isinstance(kind, dict) and kind.get("type") == "enum" and isinstance(default, str)):
        entry["default"] = float(default) if kind == "double" and isinstance(default, int) else default
    if argument.action == "append" and isinstance(kind, str):
        item = kind.rstrip("?").removesuffix("[]")
        tool.inputs[own] = {
            "type": ["null", {"type": "array", "items": item, "inputBinding": {"prefix": argument.option}}],
            **_doc(argument),
            "inputBinding": {"position": position},
        }
        return
    tool.inputs[own] = {**entry, "inputBinding": binding}


def _doc(argument: _Argument) -> dict[str, str]:
    return (
        {"doc": argument.help.replace("%(default)s", str(argument.default)).replace("%%", "%")} if argument.help else {}
    )


def _kind(argument: _Argument) -> Any:
    base = argument.kind
    words = argument.id.lower()
    if not argument.typed or base == "File":
        if any(words.endswith(each) for each in _FOLDER_WORDS):
            base = "Directory"
        elif any(each in words for each in _FILE_WORDS) and not isinstance(argument.default, str):
            base = "File"
        elif base == "File" and isinstance(argument.default, str):
            base = "string"
    if (
        not argument.typed
        and base == "string"
        and isinstance(argument.default, int | float)
        and not isinstance(argument.default, bool)
    ):
        base = "int" if isinstance(argument.default, int) else "double"
    many = argument.nargs in {"+", "*"} or (isinstance(argument.nargs, int) and argument.nargs > 1)
    may_lack = (argument.option and not argument.required) or argument.nargs in {"?", "*"}
    if argument.choices and all(isinstance(each, str) for each in argument.choices) and not many:
        kind: Any = {"type": "enum", "symbols": [str(each) for each in argument.choices]}
        return kind if not may_lack or argument.default is not None else ["null", kind]
    short_form = base + ("[]" if many else "")
    has_default = argument.default is not None and not many and base not in {"File", "Directory"}
    return short_form if not may_lack or has_default else f"{short_form}?"


def _add_output(tool: Tool, argument: _Argument, own: str, binding: dict[str, Any], position: int) -> None:
    folder = any(argument.id.lower().endswith(each) for each in _FOLDER_WORDS)
    default = argument.default if isinstance(argument.default, str) and "/" not in argument.default else ""
    value = default or (own if folder else f"{own}.out")
    tool.inputs[f"{own}_name"] = {
        "type": "string",
        "default": value,
        **_doc(argument),
        "inputBinding": {**binding, "position": position},
    }
    tool.outputs[own] = {"type": "Directory" if folder else "File", "outputBinding": {"glob": f"$(inputs.{own}_name)"}}
