"""`spacelab demo`: the main job without a browser, for people and for continuous integration."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from spacelab.site.demo.journey import Journey, Task, Who, read_questions
from spacelab.site.demo.portal import Portal
from spacelab.site.demo.report import DemoError, Report
from spacelab.site.up import portal_answers

FIRST_START_PATIENCE = 900.0
"""Seconds that a first start, with everything to build, may take."""


@contextmanager
def running_platform(runtime: str) -> Iterator[str]:
    """Use the platform that answers already, or run one with this runtime for as long as the demo takes."""
    configuration = settings.SPACELAB
    if portal_answers(configuration):
        yield configuration.portal_url
        return
    log = configuration.state / "log" / "demo-up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        variables = {**os.environ, "SPACELAB_RUNTIME": runtime}
        up = subprocess.Popen([sys.executable, "-m", "spacelab", "up"], stdout=output, stderr=output, env=variables)
        try:
            deadline = time.monotonic() + FIRST_START_PATIENCE
            while not portal_answers(configuration):
                if up.poll() is not None or time.monotonic() > deadline:
                    raise DemoError(f"the platform does not start:\n{log.read_text()}")
                time.sleep(0.2)
            yield configuration.portal_url
        finally:
            up.terminate()
            up.wait(timeout=60)


class Command(BaseCommand):
    """Do the main job and say whether all of it held."""

    help = "Sign in, launch JupyterLab beside an archive, run a notebook, check its answer, stop, find the result."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--username", default="demo-scientist", help="who does it")
        parser.add_argument("--password-file", type=Path, help="her password, where the platform has no demo people")
        parser.add_argument("--volume", default="hipparcos", help="the archive volume whose notebook is run")
        parser.add_argument(
            "--runtime",
            default="",
            choices=sorted(settings.RUNTIMES),
            help="the runtime that must carry it; left out: the one that the settings name",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        report = Report()
        try:
            question = read_questions(settings.CATALOGUE_DIRECTORY, options["volume"])[0]
        except DemoError as error:
            raise CommandError(str(error)) from error
        password = options["password_file"].read_text().strip() if options["password_file"] else None
        runtime = options["runtime"] or settings.SPACELAB.runtime
        with suppress(DemoError), ExitStack() as stack:  # the report has what went wrong
            with report.step("find or start the platform") as step:
                step.outcome = stack.enter_context(running_platform(runtime))
            who = Who(options["username"], password)
            asyncio.run(self._journey(step.outcome, Task(question, runtime), report, who))
        if options["json"]:
            self.stdout.write(json.dumps(report.to_json(), indent=1))
        else:
            self._print(report)
        self.stdout.write(report.summary())
        if not report.held:
            raise SystemExit(1)

    async def _journey(self, url: str, task: Task, report: Report, who: Who) -> None:
        portal = Portal(url)
        try:
            await Journey(portal, task, report).run(who)
        finally:
            await portal.close()

    def _print(self, report: Report) -> None:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("step", "seconds", "outcome"):
            table.add_column(heading, justify="right" if heading == "seconds" else "left", overflow="fold")
        for step in report.steps:
            mark = "[green]✓[/]" if step.held else "[red]✗[/]"
            table.add_row(f"{mark} {step.name}", f"{step.seconds:.2f}", step.outcome)
        for phase in report.phases:
            table.add_row(f"    {phase['phase']}", f"{phase['seconds']:.2f}", str(phase.get("reason", "")))
        Console(highlight=False).print(table)
