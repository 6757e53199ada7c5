"""The main job, step by step: sign in, launch beside an archive, compute, check the answer, stop, find the result."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spacelab.site.demo.kernel import Kernel
from spacelab.site.demo.portal import Portal
from spacelab.site.demo.report import DemoError, Report

LAUNCH_PATIENCE = 180.0
"""Seconds that a launch may take altogether."""

WRITE = """
import os
path = os.environ.get("SPACELAB_DATA", "/data") + "/VOLUME/written-by-the-demo"
try:
    open(path, "w").close()
    os.remove(path)
    print("written")
except OSError as error:
    print(error.strerror)
"""
"""What a cell does to find out whether an archive is protected; it leaves nothing behind."""


@dataclass(frozen=True)
class Question:
    """A notebook that travels with an archive volume, and the answer that is known for it."""

    volume: str
    notebook: str
    result: str
    key: str
    expected: float | str
    tolerance: float
    unit: str

    def check(self, answer: object) -> str:
        """Return the comparison in words; raise `DemoError` when the answer differs by more than the tolerance."""
        if isinstance(self.expected, str):
            held = answer == self.expected
        else:
            held = isinstance(answer, int | float) and abs(answer - self.expected) <= self.tolerance
        words = f"{answer} {self.unit}, known: {self.expected} ± {self.tolerance} {self.unit}"
        if not held:
            raise DemoError(f"the answer is wrong: {words}")
        return words


def read_questions(catalogue: Path, volume: str) -> list[Question]:
    """Read `archives/<volume>/answers.yml` of the shipped catalogue; raise `DemoError` when the volume has none."""
    file = catalogue / "archives" / volume / "answers.yml"
    if not file.resolve().is_relative_to(catalogue.resolve()) or not file.exists():
        known = ", ".join(sorted(found.parent.name for found in catalogue.glob("archives/*/answers.yml")))
        raise DemoError(f"No notebook with a known answer travels with “{volume}”; choose one of {known}.")
    entries: list[dict[str, Any]] = yaml.safe_load(file.read_text())
    return [
        Question(
            volume=volume,
            notebook=entry["notebook"],
            result=entry["result"],
            key=entry["key"],
            expected=entry["expected"],
            tolerance=entry.get("tolerance", 0),
            unit=entry.get("unit", ""),
        )
        for entry in entries
    ]


class Journey:
    """One run of the main job, as one person."""

    def __init__(self, portal: Portal, question: Question, report: Report) -> None:
        self.portal = portal
        self.question = question
        self.report = report
        self.session: dict[str, Any] = {}

    async def run(self, username: str, password: str | None) -> None:
        """Do every step; the first that does not hold ends the journey, and the session is stopped all the same."""
        with self.report.step("sign in") as step:
            await self.portal.sign_in(username, password)
            step.outcome = (await self.portal.call("GET", "/me"))["display_name"]
        try:
            await self._launch()
            await self._compute()
        finally:
            if self.session:
                await self._stop()
        await self._find_result()

    async def _launch(self) -> None:
        wanted = {"datalab": "jupyterlab", "profile": "small", "volumes": [self.question.volume], "teams": []}
        with self.report.step("ask for JupyterLab") as step:
            self.session = await self.portal.call("POST", "/sessions", json=wanted)
            step.outcome = f"session {self.session['id']}"
        with self.report.step("wait until it answers") as step:
            started = time.monotonic()
            async for change in self.portal.events(self.session["id"]):
                self.report.phases.append({**change, "seconds": round(time.monotonic() - started, 3)})
                if change["phase"] == "running":
                    break
                if change["phase"] in {"failed", "stopped", "succeeded"}:
                    raise DemoError(f"the session {change['phase']}: {change.get('reason', '')}")
                if time.monotonic() - started > LAUNCH_PATIENCE:
                    raise DemoError("the session takes too long to start")
            else:
                raise DemoError("the event stream ended before the session was running")
            self.session = await self.portal.call("GET", f"/sessions/{self.session['id']}")
            step.outcome = self.portal.origin(self.session["url"])

    async def _compute(self) -> None:
        base = f"{self.portal.origin(self.session['url'])}/datalabs/{self.session['id']}"
        kernel = Kernel(self.portal, base)
        with self.report.step("start a kernel") as step:
            await kernel.start()
            step.outcome = f"kernel {kernel.id[:8]}"
        try:
            with self.report.step("run the notebook") as step:
                path = f"data/{self.question.volume}/Example_Notebooks/{self.question.notebook}"
                notebook = await kernel.read_notebook(path)
                cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
                for cell in cells:
                    source = cell["source"]
                    await kernel.run(source if isinstance(source, str) else "".join(source))
                step.outcome = f"{self.question.notebook}, {len(cells)} cells"
            with self.report.step("try to write into the archive") as step:
                step.outcome = await self._try_to_write(kernel)
        finally:
            await kernel.close()

    async def _try_to_write(self, kernel: Kernel) -> str:
        """Say what came of writing into the archive; that must fail, unless the portal says nothing is kept apart."""
        said = (await kernel.run(WRITE.replace("VOLUME", self.question.volume))).strip()
        if said != "written":
            return said
        if self.session.get("isolation") != "none":
            raise DemoError("the archive volume can be written to")
        return "written, and removed again: without a sandbox nothing protects it, as the launch page says"

    async def _stop(self) -> None:
        with self.report.step("stop the session") as step:
            await self.portal.call("DELETE", f"/sessions/{self.session['id']}")
            async for change in self.portal.events(self.session["id"]):
                if change["phase"] in {"stopped", "failed"}:
                    step.outcome = change.get("reason", "") or change["phase"]
                    return
            ended = await self.portal.call("GET", f"/sessions/{self.session['id']}")
            step.outcome = ended["phase"]

    async def _find_result(self) -> None:
        with self.report.step("find the result in the workspace") as step:
            answer = await self.portal.http.get(f"/api/v1/workspace/files/{self.question.result}")
            if answer.is_error:
                raise DemoError(f"{self.question.result} is not in the workspace ({answer.status_code})")
            result = json.loads(answer.content)
            step.outcome = self.question.result
        with self.report.step("check the answer") as step:
            step.outcome = self.question.check(result.get(self.question.key))
