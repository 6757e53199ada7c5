"""Everything that the page of one run shows beyond its state: graph, timeline, steps, the head, outputs, a live log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone

import cwl_graph
from spacelab.pipelines import drawing
from spacelab.runs import folders, queries
from spacelab.runs.models import KeptBundle, Run, RunJob
from spacelab.runs.rules import WAITING, JobState, State
from spacelab.runs.viewing import failures, figures, outputs, states, texts, timeline, unrun
from spacelab.runs.viewing.comparing import Side
from spacelab.runs.viewing.given import values_of
from spacelab.runs.viewing.states import StepView

TAIL_BYTES = 16_384
STEPS_SHOWN = 60
OTHERS_SHOWN = 20
GRAPHS_KEPT = 32
SHOWN_AT_ONCE = 1_000_000
"""Bytes of an only output that is shown without being asked for."""


@dataclass(frozen=True)
class Tail:
    """The end of what the most telling job printed: the first that failed, else one that runs, else the last."""

    job: RunJob
    stream: str
    text: str


@lru_cache(maxsize=GRAPHS_KEPT)
def graph_of(digest: str, main: str) -> tuple[cwl_graph.Graph, cwl_graph.Layout]:
    """Read the graph of kept documents and place its boxes; the last ones are remembered."""
    files = KeptBundle.objects.only("files").get(digest=digest).files
    graph = cwl_graph.read(files, main).graph
    return graph, cwl_graph.layout(graph if len(graph.nodes) <= drawing.MOST_NODES else cwl_graph.Graph())


def parts_of(run: Run) -> dict[str, Any]:
    """Collect the parts of a run's page, all of them bounded, whoever looks at it."""
    now = run.ended_at or timezone.now()
    summed = figures.figures_of(run)
    graph, placed = graph_of(run.bundle_id, run.main)
    needs = needs_of(graph)
    steps = unrun.settle(states.views_of(run.steps, summed, now=now), needs, run.state)
    failure = failures.failure_of(run)
    tail = tail_of(run, failure.job if failure else None)
    return {
        "steps": states.most_telling(steps, STEPS_SHOWN),
        "steps_left_out": max(len(steps) - STEPS_SHOWN, 0),
        "drawing": _drawn(run, graph, placed, steps),
        "timeline": timeline.draw(
            steps,
            figures.spans_of(run),
            launched=run.created_at,
            started=run.started_at,
            end=now,
            needs=needs,
        ),
        "failure": failure,
        "troubles": failures.troubles_of(run),
        "tail": tail,
        "log_shown": _is_log_shown(run, failure, tail),
        "inputs": values_of(run, _in_order(run, run.job, "input")),
        **outputs_of(run),
    }


def _is_log_shown(run: Run, failure: failures.Failure | None, tail: Tail | None) -> bool:
    """Say whether the log says something that the head of the page doesn't say already."""
    if not run.is_final:
        return True
    text = tail.text.strip() if tail else ""
    return bool(text) and (failure is None or text != failure.last_lines.strip())


def _drawn(run: Run, graph: cwl_graph.Graph, placed: cwl_graph.Layout, steps: Sequence[StepView]) -> drawing.Drawing:
    """Draw the graph with a state at each step; a box leads to its job, or to the list of a scatter's jobs."""
    shown = _before(run, graph) | {
        step.id: drawing.BoxState(step.state, step.line, step.cpu_share or None, step.note, address_of(run, step))
        for step in steps
    }
    return drawing.draw(graph, run.title, states=shown, placed=placed)


def _before(run: Run, graph: cwl_graph.Graph) -> dict[str, drawing.BoxState]:
    """Say how boxes stand of which no step has told: what is drawn before the start can only then follow it."""
    words = "⊘ none" if run.state == State.SUCCEEDED else "⊘ not made"
    unmade = drawing.BoxState(states.NOT_RUN, words) if run.is_final else drawing.BoxState(WAITING, "")
    found = {
        node.id: drawing.BoxState(JobState.SUCCEEDED, "") if run.outputs.get(node.name) is not None else unmade
        for node in graph.nodes
        if node.kind == "output" and not run.only_step
    }
    if run.steps:
        return found
    waits = drawing.BoxState(states.NOT_RUN, "⊘ not run") if run.is_final else drawing.BoxState(WAITING, "○ waiting")
    names = [name for name in needs_of(graph) if not run.only_step or f"{name}/".startswith(f"{run.only_step}/")]
    return found | dict.fromkeys(names, waits)


