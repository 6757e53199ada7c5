"""Command lines, scripts and notebooks become tools, which the reference implementation accepts and runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cwl_reference
import pytest

from cwl_graph import Document, Refused, new_workflow, read, tool_from_command, tool_from_notebook, tool_from_script

SCRIPT = '''"""Measures stars."""
import argparse
from pathlib import Path

def main():
    parser = argparse.ArgumentParser(description="Measure the stars in an image.")
    parser.add_argument("image", type=Path, help="the image")
    parser.add_argument("others", nargs="*")
    parser.add_argument("-n", "--number", type=int, default=10, help="how many (default %(default)s)")
    parser.add_argument("--radius", type=float, required=True)
    parser.add_argument("--mode", choices=["fast", "careful"], default="fast")
    parser.add_argument("--verbose", "-v", action="store_true")
    parser.add_argument("--reference-file")
    parser.add_argument("-o", "--output", default="stars.csv", help="where the table goes")
    args = parser.parse_args()
    told = [Path(args.image).read_text(), args.number, args.radius, args.mode, args.verbose, len(args.others)]
    Path(args.output).write_text(" ".join(map(str, told)))

main()
'''


def tool(text: str) -> Document:
    """Return the tool that a text describes; it must be without fault."""
    document = read({"tool.cwl": text}, "tool.cwl")
    assert document.problems == ()
    return document


def shape(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return a tool's inputs and outputs with their types."""
    document = tool(text)
    return (
        {each.name: each.type.text for each in document.inputs},
        {each.name: each.type.text for each in document.outputs},
    )


