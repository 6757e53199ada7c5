"""Tools made from notebooks: the cell tagged `parameters` gives the inputs, papermill or nbconvert carries them out."""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Iterator
from typing import Any

from cwl_graph.new_tools import Tool, as_id
from cwl_graph.problems import Refused

LARGEST_NOTEBOOK = 5_000_000
"""Characters of a notebook that becomes a tool."""

_FILE_WORDS = ("file", "path", "image", "table", "catalog", "catalogue", "fits")
_FOLDER_WORDS = ("dir", "directory", "folder")
_ANNOTATED = {"int": "int", "float": "double", "str": "string", "bool": "boolean", "Path": "File"}


def tool_from_notebook(notebook: str, name: str = "notebook.ipynb") -> str:
    """Return a tool that runs a notebook with papermill and keeps the notebook with its results.

    Inputs are the names that the cell tagged `parameters` gives values to; a comment behind a value is its help.
    Names that say so become files or folders. Raises `Refused` if the text is no notebook in Python.
    """
    cells = _cells(notebook, name)
    tool = Tool(label=_title(cells) or name.rpartition("/")[2], command=["papermill"])
    tool.inputs["notebook"] = {
        "type": "File",
        "default": {"class": "File", "location": name},
        "inputBinding": {"position": 1},
    }
    done = name.rpartition("/")[2].removesuffix(".ipynb") + ".done.ipynb"
    tool.arguments.append({"position": 2, "valueFrom": done})
    taken = {"notebook", "result"}
    for position, (label, value, annotation, help_text) in enumerate(_parameters(cells), 3):
        own = as_id(label, taken)
        entry = _input(label, value, annotation)
        kind = str(entry["type"]).rstrip("?")
        many = kind.endswith("[]")
        option = "-r" if kind in {"File", "Directory", "string"} else "-p"
        binding: dict[str, Any] = {"position": position, "prefix": option}
        if many:
            tool.requirements["InlineJavascriptRequirement"] = {}
            binding = {
                "position": position,
                "prefix": "-y",
                "valueFrom": f"$(JSON.stringify({{{json.dumps(label)}: self}}))",
            }
        else:
            shown = "$(self.path)" if kind in {"File", "Directory"} else "$(self)"
            tool.requirements["InlineJavascriptRequirement"] = {}
            binding["valueFrom"] = f"$([{json.dumps(label)}, {shown[2:-1]}])"
        tool.inputs[own] = {**entry, **({"doc": help_text} if help_text else {}), "inputBinding": binding}
    tool.outputs["result"] = {"type": "File", "doc": "The notebook with its results.", "outputBinding": {"glob": done}}
    return tool.text()


def _cells(notebook: str, name: str) -> list[dict[str, Any]]:
    if len(notebook) > LARGEST_NOTEBOOK:
        raise Refused(f"`{name}` is too large.", "Clear its outputs before you save it.")
    try:
        data = json.loads(notebook)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        raise Refused(f"`{name}` is not a notebook.", "Save it again in JupyterLab.", file=name, line=line) from error
    cells = data.get("cells") if isinstance(data, dict) else None
    if not isinstance(cells, list):
        raise Refused(f"`{name}` is not a notebook: it has no cells.", "Save it again in JupyterLab.", file=name)
    metadata = data.get("metadata")
    info = metadata.get("language_info") if isinstance(metadata, dict) else None
    language = str(info.get("name", "python")).lower() if isinstance(info, dict) else "python"
    if language != "python":
        raise Refused(f"`{name}` is written in {language}.", "Only notebooks in Python become tools.", file=name)
    return [cell for cell in cells if isinstance(cell, dict)]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(str(part) for part in source) if isinstance(source, list) else str(source)


def _title(cells: list[dict[str, Any]]) -> str:
    for cell in cells:
        if cell.get("cell_type") == "markdown":
            for line in _source(cell).splitlines():
                if line.startswith("#"):
                    return line.lstrip("# ").strip()
    return ""


def _parameters(cells: list[dict[str, Any]]) -> Iterator[tuple[str, Any, str, str]]:
    """Yield name, value, annotation and comment of each parameter."""
    for cell in cells:
        metadata = cell.get("metadata")
        tags = metadata.get("tags") if isinstance(metadata, dict) else None
        if not isinstance(tags, list) or "parameters" not in tags:
            continue
        source = _source(cell)
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise Refused(
                "The cell tagged `parameters` is not plain Python.", "Keep only `name = value` in it."
            ) from error
        comments = _comments(source)
        for node in tree.body:
            target = (
                node.targets[0]
                if isinstance(node, ast.Assign)
                else node.target
                if isinstance(node, ast.AnnAssign)
                else None
            )
            if not isinstance(target, ast.Name) or not isinstance(node, ast.Assign | ast.AnnAssign):
                continue
            annotation = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else ""
            yield target.id, _value(node.value), annotation, comments.get(node.end_lineno or 0, "")
        return


def _comments(source: str) -> dict[int, str]:
    found = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip():
                found[token.start[0]] = token.string.lstrip("# ").strip()
    except (tokenize.TokenError, SyntaxError):
        return found
    return found


def _value(node: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _input(name: str, value: Any, annotation: str) -> dict[str, Any]:  # noqa: PLR0911  one answer a kind of value
    words = name.lower()
    kind = _ANNOTATED.get(annotation.rpartition(".")[2], "")
    if (
        isinstance(value, str)
        and not value
        and kind in {"", "string"}
        and any(word in words for word in (*_FILE_WORDS, *_FOLDER_WORDS))
    ):
        value = None
    if isinstance(value, bool):
        return {"type": "boolean", "default": value}
    if isinstance(value, int):
        return {"type": "double", "default": float(value)} if kind == "double" else {"type": "int", "default": value}
    if isinstance(value, float):
        return {"type": "double", "default": value}
    is_place = (isinstance(value, str) and ("/" in value or "." in value)) or value is None
    if kind == "File" or (is_place and any(word in words for word in _FILE_WORDS)):
        return {"type": "File"}
    if is_place and any(words.endswith(word) for word in _FOLDER_WORDS):
        return {"type": "Directory"}
    if isinstance(value, str):
        return {"type": "string", "default": value}
    if isinstance(value, list | tuple) and value:
        items = {type(each) for each in value}
        names = {
            frozenset({int}): "int",
            frozenset({str}): "string",
            frozenset({float}): "double",
            frozenset({int, float}): "double",
        }
        item = names.get(frozenset(items))
        if item:
            default = [float(each) for each in value] if item == "double" else list(value)
            return {"type": f"{item}[]", "default": default}
    return {"type": kind or "string"}
