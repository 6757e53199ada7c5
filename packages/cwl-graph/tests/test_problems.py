"""What is wrong with a document is told at its line and node, with advice; nothing raises, nothing is fetched."""

from __future__ import annotations

import json
import time

import pytest

from cwl_graph import Document, Problem, layout, read

HEAD = "cwlVersion: v1.2\nclass: Workflow\n"
SUB = "hints: {SubworkflowFeatureRequirement: {}}\n"
ECHO = """cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs: {text: string, number: int?}
stdout: out.txt
outputs: {said: stdout}
"""


def workflow(steps: str, *, inputs: str = "  text: string\n", outputs: str = "", more: str = "") -> str:
    """Return a workflow's text; steps begin at line 7 if there is one input, no output and nothing more."""
    return f"{HEAD}{more}inputs:\n{inputs}outputs: {{}}\n{outputs}steps:\n{steps}"


def told(text: str, words: str, files: dict[str, str] | None = None) -> Problem:
    """Return the problem whose message holds these words."""
    document = read({"main.cwl": text, "echo.cwl": ECHO, **(files or {})}, "main.cwl")
    found = [each for each in document.problems if words in each.message]
    assert found, document.problems
    assert found[0].advice
    return found[0]


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("cwlVersion: v1.2\n\tclass: Workflow\n", "A tab stands", 2),
        ("a: [1, 2\nb: 3\n", "comma or the closing bracket", 2),
        ("a: 'open\nb: 3\n", "never closed", 3),
        ("a: b: c\n", "A colon is not expected", 1),
        ("a: 1\n b: 2\n", "A colon is not expected", 2),
        ("a: *nobody\n", "An alias", 1),
        ("a: 1\nb: 2\na: 3\n", "stands twice in the same map", 3),
        ("a: 1\n---\nb: 2\n", "more than one document", 2),
        ("a: \x01\n", "control character", 1),
        ("just text\n", "no CWL document", 1),
        ("- a\n", "no CWL document", 1),
        ("", "empty", 1),
        ("? [a, b]\n: c\n", "where a name is wanted", 1),
    ],
    ids=[
        *("tab", "bracket", "quote", "colon", "indentation", "alias", "twice", "documents", "control", "text", "list"),
        *("nothing", "key"),
    ],
)
def test_what_does_not_parse_is_told_in_plain_words_at_its_line(text: str, words: str, line: int) -> None:
    document = read({"main.cwl": text}, "main.cwl")
    assert [words in each.message for each in document.problems] == [True], document.problems
    assert document.problems[0].line == line
    assert document.problems[0].advice
    assert not document.ok


def test_a_cycle_is_told_at_each_of_its_steps() -> None:
    steps = """  a: {run: echo.cwl, in: {text: {source: b/said, valueFrom: $(self.path)}}, out: [said]}
  b: {run: echo.cwl, in: {text: {source: a/said, valueFrom: $(self.path)}}, out: [said]}
"""
    text = workflow(steps, more="requirements: {StepInputExpressionRequirement: {}}\n")
    document = read({"main.cwl": text, "echo.cwl": ECHO}, "main.cwl")
    assert [(each.node, each.line) for each in document.problems] == [("a", 8), ("b", 9)]
    assert "`a` → `b` → `a`" in document.problems[0].message or "`b` → `a` → `b`" in document.problems[0].message
    assert set(layout(document.graph).boxes) == {"text", "a", "b"}


