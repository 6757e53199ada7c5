"""What a new pipeline or step can begin with, beside files of one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """One thing to begin with: its name in forms, its title, what it is for, and its files."""

    name: str
    title: str
    hint: str
    files: dict[str, str]


EMPTY = """\
cwlVersion: v1.2
class: Workflow
label: {title}

inputs: {{}}

outputs: {{}}

steps: {{}}
"""
CHAIN = """\
cwlVersion: v1.2
class: Workflow
label: {title}
doc: Counts the lines of a text and writes the number in large letters.

inputs:
  text:
    type: File
    label: A text

outputs:
  letters:
    type: File
    outputSource: draw/letters

steps:
  count:
    run: count.cwl
    in:
      text: text
    out: [number]
  draw:
    run: catalogue/figlet/1.0.cwl
    in:
      text: count/number
    out: [letters]
"""
COUNT = """\
cwlVersion: v1.2
class: CommandLineTool
label: Count lines

baseCommand: [wc, -l]

inputs:
  text:
    type: File

stdin: $(inputs.text.path)
stdout: number.txt

outputs:
  number:
    type: string
    outputBinding:
      glob: number.txt
      loadContents: true
      outputEval: $(self[0].contents.trim())

requirements:
  InlineJavascriptRequirement: {}
"""
TOOL = """\
cwlVersion: v1.2
class: CommandLineTool
label: {title}
doc: Writes a message into a file.

baseCommand: echo

inputs:
  message:
    type: string
    label: Message
    inputBinding:
      position: 1

stdout: said.txt

outputs:
  said:
    type: stdout
"""

IN_EDITOR = "empty"
"""The template that there is nothing to look at but in the editor."""

TEMPLATES = {
    one.name: one
    for one in (
        Template(
            IN_EDITOR,
            "An empty pipeline",
            "Opens in the editor: steps are dragged there and connected.",
            {"main.cwl": EMPTY},
        ),
        Template(
            "chain",
            "A pipeline of two steps",
            "One step of its own, one of the catalogue.",
            {"main.cwl": CHAIN, "count.cwl": COUNT},
        ),
        Template("tool", "A step", "A command-line tool that pipelines can use.", {"main.cwl": TOOL}),
    )
}
"""Templates by name, in the order of the form."""


def begin(name: str, title: str) -> dict[str, str]:
    """Return the files of a template with a title in them, quoted so that any title stays one value of YAML."""
    template = TEMPLATES[name]
    quoted = json.dumps(title, ensure_ascii=False)
    return {
        path: text.replace("{title}", quoted).replace("{{}}", "{}") if path == "main.cwl" else text
        for path, text in template.files.items()
    }
