"""Formats of files in job orders: what nobody states is what the input asks for, in runs of the platform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cwl_runner.documents import complete_order, load, plain_context
from cwl_runner.roots import Roots

EDAM = "http://edamontology.org/"
TOOL = """
cwlVersion: v1.2
class: CommandLineTool
$namespaces: {edam: "http://edamontology.org/"}
baseCommand: cat
inputs:
  one: {type: File, format: edam:format_1964}
  many: {type: "File[]", format: [edam:format_2330, edam:format_1964]}
  computed: {type: File, format: "$(inputs.one.format)"}
outputs: []
"""


def completed(place: Path, *, assume_formats: bool) -> dict[str, Any]:
    document, data = place / "tool.cwl", place / "data.txt"
    document.write_text(TOOL)
    data.write_text("x")
    roots = Roots([str(place)])
    file = {"class": "File", "location": str(data)}
    stated = {**file, "format": "edam:format_3464"}
    order = {"one": dict(file), "many": [dict(file), stated], "computed": dict(file)}
    return dict(complete_order(load(str(document), plain_context(roots)), order, roots, assume_formats=assume_formats))


def test_a_format_that_nobody_states_is_the_one_asked_for(tmp_path: Path) -> None:
    order = completed(tmp_path, assume_formats=True)
    assert order["one"]["format"] == f"{EDAM}format_1964"
    assert [one["format"] for one in order["many"]] == [f"{EDAM}format_2330", f"{EDAM}format_3464"]
    assert "format" not in order["computed"]


@pytest.mark.parametrize("name", ["one", "computed"])
def test_alone_the_runner_assumes_nothing(tmp_path: Path, name: str) -> None:
    assert "format" not in completed(tmp_path, assume_formats=False)[name]