@pytest.mark.parametrize(
    ("step", "words", "node"),
    [
        ("a: {run: ecco.cwl, in: {text: text}, out: [said]}", "`ecco.cwl` is missing", "a"),
        ("a: {run: echo.cwl, in: {text: txet}, out: [said]}", "Nothing is called `txet`", "a"),
        ("a: {run: echo.cwl, in: {number: text}, out: [said]}", "`number` takes int", "a"),
        ("a: {run: echo.cwl, in: {}, out: [said]}", "`text` (string) of `a` gets no value", "a"),
        ("a: {run: echo.cwl, in: {text: text}, out: [siad]}", "has no output `siad`", "a"),
        ("a: {run: echo.cwl, in: {text: text, tetx: text}, out: [said]}", "has no input `tetx`", "a"),
        ("a: {run: echo.cwl, ins: {}, in: {text: text}, out: [said]}", "no field `ins`", "a"),
        ("a: {run: echo.cwl, in: {text: text}, out: [said], scatter: text}", "is something that the document", "a"),
        ("a: {run: echo.cwl, in: {text: {valueFrom: x}}, out: []}", "is something that the document", "a"),
        ("a: {run: /etc/passwd, in: {}, out: []}", "absolute address", "a"),
        ("a: {run: file:///etc/passwd, in: {}, out: []}", "absolute address", "a"),
        ("a: {run: ../secret.cwl, in: {}, out: []}", "leads out of the bundle", "a"),
        ("a: {run: 'https://example.org/x.cwl', in: {}, out: []}", "nothing is fetched", "a"),
        ("a: {run: {$import: ../../x}, in: {}, out: []}", "leads out of the bundle", "a"),
        ("a: {run: main.cwl, in: {}, out: []}", "runs itself", "a"),
        ("a: {run: '#nothing', in: {}, out: []}", "no process `nothing`", "a"),
        ("a: {in: {}, out: []}", "doesn't say what it runs", "a"),
        ("a: {run: {class: Thing}, in: {}, out: []}", "`Thing` can't be run", "a"),
        ("a:", "is empty", "a"),
    ],
    ids=[
        *("run", "source", "type", "unfilled", "output", "input", "field", "scatter", "valueFrom", "absolute", "file"),
        *("upwards", "remote", "import", "itself", "fragment", "nothing", "class", "empty"),
    ],
)
def test_a_step_s_problem_is_told_at_its_line_and_node(step: str, words: str, node: str) -> None:
    found = told(workflow(f"  {step}\n"), words)
    assert (found.line, found.node) == (7, node)


def test_types_that_do_not_fit_come_with_what_would_help() -> None:
    inputs = "  texts: string[]\n  number: int\n"
    steps = """  a: {run: echo.cwl, in: {text: texts}, out: [said]}
  b: {run: echo.cwl, in: {text: number}, out: [said]}
"""
    text = workflow(steps, inputs=inputs)
    assert "scatter" in told(text, "`texts` is string[]").advice
    assert "$(String(self))" in told(text, "`number` is int").advice
    document = read({"main.cwl": text, "echo.cwl": ECHO}, "main.cwl")
    assert [link.fit for link in document.graph.links] == ["scatter", "convert"]


def test_fields_and_versions() -> None:
    assert told("cwlVersion: v1.2\nclass: Workflow\ninputs: []\nouputs: []\nsteps: []\n", "`ouputs`").line == 4
    assert "outputs" in told(HEAD + "inputs: []\nouputs: []\nsteps: []\n", "`ouputs`").advice
    assert told(HEAD.replace("v1.2", "draft-3") + "inputs: []\noutputs: []\nsteps: []\n", "`draft-3`").line == 1
    assert told("class: Workflow\ninputs: []\noutputs: []\nsteps: []\n", "`cwlVersion` is missing").line == 1
    assert told(
        HEAD.replace("v1.2", "v1.0") + workflow("  a: {run: echo.cwl, when: $(1), in: {}, out: []}\n")[33:], "`when`"
    )
    assert told(HEAD + "inputs: {a: Fiel}\noutputs: []\nsteps: []\n", "`Fiel` is no type").node == "a"
    own = HEAD + "$namespaces: {my: 'http://e.org/'}\nmy:colour: blue\ninputs: []\noutputs: []\nsteps: []\n"
    assert read({"main.cwl": own}, "main.cwl").problems == ()


def test_ids_that_stand_twice() -> None:
    text = HEAD + "inputs:\n  - {id: a, type: int}\n  - {id: a, type: int}\noutputs: []\nsteps: []\n"
    assert (told(text, "stands twice").line, told(text, "stands twice").node) == (5, "a")
    clash = workflow("  text: {run: echo.cwl, in: {text: text}, out: [said]}\n")
    document = read({"main.cwl": clash, "echo.cwl": ECHO}, "main.cwl")
    assert [node.id for node in document.graph.nodes] == ["text", "step:text"]
    assert "is an input and a step" in document.problems[0].message


def test_software_and_network_are_warned_of() -> None:
    tool = ECHO + "requirements:\n  DockerRequirement: {dockerPull: 'a/b:1'}\n  NetworkAccess: {networkAccess: true}\n"
    document = read({"main.cwl": tool + "hints: [{class: DockerRequirement, dockerPull: c}]\n"}, "main.cwl")
    assert [(each.severity, each.line) for each in document.problems] == [("warning", 8), ("warning", 9)]
    assert document.ok
    assert [(image.name, image.required, image.line) for image in document.images] == [
        ("a/b:1", True, 8),
        ("c", False, 10),
    ]
    typo = read({"main.cwl": ECHO + "requirements: {DockerRequirment: {}}\n"}, "main.cwl")
    assert "`DockerRequirement`" in typo.problems[0].advice


