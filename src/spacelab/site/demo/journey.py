"""The main job, step by step: sign in, launch beside an archive, compute, check the answer, stop, find the result."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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

LOOK_AROUND = """
import json, os, socket
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
wrote, reached = [], []
for folder in ("/", "/usr", "/etc", "/opt"):
    try:
        open(f"{folder}/written-by-the-demo", "w").close()
        os.remove(f"{folder}/written-by-the-demo")
        wrote.append(folder)
    except OSError:
        pass
for host in ("127.0.0.1", "10.88.0.1", "172.17.0.1", "169.254.169.254", "host.containers.internal"):
    try:
        socket.create_connection((host, PORTAL_PORT), timeout=1).close()
        reached.append(host)
    except OSError:
        pass
print(json.dumps({
    "interfaces": sorted(os.listdir("/sys/class/net")) if os.path.isdir("/sys/class/net") else ["lo"],
    "uid": os.getuid(),
    "capabilities": int(status["CapEff"], 16),
    "no_new_privileges": int(status["NoNewPrivs"]),
    "seccomp": int(status["Seccomp"]),
    "wrote": wrote,
    "reached": reached,
    "memory_mb": int(os.environ["MEM_LIMIT"]) // 2**20,
}))
"""
"""What a cell finds out about the container around it; it leaves nothing behind."""

FILTERED = 2
"""`Seccomp` in /proc/self/status where a filter looks at each system call (proc(5))."""


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


@dataclass(frozen=True)
class Task:
    """What is asked, and the runtime that must carry it."""

    question: Question
    runtime: str


@dataclass(frozen=True)
class Who:
    """The one who does it; a demo person needs no password."""

    username: str
    password: str | None = None


def check_confinement(facts: dict[str, Any]) -> str:
    """Say how a container confines its session; raise `DemoError` where it doesn't."""
    wrong = [
        what
        for what, held in {
            "it has a network beside its own loopback": facts["interfaces"] == ["lo"],
            "it runs as root": facts["uid"] != 0,
            "it holds capabilities": facts["capabilities"] == 0,
            "it may gain privileges": facts["no_new_privileges"] == 1,
            "its system calls are not filtered": facts["seccomp"] == FILTERED,
            "it may write where its image has its programs": facts["wrote"] == [],
            "a port of the platform's machine answers": facts["reached"] == [],
        }.items()
        if not held
    ]
    if wrong:
        raise DemoError(f"the container does not confine its session: {', '.join(wrong)}")
    return f"user {facts['uid']}, no capability, no network of the machine, {facts['memory_mb']} MiB at most"


class Journey:
    """One run of the main job, as one person."""

    def __init__(self, portal: Portal, task: Task, report: Report) -> None:
        self.portal = portal
        self.question = task.question
        self.runtime = task.runtime
        self.report = report
        self.session: dict[str, Any] = {}

    async def run(self, who: Who) -> None:
        """Do every step; the first that does not hold ends the journey, and the session is stopped all the same."""
        with self.report.step("sign in") as step:
            await self.portal.sign_in(who.username, who.password)
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
            self._check_runtime()
            step.outcome = self.portal.origin(self.session["url"])

    def _check_runtime(self) -> None:
        carried = "container" if self.session["isolation"] == "container" else "process"
        if self.runtime in {"container", "process"} and carried != self.runtime:
            raise DemoError(
                f"the platform that answers is carried by the runtime “{carried}”, not “{self.runtime}”: "
                "end it first, or choose another SPACELAB_STATE and SPACELAB_PORT"
            )

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
            if self.session["isolation"] == "container":
                with self.report.step("try to get out of the container") as step:
                    port = urlsplit(self.portal.url).port or 80
                    said = await kernel.run(LOOK_AROUND.replace("PORTAL_PORT", str(port)))
                    step.outcome = check_confinement(json.loads(said))
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
