"""Documents become graphs with typed ports, links and problems at their lines."""

from __future__ import annotations

from cwl_graph import Document, Problem, check_job, job_text, layout, read, read_job

COUNT = """cwlVersion: v1.2
class: CommandLineTool
label: Count lines
baseCommand: [wc, -l]
inputs:
  file:
    type: File
    doc: What is counted.
  words: boolean?
stdout: count.txt
outputs:
  count: stdout
"""
TWO = """cwlVersion: v1.2
class: Workflow
label: Count twice
requirements:
  ScatterFeatureRequirement: {}
inputs:
  texts: File[]
  seconds: {type: int, default: 3}
outputs:
  counts:
    type: File[]
    outputSource: count/count
steps:
  count:
    run: catalogue/count/1.0.cwl
    scatter: file
    in:
      file: texts  # one each
    out: [count]
"""
FILES = {"main.cwl": TWO, "catalogue/count/1.0.cwl": COUNT}


def problem(document: Document, words: str) -> Problem:
    """Return the one problem whose message holds these words."""
    found = [each for each in document.problems if words in each.message]
    assert len(found) == 1, document.problems
    return found[0]


def test_a_workflow_becomes_a_graph() -> None:
    document = read(FILES, "main.cwl")
    assert document.problems == ()
    assert (document.cwl_class, document.cwl_version, document.label) == ("Workflow", "v1.2", "Count twice")
    assert [(node.id, node.kind) for node in document.graph.nodes] == [
        ("texts", "input"),
        ("seconds", "input"),
        ("count", "step"),
        ("counts", "output"),
    ]
    step = document.graph.node("count")
    assert step is not None
    assert (step.title, step.run_class, step.first_line, step.last_line) == ("Count lines", "CommandLineTool", 14, 19)
    assert [(port.id, port.type.text, port.optional) for port in step.ports_in] == [
        ("file", "File", False),
        ("words", "boolean?", True),
    ]
    assert [port.type.text for port in step.ports_out] == ["File[]"]
    assert [(link.id, link.fit, link.line) for link in document.graph.links] == [
        ("texts/texts->count/file", "fits", 18),
        ("count/count->counts/counts", "fits", 12),
    ]
    assert [(use.slug, use.version, use.present, use.nodes) for use in document.uses] == [
        ("count", "1.0", True, ("count",))
    ]


def test_a_missing_step_of_the_catalogue_is_a_use_and_a_problem() -> None:
    document = read({"main.cwl": TWO}, "main.cwl")
    assert [use.present for use in document.uses] == [False]
    found = problem(document, "is missing")
    assert (found.line, found.node) == (15, "count")


def test_inputs_are_a_form() -> None:
    fields = read(FILES, "main.cwl").inputs
    assert [(field.name, field.type.text, field.optional, field.default) for field in fields] == [
        ("texts", "File[]", False, None),
        ("seconds", "int", True, 3),
    ]


def test_a_layout_runs_from_left_to_right() -> None:
    graph = read(FILES, "main.cwl").graph
    placed = layout(graph)
    assert placed == layout(graph)
    lefts = [placed.boxes[name][0] for name in ("texts", "count", "counts")]
    assert lefts == sorted(lefts)
    assert set(placed.paths) == {link.id for link in graph.links}


def test_a_job_order_is_checked_at_its_line() -> None:
    document = read(FILES, "main.cwl")
    text = "texts:\n  - {class: File, location: /data/a.txt}\n  - b.txt\nseconds: three\nsecond: 1\n"
    job, problems = read_job(text)
    assert problems == []
    found = check_job(document, job, text=text)
    assert [(each.line, each.node, each.severity) for each in found] == [
        (3, "texts", "error"),
        (4, "seconds", "error"),
        (5, "second", "warning"),
    ]
    assert read_job(job_text(job))[0] == read_job(job_text(job, "json"))[0] == job