def test_includes_stay_in_the_bundle() -> None:
    text = ECHO + "requirements:\n  InlineJavascriptRequirement:\n    expressionLib:\n      - $include: ../lib.js\n"
    assert told(text, "leads out of the bundle").line == 10
    inside = text.replace("../lib.js", "lib.js")
    document = read({"main.cwl": inside, "lib.js": "var a;"}, "main.cwl")
    assert document.problems == ()
    assert document.files_used == ("main.cwl", "lib.js")


def test_imports_in_a_circle_end() -> None:
    files = {"main.cwl": HEAD + "inputs: {$import: a.yml}\noutputs: []\nsteps: []\n", "a.yml": "$import: b.yml\n"}
    document = read({**files, "b.yml": "$import: a.yml\n"}, "main.cwl")
    assert any("circle" in each.message for each in document.problems)


def laughs(levels: int) -> str:
    """Return a document whose aliases blow up tenfold a level."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x: " + "a" * 50_000_000, "the most"),
        ("x: " + "[" * 50_000 + "]" * 50_000, "nested deeper"),
        ("- " * 50_000 + "a", "nested deeper"),
        ("".join(f"{' ' * n}a:\n" for n in range(500)), "nested deeper"),
        (laughs(9), "Aliases"),
        ("a: &a [*a]", "inside what it repeats"),
        ("[" + "1," * 400_000 + "]", "more than"),
        ("a: " + "1" * 5000 + "\n", ""),
        ("a: " + "'" * 99_999, ""),
        ("{" * 900_000, ""),
        ("&a " * 300_000, ""),
        ("? " * 300_000, ""),
    ],
    ids=[
        "50 MB",
        "flow",
        "dashes",
        "block",
        "laughs",
        "itself",
        "values",
        "number",
        "quotes",
        "braces",
        "anchors",
        "keys",
    ],
)
def test_hostile_documents_are_told_quickly(text: str, words: str) -> None:
    began = time.monotonic()
    document = read({"main.cwl": text}, "main.cwl")
    assert time.monotonic() - began < 60
    assert document.problems
    assert words in document.problems[0].message
    assert document.problems[0].line <= 500


def test_a_bundle_has_its_limits() -> None:
    large = {f"f{n}.cwl": "#" * 999_000 for n in range(6)}
    document = read({"main.cwl": HEAD, **large}, "main.cwl")
    assert "The bundle holds" in document.problems[0].message
    assert "not in the bundle" in read({}, "main.cwl").problems[0].message


def chain(length: int) -> dict[str, str]:
    """Return workflows, each of which runs the next one."""
    files = {f"w{n}.cwl": workflow(f"  a: {{run: w{n + 1}.cwl, in: {{}}, out: []}}\n", more=SUB) for n in range(length)}
    return {**files, f"w{length}.cwl": workflow("  a: {run: w0.cwl, in: {}, out: []}\n")}


def test_workflows_in_workflows_end_somewhere() -> None:
    began = time.monotonic()
    document = read(chain(60), "w0.cwl")
    assert any("inside one another" in each.message for each in document.problems)
    circle = read(chain(3), "w0.cwl")
    assert any(each.message == "The workflow runs itself." and each.node == "a/a/a/a" for each in circle.problems)
    assert time.monotonic() - began < 60


def doubling(levels: int) -> dict[str, str]:
    """Return workflows that run the next one twice: 2^levels steps once unfolded."""
    files = {
        f"w{n}.cwl": workflow(
            "".join(f"  {name}: {{run: w{n + 1}.cwl, in: {{text: text}}, out: []}}\n" for name in "ab"), more=SUB
        )
        for n in range(levels)
    }
    return {**files, f"w{levels}.cwl": workflow("  a: {run: echo.cwl, in: {text: text}, out: []}\n"), "echo.cwl": ECHO}


def test_a_workflow_that_is_run_often_is_read_once() -> None:
    began = time.monotonic()
    document: Document = read(doubling(8), "w0.cwl")
    assert document.ok
    assert document.graph.node("a/b/a/b") is not None
    bomb = read(doubling(18), "w0.cwl")
    assert time.monotonic() - began < 60
    assert any("unfold to more than" in each.message for each in bomb.problems)


def test_reading_is_quick() -> None:
    steps = "".join(
        f"  s{n}:\n    label: Step {n}\n    run: echo.cwl\n    in:\n      text:\n"
        f"        source: {'text' if n == 0 else f's{n - 1}/said'}\n        valueFrom: $(self.path)\n"
        f"      number: {{default: {n}}}\n    out: [said]\n"
        for n in range(300)
    )
    files = {"main.cwl": workflow(steps, more="requirements: {StepInputExpressionRequirement: {}}\n"), "echo.cwl": ECHO}
    times = []
    for _ in range(5):
        began = time.process_time()
        document = read(files, "main.cwl")
        times.append(time.process_time() - began)
    assert document.problems == ()
    assert len(document.graph.nodes) == 301
    assert min(times) < 5  # seconds of CPU; 0.06 where this was written


def test_types_that_grow_without_end_are_told_quickly() -> None:
    began = time.monotonic()
    itself = HEAD + "inputs:\n  a: {type: {type: record, fields: {x: {$import: main.cwl}, y: {$import: main.cwl}}}}\n"
    document = read({"main.cwl": itself + "outputs: []\nsteps: []\n"}, "main.cwl")
    assert any("import themselves" in each.message for each in document.problems)
    types = [
        {"name": f"t{n}", "type": "record", "fields": {f"f{m}": f"t{n + 1}" if n < 18 else "int" for m in range(9)}}
        for n in range(19)
    ]
    named = HEAD + f"requirements: {{SchemaDefRequirement: {{types: {json.dumps(types)}}}}}\ninputs: {{a: t0}}\n"
    document = read({"main.cwl": named + "outputs: []\nsteps: []\n"}, "main.cwl")
    assert any("too large a type" in each.message for each in document.problems)
    circle = HEAD + "inputs: [{$import: a.yml}]\noutputs: []\nsteps: []\n"
    document = read({"main.cwl": circle, "a.yml": "[{$import: a.yml}]\n"}, "main.cwl")
    assert any("circle" in each.message for each in document.problems)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        ("ResourceRequirement: {coresMin: many}", "`coresMin` is no amount"),
        ("ResourceRequirement: {ramMin: -5}", "`ramMin` is no amount"),
        ("ResourceRequirement: {ramMin: 5, ramMax: 4}", "`ramMax` is less than `ramMin`"),
        ("ToolTimeLimit: {}", "lacks `timelimit`"),
        ("ToolTimeLimit: 5", "has no fields here"),
        ("NetworkAccess: {networkAccess: maybe}", "neither true nor false"),
        ("LoadListingRequirement: {loadListing: all}", "knows no such value"),
        ("DockerRequirement: {dockerPull: [a]}", "`dockerPull` is no text"),
        ("EnvVarRequirement: {envDef: 3}", "holds no variables"),
        ("EnvVarRequirement: {envDef: {A: {x: 1}}}", "`A` has no text"),
        ("EnvVarRequirement: {envDef: [{envName: A}]}", "lacks its name or its value"),
        ("EnvVarRequirement: {envDef: {A=B: c}}", "can't be the name of a variable"),
        ("InitialWorkDirRequirement: {listing: 5}", "neither a list nor an expression"),
        ("InitialWorkDirRequirement: {listing: [{entryname: x}]}", "An entry of `listing` is no file"),
        ("InlineJavascriptRequirement: {expressionLib: 5}", "`expressionLib` is no list"),
        ("InlineJavascriptRequirement: {expressionLib: [[]]}", "A part of `expressionLib` is no text"),
    ],
)
def test_what_a_requirement_cannot_hold_is_told_at_its_line(requirement: str, words: str) -> None:
    steps = f"  a:\n    run: echo.cwl\n    in: {{text: text}}\n    out: []\n    requirements:\n      {requirement}\n"
    problem = told(workflow(steps), words)
    assert (problem.line, problem.node, problem.severity) == (12, "a", "error")
    hint = told(workflow(steps.replace("requirements", "hints")), words)
    assert hint.severity == "warning"


@pytest.mark.parametrize(
    "requirement",
    [
        "ResourceRequirement: {coresMin: 0.5, ramMin: $(inputs.number), tmpdirMin: 1}",
        "EnvVarRequirement: {envDef: [{envName: A, envValue: b}]}",
        "EnvVarRequirement: {envDef: {A: 1, B: $(inputs.text), C: {envValue: x}}}",
        "InitialWorkDirRequirement: {listing: [$(inputs.text), {entry: x}, {class: File, contents: y}, null]}",
        "InitialWorkDirRequirement: {listing: $(inputs.text)}",
        "InlineJavascriptRequirement:",
        "WorkReuse: {enableReuse: $(inputs.text)}",
    ],
)
def test_what_a_requirement_may_hold_is_no_problem(requirement: str) -> None:
    steps = f"  a:\n    run: echo.cwl\n    in: {{text: text}}\n    out: []\n    requirements:\n      {requirement}\n"
    document = read({"main.cwl": workflow(steps), "echo.cwl": ECHO}, "main.cwl")
    assert [one for one in document.problems if one.node == "a"] == []
