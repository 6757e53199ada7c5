"""What the page of a run with many jobs costs: the server per look and per page, the browser per frame, and bytes.

Usage: benchmarks/run_page.py [--jobs 1000] [--steps 300] [--rounds 20]
SQLite in a temporary folder. A scatter of `--jobs` jobs goes on while its page is open in Chromium: each round tells
the end of some jobs and the start of others, has them followed, and lets the stream look once. Then the same for a
workflow of `--steps` steps. Goals: a look takes at most 100 ms and sends at most 100 kB, the browser has no task over
50 ms after the page has been loaded, and nothing moves.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacelab.accounts.models import Person
    from support.run_pages import Story

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
OBSERVE = """window.shifts = 0; window.tasks = [];
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shifts += one.value; })
  .observe({ type: "layout-shift" });
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.tasks.push(one.duration); })
  .observe({ type: "longtask" });"""
WORKFLOW = "cwlVersion: v1.2\nclass: Workflow\ninputs: {a: File}\noutputs: {}\nsteps:\n"
STEP = "  s{n}: {{run: count.cwl, in: {{text: {source}}}, out: [out]}}\n"


def prepare(state: str) -> None:
    """Name the settings, and make the tables."""
    os.environ["SPACELAB_STATE"] = state
    os.environ["DJANGO_SETTINGS_MODULE"] = "support.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop lives in this thread
    import django  # noqa: PLC0415  settings must be named first

    django.setup()
    from django.conf import settings  # noqa: PLC0415  as above
    from django.core.management import call_command  # noqa: PLC0415  as above

    settings.WORKLOAD_RUNTIME = "support.sessions.QuietRuntime"
    call_command("migrate", verbosity=0)


def scatter(person: Person, jobs: int) -> Story:
    """Be in the middle of a scatter: half of the jobs have ended, two run."""
    from spacelab.workloads.rules import Phase  # noqa: PLC0415  Django must be ready
    from support.run_pages import Story, science  # noqa: PLC0415  as above

    story = Story(science(person, frames=8), ago=jobs * 0.6)
    story.carried(Phase.RUNNING)
    story.opened()
    story.scattered("calibrate", jobs, 0.1)
    for number in range(jobs // 2):
        story.job(f"calibrate.{number}", number * 0.5, number * 0.5 + 0.9)
    story.followed()
    return story


def chain(person: Person, steps: int) -> Story:
    """Begin a workflow of many steps, ten side by side."""
    from spacelab.runs.choosing import Source  # noqa: PLC0415  Django must be ready
    from spacelab.workloads.rules import Phase  # noqa: PLC0415  as above
    from support.run_pages import Story  # noqa: PLC0415  as above
    from support.runs import COUNT, file_of, launch  # noqa: PLC0415  as above

    text = WORKFLOW + "".join(STEP.format(n=n, source="a" if n < 10 else f"s{n - 10}/out") for n in range(steps))
    source = Source(
        slug="chain", title="Chain", version="1", files={"main.cwl": text, "count.cwl": COUNT}, main="main.cwl"
    )
    story = Story(launch(person, job={"a": file_of(person)}, source=source), ago=steps * 0.6)
    story.carried(Phase.RUNNING)
    told = [{"id": f"s{n}", "label": "", "run": "count.cwl", "scatter": False, "parent": ""} for n in range(steps)]
    story.opened(told)
    story.followed()
    return story


def go_on(story: Story, names: list[str], at: float) -> None:
    """Tell the end of some jobs and have the controller take it over."""
    for name in names:
        story.job(name, at, at + 0.9)
    story.followed()


def measure(title: str, person: Person, story: Story, names: list[str], rounds: int) -> None:
    """Open the page, let the run go on, and print what it took."""
    from django.test import Client  # noqa: PLC0415  Django must be ready
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  as above

    from spacelab.runs.viewer_live import PageStream  # noqa: PLC0415  as above
    from support.asgi_server import serving  # noqa: PLC0415  as above
    from support.chromium import CHROMIUM, FLAGS  # noqa: PLC0415  as above

    client, path = Client(SERVER_NAME="localhost"), f"/runs/{story.run_id}/"
    client.force_login(person)
    client.get(path)
    pages, size = [], 0
    for _ in range(5):
        began = time.thread_time()
        size = len(client.get(path).content)
        pages.append(time.thread_time() - began)
    stream = PageStream(person.pk, story.run_id, "token")
    stream.look()
    looks: list[float] = []
    sent: list[int] = []
    share = len(names) // rounds
    with serving() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "spacelab", "value": client.cookies["spacelab"].value, "url": url}])
        page = context.new_page()
        page.goto(url + path)
        page.wait_for_timeout(3000)
        page.evaluate(OBSERVE)
        for turn in range(rounds):
            go_on(story, names[turn * share : (turn + 1) * share], 300 + turn)
            began = time.thread_time()
            news = stream.look()
            looks.append(time.thread_time() - began)
            sent.append(sum(len(event.encode()) for event in news.events))
            page.wait_for_timeout(600)
        found: dict[str, Any] = page.evaluate("({ shifts: window.shifts, tasks: window.tasks })")
        browser.close()
    longest = max(found["tasks"], default=0)
    sys.stdout.write(
        f"{title}\n  page {statistics.median(pages) * 1000:.0f} ms, {size / 1000:.0f} kB; "
        f"look {statistics.median(looks) * 1000:.0f} ms (slowest {max(looks) * 1000:.0f}), "
        f"{statistics.median(sent) / 1000:.0f} kB (most {max(sent) / 1000:.0f})\n"
        f"  browser: {len(found['tasks'])} tasks over 50 ms (longest {longest:.0f} ms) in {rounds} rounds, "
        f"layout shift {found['shifts']:.4f}\n"
    )


def main() -> None:
    """Measure both."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--jobs", type=int, default=1000)
    arguments.add_argument("--steps", type=int, default=300)
    arguments.add_argument("--rounds", type=int, default=20)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="spacelab-bench-") as state:
        prepare(state)
        from support.people import make_person  # noqa: PLC0415  Django must be ready

        ada = make_person("ada")
        half = wanted.jobs // 2
        names = [f"calibrate.{half + number}" for number in range(half)]
        measure(f"a scatter of {wanted.jobs} jobs", ada, scatter(ada, wanted.jobs), names, wanted.rounds)
        steps = [f"s{number}" for number in range(wanted.steps)]
        measure(f"a workflow of {wanted.steps} steps", ada, chain(ada, wanted.steps), steps, wanted.rounds)


if __name__ == "__main__":
    main()
