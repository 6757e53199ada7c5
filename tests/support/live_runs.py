"""Runs on a running platform: pipelines put into its catalogue, launched and waited for by the API."""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.client import Client
from support.platform import Platform

ENDS = {"succeeded", "failed", "cancelled", "interrupted"}
GATHER = {
    "main.cwl": """cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}, InlineJavascriptRequirement: {}}
inputs:
  texts: Directory
  seconds: {type: float, default: 0.1}
  breaks: {type: string, default: nothing}
outputs:
  gathered: {type: File, outputSource: gather/out}
steps:
  list:
    run:
      class: ExpressionTool
      inputs: {folder: {type: Directory, loadListing: shallow_listing}}
      outputs: {files: "File[]"}
      expression: |
        ${
          function isFile(one) {return one['class'] == 'File';}
          function byName(a, b) {return a.basename < b.basename ? -1 : 1;}
          return {files: inputs.folder.listing.filter(isFile).sort(byName)};
        }
    in: {folder: texts}
    out: [files]
  count:
    run: count.cwl
    scatter: text
    in: {text: list/files, seconds: seconds, breaks: breaks}
    out: [counted]
  gather:
    run: gather.cwl
    in: {counts: count/counted}
    out: [out]
""",
    "count.cwl": """cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, 'sleep "$1"; grep -q "$2" && exit 7; wc -l < "$3"', count]
inputs:
  seconds: {type: float, inputBinding: {position: 1}}
  breaks: {type: string, inputBinding: {position: 2}}
  text: {type: File, inputBinding: {position: 3}}
stdin: $(inputs.text.path)
stdout: $(inputs.text.nameroot).count
outputs: {counted: {type: stdout}}
""",
    "gather.cwl": """cwlVersion: v1.2
class: CommandLineTool
baseCommand: cat
inputs: {counts: {type: "File[]", inputBinding: {}}}
stdout: gathered.txt
outputs: {out: {type: stdout}}
""",
}
"""Lists a folder when it runs, counts the lines of each file, and puts the counts together."""

MAKE = """
import json, sys
from spacelab.accounts.models import Person
from spacelab.pipelines import actions
from spacelab.pipelines.models import Pipeline
wanted = json.loads({wanted!r})
if not Pipeline.objects.filter(slug=wanted["slug"]).exists():
    actions.create(by=Person.objects.get(username={username!r}), **wanted)
"""


def put(platform: Platform, slug: str, files: dict[str, str], username: str = "demo-scientist") -> None:
    """Write a draft of a person's into the platform's catalogue, unless it is there."""
    wanted = json.dumps({"slug": slug, "files": files, "main": "main.cwl", "version": "1.0"})
    made = platform.command("shell", "-c", MAKE.format(wanted=wanted, username=username))
    assert made.returncode == 0, made.stderr


def workspace_of(platform: Platform, username: str = "demo-scientist") -> Path:
    """Return a person's workspace on the disk; it is made with her first launch."""
    folder = platform.state / "volumes" / "people" / username / "workspace"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def texts(platform: Platform, name: str, number: int, username: str = "demo-scientist") -> dict[str, str]:
    """Put a folder of texts that no run has seen into a person's workspace; return it as a job order names it."""
    folder = workspace_of(platform, username) / name
    folder.mkdir(exist_ok=True)
    token = secrets.token_hex(4)
    for one in range(number):
        (folder / f"text-{one:03}.txt").write_text(f"{token} is a line\n" * (one + 1))
    return {"class": "Directory", "location": f"/media/user/{name}"}


def launch(client: Client, pipeline: str, **wanted: Any) -> str:
    """Launch a pipeline; return the run's id."""
    answer = client.api("POST", "/runs", json={"pipeline": pipeline, "profile": "medium", **wanted})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def run_of(client: Client, run: str) -> dict[str, Any]:
    """Return what the API says of a run."""
    found: dict[str, Any] = client.api("GET", f"/runs/{run}").raise_for_status().json()
    return found


def seen(client: Client, run: str, seconds: float = 240) -> Iterator[dict[str, Any]]:
    """Yield what the API says of a run again and again until it has ended, the end as well."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = run_of(client, run)
        yield found
        if found["state"] in ENDS:
            return
        time.sleep(0.1)
    raise AssertionError(f"the run has not ended after {seconds} s: {run_of(client, run)}")


def ended(client: Client, run: str, seconds: float = 240) -> dict[str, Any]:
    """Wait until a run has ended; return what the API says of it."""
    return list(seen(client, run, seconds))[-1]


def events_of(platform: Platform, run: str) -> list[dict[str, Any]]:
    """Read what the coordinator told."""
    file: Path = platform.state / "runs" / run / "events.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]


def starts_of(platform: Platform, run: str) -> dict[str, int]:
    """Count for each job how often its command was started."""
    found: dict[str, int] = {}
    for event in events_of(platform, run):
        if event["event"] == "job-started":
            found[event["job"]] = found.get(event["job"], 0) + 1
    return found


def kill_all_of(platform: Platform, run: str) -> None:
    """Kill every process of a run at once, as a machine does that loses its power."""
    script = f"from spacelab.runs.models import Run; print(Run.objects.get(pk={run!r}).workload_id)"
    workload = platform.command("shell", "-c", script).stdout.split()[-1]
    found = json.loads((platform.state / "run" / workload / "process.json").read_text())
    os.kill(found["child-pid"], signal.SIGKILL)  # the first of its own pid namespace: all others end with it


def output(client: Client, run: dict[str, Any], name: str) -> str:
    """Return the text of a file among a run's outputs."""
    return client.api("GET", f"/workspace/files/{run['results']}/{name}").raise_for_status().text


@contextmanager
def demo_client(platform: Platform) -> Iterator[Client]:
    """Sign the demo scientist in."""
    client = Client(platform)
    try:
        yield client
    finally:
        client.http.close()
