"""Runs whose pages are looked at: a small science pipeline with a scatter, as far as a test wants it to be."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

from PIL import Image, ImageDraw

from spacelab.accounts.models import Person
from spacelab.runs.choosing import Source
from spacelab.runs.models import Run
from spacelab.workloads.rules import Phase
from support.runs import Coordinator, launch, workspace_of

WORKFLOW = """cwlVersion: v1.2
class: Workflow
label: Sources in dithered frames
inputs:
  frames: File[]
  dark: File
  threshold: float
outputs:
  catalogue: {type: File, outputSource: merge/catalogue}
  mosaic: {type: File, outputSource: stack/mosaic}
  plot: {type: File, outputSource: report/plot}
  sources: {type: int, outputSource: merge/sources}
steps:
  calibrate:
    label: Calibrate frames
    run: calibrate.cwl
    scatter: frame
    in: {frame: frames, dark: dark}
    out: [frame]
  stack:
    label: Stack
    run: stack.cwl
    in: {frames: calibrate/frame}
    out: [mosaic]
  detect:
    label: Detect sources
    run: detect.cwl
    scatter: frame
    in: {frame: calibrate/frame, threshold: threshold}
    out: [table]
  merge:
    label: Merge catalogues
    run: merge.cwl
    in: {tables: detect/table}
    out: [catalogue, sources]
  report:
    label: Report
    run: report.cwl
    in: {catalogue: merge/catalogue, mosaic: stack/mosaic}
    out: [plot]
