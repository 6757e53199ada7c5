"""Runs for tests: launched without a coordinator, whose events the test writes itself."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.pipelines import actions as pipeline_actions
from spacelab.runs import actions, folders, upkeep
from spacelab.runs.choosing import Source, Wanted
from spacelab.runs.models import Run
from spacelab.volumes.actions import ensure_areas
from spacelab.volumes.models import Volume
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Phase

HELLO = """cwlVersion: v1.2
class: Workflow
inputs:
  text: File
outputs:
  counted:
    type: File
    outputSource: count/out
steps:
  count:
    run: count.cwl
    in: {text: text}
    out: [out]
"""
COUNT = """cwlVersion: v1.2
class: CommandLineTool
baseCommand: [wc, -c]
inputs:
  text: {type: File, inputBinding: {position: 1}}
outputs:
  out: stdout
stdout: counted.txt
"""
FILES = {"main.cwl": HELLO, "count.cwl": COUNT}
SOURCE = Source(slug="hello", title="Hello", version="1.0", files=FILES, main="main.cwl")
STEPS = [{"id": "count", "label": "", "run": "count.cwl", "scatter": False, "parent": ""}]


def workspace_of(person: Person) -> Path:
    """Return the person's workspace on the disk."""
    ensure_areas(person=person)
    return Path(Volume.objects.get(owner=person, kind="workspace").path)


def file_of(person: Person, name: str = "words.txt", content: str = "some words\n") -> dict[str, str]:
    """Put a file into the person's workspace; return it as a job order names it."""
    file = workspace_of(person) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return {"class": "File", "location": f"/media/user/{name}"}


def launch(person: Person, *, job: dict[str, Any] | None = None, source: Source = SOURCE, **wanted: Any) -> Run:
    """Launch documents, by default one step over a file of the workspace."""
    given = {"text": file_of(person)} if job is None else job
    return actions.launch_documents(
        by=person, source=source, wanted=Wanted(**{"job": given, "profile": "small", **wanted})
    )


class Coordinator:
    """Writes events as a coordinator would, and lets a test see what the platform makes of them."""

    def __init__(self, run: Run, attempt: int = 1) -> None:
        self.run_id = run.pk
        self.attempt = attempt

    @property
    def folder(self) -> Path:
        return folders.run_folder(self.run_id)

    def raw(self, text: str) -> None:
        """Append text to the events as it is."""
        with (self.folder / "events.jsonl").open("a") as file:
            file.write(text)

    def say(self, event: str, **values: Any) -> None:
        """Append one event."""
        self.raw(json.dumps({"at": time.time(), "event": event, "attempt": self.attempt, **values}) + "\n")

    def begin(self, steps: Sequence[dict[str, Any]] = STEPS) -> None:
        """Tell that the run has started."""
        self.say("run-started", cwl_version="v1.2", main="main.cwl", steps=list(steps))

    def start(self, job: str, **values: Any) -> None:
        """Tell that a job has started."""
        step = job.split(".", maxsplit=1)[0]
        self.say("job-started", step=step, job=job, **{"try": 1, "command": ["wc", "-c"], "inputs": {}, **values})

    def end(self, job: str, state: str = "succeeded", **values: Any) -> None:
        """Tell that a job has ended."""
        now = time.time()
        facts = {"exit_code": 0 if state == "succeeded" else 1, "cpu_seconds": 0.5, "memory_bytes": 2**20}
        times = {"started_at": now - 2, "ended_at": now}
        self.say("job-ended", step=job.split(".", maxsplit=1)[0], job=job, state=state, **{**facts, **times, **values})

    def finish(self, state: str = "succeeded", **values: Any) -> None:
        """Tell the end of the run."""
        self.say("run-ended", state=state, **values)

    def print(self, job: str, text: str, stream: str = "stderr") -> None:
        """Print as a job would."""
        folder = self.folder / "jobs" / job
        folder.mkdir(parents=True, exist_ok=True)
        (folder / stream).write_text(text)

    def carried(self, phase: Phase, **values: Any) -> None:
        """Bring the workload of the run to a phase, as the controller would."""
        run = Run.objects.get(pk=self.run_id)
        values |= {"ended_at": timezone.now()} if phase in {Phase.STOPPED, Phase.SUCCEEDED, Phase.FAILED} else {}
        Workload.objects.filter(pk=run.workload_id).update(phase=phase, **values)

    def followed(self) -> Run:
        """Have the controller look once; return the run as it is then."""
        upkeep.follow_runs()
        return Run.objects.select_related("workload", "owner").get(pk=self.run_id)

    def all_well(self) -> Run:
        """Run the one step to its good end."""
        self.begin()
        self.start("count")
        self.end("count", outputs={"out": {"class": "File", "location": "/media/user/results/x/counted.txt"}})
        self.say("step-ended", step="count", state="succeeded")
        self.finish(outputs={"counted": {"class": "File", "location": "/media/user/results/x/counted.txt"}})
        self.carried(Phase.SUCCEEDED, exit_code=0)
        return self.followed()


MANY = """cwlVersion: v1.2
class: CommandLineTool
baseCommand: [echo]
inputs:
  picture: {type: File, label: A picture, doc: Of the sky., format: "edam:format_3464"}
  tables: {type: "File[]?"}
  folder: Directory?
  exposures: int
  scale: {type: float, default: 0.5}
  words: string?
  flag: boolean?
  band: {type: {type: enum, symbols: [g, r, i]}}
  place: {type: {type: record, fields: {ra: float, dec: float}}}
  free: {type: ["null", string, {type: array, items: {type: array, items: int}}]}
  indexed: {type: File?, secondaryFiles: [.idx]}
outputs: {}
"""


def make_pipeline(person: Person, slug: str = "hello", files: dict[str, str] | None = None, **values: Any) -> Any:
    """Write a pipeline of the person's own; return its version."""
    given = FILES if files is None else files
    return pipeline_actions.create(by=person, slug=slug, files=given, main="main.cwl", **{"title": "Hello", **values})