@pytest.mark.parametrize(
    ("line", "inputs", "outputs"),
    [
        ("sort -k {int:key} {File:table} > {sorted.txt}", {"key": "int", "table": "File"}, {"sorted": "File"}),
        ("sort -k 2 data/table.csv > sorted.csv", {"k": "int", "table": "File"}, {"sorted": "File"}),
        ("figlet -f {string:font} < {File:text} > banner.txt", {"text": "File", "font": "string"}, {"banner": "File"}),
        ("convert --size={int:n} {a.png} {>b.png}", {"n": "int", "a": "File"}, {"b": "File"}),
        ("samtools view -o out.bam in.sam", {"in": "File"}, {"out": "File"}),
        ("echo {a}-{b}", {"a": "string", "b": "string"}, {"output": "File"}),
        ("cat {File[]:files} 2> err.txt", {"files": "File[]"}, {"err": "File"}),
        ("ls {Directory?:where}", {"where": "Directory?"}, {"output": "File"}),
        ("tool -v {flag:loud}", {"loud": "boolean"}, {"output": "File"}),
        ("x 'two words' {a} {a}", {"a": "string", "a_2": "string"}, {"output": "File"}),
    ],
    ids=["sort", "guessed", "stdin", "joined", "option", "mixed", "stderr", "folder", "flag", "twice"],
)
def test_a_command_line_becomes_a_tool(line: str, inputs: dict[str, str], outputs: dict[str, str]) -> None:
    assert shape(tool_from_command(line)) == (inputs, outputs)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "empty"),
        ("a | b", "joins commands"),
        ("a; b", "joins commands"),
        ("a && b", "joins commands"),
        ("a 'b", "never closed"),
        ("{x} y", "begins with an input"),
        ("a {thing:x}", "is no type"),
        ("a >", "Nothing stands behind"),
        ("a {flag:x}", "without its option"),
        ("> x", "no command"),
        ("a" * 20_000, "too long"),
    ],
    ids=["empty", "pipe", "semicolon", "and", "quote", "input", "type", "redirect", "flag", "nothing", "long"],
)
def test_what_one_tool_cannot_do_is_refused(line: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        tool_from_command(line)
    assert refused.value.advice


def test_a_script_becomes_a_tool() -> None:
    inputs, outputs = shape(tool_from_script(SCRIPT, "stars.py"))
    assert inputs == {
        "script": "File",
        "number": "int",
        "radius": "double",
        "mode": "enum(fast, careful)",
        "verbose": "boolean?",
        "reference_file": "File?",
        "output_name": "string",
        "image": "File",
        "others": "string[]?",
    }
    assert outputs == {"output": "File"}
    fields = {each.name: each for each in tool(tool_from_script(SCRIPT, "stars.py")).inputs}
    assert (fields["number"].default, fields["number"].doc) == (10, "how many (default 10)")
    assert fields["mode"].optional


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("def (", "line 1: this is not Python"),
        ("print(1)", "doesn't use argparse"),
        ("\0", "not Python"),
        ("(" * 5000, "not Python"),
    ],
    ids=["syntax", "none", "zero", "deep"],
)
def test_a_script_that_cannot_be_read_is_refused(script: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        tool_from_script(script, "x.py")


def test_a_script_is_never_run(tmp_path: Path) -> None:
    marker = tmp_path / "run"
    source = f"""import argparse, pathlib
pathlib.Path({str(marker)!r}).touch()
argparse.ArgumentParser().add_argument('x', default=open('/'))
"""
    assert shape(tool_from_script(source, "x.py"))[0] == {"script": "File", "x": "string"}
    assert not marker.exists()


def notebook(parameters: str, **more: Any) -> str:
    """Return a notebook with a cell tagged `parameters`."""
    cells = [
        {"cell_type": "markdown", "source": ["# Star counts\n", "words"]},
        {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": parameters.splitlines(keepends=True)},
        {"cell_type": "code", "source": "print(radius)"},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, **more})


def test_a_notebook_becomes_a_tool() -> None:
    text = tool_from_notebook(
        notebook(
            "radius: float = 3  # arcsec\nname = 'M 31'\nimage_file = ''\nquick = True\nbands = ['g', 'r']\nn = 2\n"
        ),
        "stars.ipynb",
    )
    inputs, outputs = shape(text)
    assert inputs == {
        "notebook": "File",
        "radius": "double",
        "name": "string",
        "image_file": "File",
        "quick": "boolean",
        "bands": "string[]",
        "n": "int",
    }
    assert outputs == {"result": "File"}
    document = tool(text)
    assert (document.label, document.inputs[1].doc, document.inputs[1].default) == ("Star counts", "arcsec", 3.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not a notebook"),
        ("[]", "no cells"),
        (notebook("x ="), "not plain Python"),
        (notebook("", metadata={"language_info": {"name": "R"}}), "written in r"),
    ],
    ids=["json", "cells", "syntax", "language"],
)
def test_a_notebook_that_cannot_be_read_is_refused(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        tool_from_notebook(text)


def test_a_new_workflow_is_without_fault() -> None:
    document = read({"main.cwl": new_workflow("My: first")}, "main.cwl")
    assert (document.problems, document.label, document.cwl_class) == ((), "My: first", "Workflow")


def run(tool_text: str, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a tool with the reference implementation; return its outputs."""
    (folder / "tool.cwl").write_text(tool_text)
    return cwl_reference.run(folder / "tool.cwl", job)


@pytest.mark.slow
def test_a_command_runs(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("b 1\na 2\n")
    out = run(
        tool_from_command("sort -k {int:key} {File:table} > {sorted.txt}"),
        {"key": 1, "table": {"class": "File", "location": str(tmp_path / "t.txt")}},
        tmp_path,
    )
    assert Path(out["sorted"]["path"]).read_text() == "a 2\nb 1\n"


@pytest.mark.slow
def test_a_script_runs(tmp_path: Path) -> None:
    (tmp_path / "stars.py").write_text(SCRIPT)
    (tmp_path / "i.txt").write_text("image")
    file = {"class": "File", "location": str(tmp_path / "i.txt")}
    job = {"image": file, "radius": 2.5, "verbose": True, "others": ["a", "b"]}
    out = run(tool_from_script(SCRIPT, "stars.py"), job, tmp_path)
    assert Path(out["output"]["path"]).read_text() == "image 10 2.5 fast True 2"


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("node") is None, reason="papermill's arguments are made by JavaScript, and Node is not here"
)
def test_a_notebook_is_given_its_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "papermill"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nfor a in "$@"; do echo "$a"; done > "$2"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    text = notebook("radius = 2.5\nname = 'M 31'\nbands = ['g', 'r']\nquick = True\n")
    (tmp_path / "stars.ipynb").write_text(text)
    out = run(tool_from_notebook(text, "stars.ipynb"), {}, tmp_path)
    lines = Path(out["result"]["path"]).read_text().splitlines()
    assert lines[1:] == [
        "stars.done.ipynb",
        "-p",
        "radius",
        "2.5",
        "-r",
        "name",
        "M 31",
        "-y",
        '{"bands":["g","r"]}',
        "-p",
        "quick",
        "True",
    ]