"""
TOOL = """cwlVersion: v1.2
class: CommandLineTool
baseCommand: [python3, -m, astro.{name}]
inputs:
{inputs}
outputs:
{outputs}
"""
TOOLS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "calibrate": ({"frame": "File", "dark": "File"}, {"frame": "File"}),
    "stack": ({"frames": "File[]"}, {"mosaic": "File"}),
    "detect": ({"frame": "File", "threshold": "float"}, {"table": "File"}),
    "merge": ({"tables": "File[]"}, {"catalogue": "File", "sources": "int"}),
    "report": ({"catalogue": "File", "mosaic": "File"}, {"plot": "File"}),
}
SCATTERED = ("calibrate", "detect")
STEPS = [
    {"id": name, "label": label, "run": f"{name}.cwl", "scatter": name in SCATTERED, "parent": ""}
    for name, label in (
        ("calibrate", "Calibrate frames"),
        ("stack", "Stack"),
        ("detect", "Detect sources"),
        ("merge", "Merge catalogues"),
        ("report", "Report"),
    )
]
REASON = "The command ended with exit code 1: 'threshold must be positive'."
ADVICE = "Look at its last lines, change the input or the step, and retry: finished jobs are not repeated."
PRINTED = """[2026-11-21 18:03:11] reading frame_004.fits
\x1b[33mWARNING\x1b[0m: 17 pixels are saturated
Traceback (most recent call last):
  File "/usr/lib/python3/astro/detect.py", line 41, in main
    sources = find_sources(image, threshold)
  File "/usr/lib/python3/astro/detect.py", line 12, in find_sources
    raise ValueError("threshold must be positive")
ValueError: threshold must be positive
"""


def tool(name: str) -> str:
    """Write one of the tools."""
    inputs, outputs = TOOLS[name]
    given = "\n".join(f"  {key}: {{type: '{kind}', inputBinding: {{prefix: --{key}}}}}" for key, kind in inputs.items())
    made = "\n".join(f"  {key}: {{type: {kind}, outputBinding: {{glob: {key}.*}}}}" for key, kind in outputs.items())
    return TOOL.format(name=name, inputs=given, outputs=made)


def source(version: str = "1.2", changed: Mapping[str, str] | None = None) -> Source:
    """Return the pipeline's documents, some of them changed."""
    files = {"main.cwl": WORKFLOW, **{f"{name}.cwl": tool(name) for name in TOOLS}, **(changed or {})}
    return Source(slug="sources", title="Sources in frames", version=version, files=files, main="main.cwl")


def science(
    person: Person,
    *,
    frames: int = 8,
    threshold: float = 3.0,
    version: str = "1.2",
    changed: Mapping[str, str] | None = None,
) -> Run:
    """Launch it over so many frames of the person's workspace."""
    root = workspace_of(person) / "frames"
    root.mkdir(parents=True, exist_ok=True)
    names = [f"frame_{number:03}.fits" for number in range(frames)]
    for name in ("dark.fits", *names):
        (root / name).touch()
    files = [{"class": "File", "location": f"/media/user/frames/{name}"} for name in names]
    job = {
        "frames": files,
        "dark": {"class": "File", "location": "/media/user/frames/dark.fits"},
        "threshold": threshold,
    }
    return launch(person, job=job, source=source(version, changed), title=f"M 67, {frames} frames")


class Story(Coordinator):
    """Tells a run with times of its own: seconds since a moment in the past."""

    def __init__(self, run: Run, *, ago: float = 120.0) -> None:
        super().__init__(run)
        self.zero = time.time() - ago
        Run.objects.filter(pk=run.pk).update(created_at=datetime.fromtimestamp(self.zero - 6, UTC))

    def tell(self, at: float, event: str, **values: Any) -> None:
        """Append one event that happened so many seconds after the start."""
        self.say(event, **{**values, "at": self.zero + at})

    def job(self, job: str, began: float, ended: float | None, state: str = "succeeded", **values: Any) -> None:
        """Tell a job's start, and its end unless it goes on."""
        step, _, index = job.partition(".")
        command = ["python3", "-m", f"astro.{step}", "--frame", f"/media/user/frames/frame_{int(index or 0):03}.fits"]
        place = [int(index)] if index else None
        inputs = values.pop("inputs", {"frame": {"class": "File", "location": command[-1], "size": 8_640_000}})
        self.tell(
            began,
            "job-started",
            step=step,
            job=job,
            index=place,
            **{"try": values.pop("tries", 1)},
            command=command,
            inputs=inputs,
            image="software/photometry:1",
            environment="photometry-1",
        )
        if ended is not None:
            times = {"started_at": self.zero + began, "ended_at": self.zero + ended}
            figures = {
                "exit_code": 0 if state == "succeeded" else 1,
                "cpu_seconds": (ended - began) * 0.93,
                "memory_bytes": 310 * 10**6,
            }
            self.tell(
                ended, "job-ended", step=step, job=job, state=state, **{**figures, **times, "outputs": {}, **values}
            )

    def opened(self, steps: Sequence[dict[str, Any]] = STEPS) -> None:
        """Tell that the run has started."""
        self.tell(0, "run-started", cwl_version="v1.2", main="main.cwl", steps=list(steps))

    def scattered(self, step: str, count: int, at: float) -> None:
        """Tell that a step is scattered over so many."""
        self.tell(at, "scatter", step=step, count=count)

    def step_ended(self, step: str, state: str, at: float) -> None:
        """Tell the end of a step."""
        self.tell(at, "step-ended", step=step, state=state)


def calibrated(story: Story, frames: int) -> None:
    """Tell a run up to where all frames are calibrated, two at a time."""
    story.opened()
    story.scattered("calibrate", frames, 0.1)
    for number in range(frames):
        began = 0.3 + number // 2 * 4.1
        story.job(f"calibrate.{number}", began, began + 3.6 + number % 2 * 0.4)
    story.step_ended("calibrate", "succeeded", frames / 2 * 4.1 + 0.3)


def failed(person: Person, frames: int = 8) -> Run:
    """Make a run of which one job of a scatter failed."""
    run = science(person, frames=frames)
    story = Story(run)
    calibrated(story, frames)
    at = frames / 2 * 4.1 + 0.5
    story.job("stack", at, at + 9.2)
    story.step_ended("stack", "succeeded", at + 9.3)
    story.scattered("detect", frames, at)
    for number in range(frames // 2):
        story.job(f"detect.{number}", at + number * 2.2, at + number * 2.2 + 2)
    bad = f"detect.{frames // 2}"
    story.print(bad, PRINTED)
    story.job(bad, at + 9, at + 10.4, "failed", tries=2, reason=REASON, advice=ADVICE)
    story.step_ended("detect", "failed", at + 11)
    story.tell(at + 11.1, "run-ended", state="failed", reason="The step “Detect sources” failed.")
    story.carried(Phase.FAILED, exit_code=1)
    return story.followed()


def running(person: Person, frames: int = 8) -> Story:
    """Make a run that is in the middle of its second scatter."""
    story = Story(science(person, frames=frames), ago=frames / 2 * 4.1 + 8)
    story.carried(Phase.RUNNING)
    calibrated(story, frames)
    at = frames / 2 * 4.1 + 0.5
    story.job("stack", at, None)
    story.scattered("detect", frames, at)
    for number in range(3):
        story.job(f"detect.{number}", at + number * 2.2, at + number * 2.2 + 2 if number < 2 else None)
    story.print("detect.2", "reading frame_002.fits\n 10 %\r 60 %\rfound 214 sources\n")
    story.followed()
    return story


def succeeded(
    person: Person, frames: int = 8, *, threshold: float = 3.0, version: str = "1.2", detect: str = ""
) -> Run:
    """Make a run that went well, with its outputs in the workspace."""
    changed = {"detect.cwl": detect} if detect else {}
    run = science(person, frames=frames, threshold=threshold, version=version, changed=changed)
    story = Story(run)
    calibrated(story, frames)
    at = frames / 2 * 4.1 + 0.5
    story.job("stack", at, at + 9.2)
    story.step_ended("stack", "succeeded", at + 9.3)
    story.scattered("detect", frames, at)
    for number in range(frames):
        story.job(f"detect.{number}", at + number * 1.2, at + number * 1.2 + 2)
    done = at + frames * 1.2 + 1
    story.step_ended("detect", "succeeded", done)
    story.job("merge", done + 0.2, done + 1.1)
    story.step_ended("merge", "succeeded", done + 1.2)
    story.job("report", done + 1.4, done + 6)
    story.step_ended("report", "succeeded", done + 6.1)
    story.tell(done + 6.2, "run-ended", state="succeeded", outputs=deliver(run, round(640 / threshold)))
    story.carried(Phase.SUCCEEDED, exit_code=0)
    return story.followed()


def deliver(run: Run, sources: int) -> dict[str, Any]:
    """Write outputs into the run's folder, and return them as the coordinator tells them."""
    root = workspace_of(run.owner) / run.results
    rows = "".join(
        f"{n},{130.1 + n / 977:.5f},{11.8 + n % 31 / 300:.5f},{9 + n % 83 / 11:.3f}\n" for n in range(sources)
    )
    content = {
        "catalogue.csv": b"id,ra,dec,mag\n" + rows.encode(),
        "mosaic.fits": sky(360, 240),
        "plot.png": plot(),
        "report.log": b"214 sources\n" * 40,
    }
    for name, data in content.items():
        (root / name).write_bytes(data)

    def told(name: str) -> dict[str, Any]:
        checksum = f"sha1${sha1(content[name], usedforsecurity=False).hexdigest()}"
        return {
            "class": "File",
            "location": f"/media/user/{run.results}/{name}",
            "size": len(content[name]),
            "checksum": checksum,
        }

    return {
        "catalogue": told("catalogue.csv"),
        "mosaic": told("mosaic.fits"),
        "plot": told("plot.png"),
        "sources": sources,
    }


def sky(width: int, height: int) -> bytes:
    """Draw stars as a FITS image of 16-bit numbers, always the same."""
    values = [[100 + (x * 7919 + y * 104729) % 23 for x in range(width)] for y in range(height)]
    for star in range(90):
        cx, cy, flux = star * 7877 % width, star * 6151 % height, 200 + star**2 * 3
        for y in range(max(cy - 6, 0), min(cy + 7, height)):
            for x in range(max(cx - 6, 0), min(cx + 7, width)):
                values[y][x] += int(flux * 2.718 ** (-((x - cx) ** 2 + (y - cy) ** 2) / 4))
    cards = [f"NAXIS1  = {width:20}", f"NAXIS2  = {height:20}", "BUNIT   = 'ct      '", "OBJECT  = 'M 67    '", "END"]
    head = [
        "SIMPLE  =                    T",
        "BITPIX  =                   16",
        "NAXIS   =                    2",
        *cards,
    ]
    text = "".join(card.ljust(80) for card in head)
    data = b"".join(struct.pack(f">{width}h", *(min(one, 32767) for one in row)) for row in values)
    return text.ljust(-(-len(text) // 2880) * 2880).encode() + data.ljust(-(-len(data) // 2880) * 2880, b"\0")


def plot() -> bytes:
    """Draw a colour-magnitude diagram of sorts."""
    picture = Image.new("RGB", (640, 420), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 20, 620, 380), outline="black")
    for star in range(400):
        x, y = 80 + star * 37 % 500, 40 + (star * 37 % 500) * 3 // 5 + star * 13 % 40
        draw.ellipse((x, y, x + 3, y + 3), fill="#20607a")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