def boxes_of(drawn: drawing.Drawing) -> dict[str, drawing.DrawnBox]:
    """List the boxes that change while a run goes on, in subworkflows too: element id → box."""
    found = {f"box-{box.path}": box for box in drawn.boxes if box.state is not None}
    for _, inner in drawn.subs:
        found |= boxes_of(inner)
    return found


def address_of(run: Run, step: StepView) -> str:
    """Return where a step leads to: its one job, or its list of jobs; nothing before it has begun."""
    if step.only_job:
        return reverse("runs:job-page", args=[run.pk, step.only_job])
    return f"{reverse('runs:jobs', args=[run.pk])}?step={quote(step.id, safe='')}" if step.count else ""


def needs_of(
    graph: cwl_graph.Graph, prefix: str = "", outer: frozenset[str] = frozenset()
) -> dict[str, frozenset[str]]:
    """Say which steps each step waits for, by their paths; those inside a subworkflow wait for what it waits for."""
    steps = {node.id for node in graph.nodes if node.kind == "step"}
    before: dict[str, set[str]] = {name: set(outer) for name in steps}
    for link in graph.links:
        if link.target_node in steps and link.source_node in steps:
            before[link.target_node].add(prefix + link.source_node)
    found = {prefix + name: frozenset(needed) for name, needed in before.items()}
    for node in graph.nodes:
        if node.sub is not None:
            found |= needs_of(node.sub, f"{prefix}{node.id}/", found[prefix + node.id])
    return found


def _in_order(run: Run, values: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Put values in the order in which the document declares their inputs or outputs: PostgreSQL's JSON keeps none."""
    graph, _ = graph_of(run.bundle_id, run.main)
    declared = [node.name for node in graph.nodes if node.kind == kind]
    return {name: values[name] for name in declared if name in values} | dict(values)


def outputs_of(run: Run) -> dict[str, Any]:
    """List a run's outputs; they are delivered at its end, so nothing is looked for before."""
    if not run.is_final:
        return {"outputs": [], "others": [], "others_left_out": 0, "only_file": False}
    start = len(run.results) + 1
    there = {entry.inside[start:]: entry.size for entry in queries.results_of(run)}
    listed, others = outputs.list_outputs(_in_order(run, run.outputs, "output"), run.results, there)
    files = [file for one in listed for file in one.files]
    return {
        "outputs": listed,
        "others": others[:OTHERS_SHOWN],
        "others_left_out": max(len(others) - OTHERS_SHOWN, 0),
        "only_file": len(listed) == len(files) == 1 and (files[0].size or 0) <= SHOWN_AT_ONCE,
    }


def tail_of(run: Run, failed: RunJob | None) -> Tail | None:
    """Return the end of what the most telling job printed; None where no job has begun."""
    job = failed or (
        run.jobs.filter(state=JobState.RUNNING).order_by("-number").first()
        or run.jobs.filter(started_at__isnull=False).order_by("-number").first()
    )
    return Tail(job, *log_end(run, job.job)) if job is not None else None


def log_end(run: Run, job: str) -> tuple[str, str]:
    """Return which stream of a job has something to read, and the end of it: errors come first."""
    for stream in ("stderr", "stdout"):
        text = texts.clean(folders.read_log(run.pk, job, stream, since=-TAIL_BYTES))
        if text.strip():
            return stream, text
    return "stderr", ""


def side_of(run: Run) -> Side:
    """Return what is compared of a run."""
    end: datetime | None = run.ended_at
    seconds = (end - run.started_at).total_seconds() if end and run.started_at else None
    return Side(
        version=run.version_name + (f", step {run.only_step} alone" if run.only_step else ""),
        files=run.bundle.files,
        main=run.main,
        job=_in_order(run, run.job, "input"),
        outputs=_in_order(run, run.outputs, "output"),
        state=run.state,
        reason=run.reason,
        profile=run.profile,
        seconds=seconds,
        environments=run.environments,
        steps=states.views_of(run.steps, figures.figures_of(run), now=end or timezone.now()),
    )
