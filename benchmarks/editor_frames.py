"""How long the editor's frames are with a workflow of 300 nodes: while it opens, while nodes move, while one connects.

Usage: benchmarks/editor_frames.py [--nodes 300] [--rounds 3]
A real Chromium on this machine, without a graphics card. A *long frame* is what the browser's Long Animation Frames API
reports: more than 50 ms from the start of a frame to its drawing. The goal is none while dragging, connecting, panning
and zooming, and none after the script has been read while opening; the frame that reads the script itself is shown
apart. `gap` is the time between two frames as an animation sees it. On a machine that others use as well, all of these
are longer than the page makes them, so the *longest task* tells how much time the page's main thread itself needed, of
the processor's, for one piece of work: drawing a frame is one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

TRACED = ["toplevel", "disabled-by-default-toplevel", "devtools.timeline"]

WATCH = """
window.frames_seen = {long: [], gaps: [], scripts: []};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const scripts = entry.scripts.map((one) => [one.invokerType, one.invoker, Math.round(one.duration)]);
    window.frames_seen.long.push({at: entry.startTime, took: entry.duration, scripts});
  }
}).observe({type: "long-animation-frame", buffered: true});
let before = 0;
const tick = (now) => {
  if (before) window.frames_seen.gaps.push(now - before);
  before = now;
  requestAnimationFrame(tick);
};
requestAnimationFrame(tick);
"""
TAKE = """() => {
  const seen = window.frames_seen;
  window.frames_seen = {long: [], gaps: [], scripts: []};
  return seen;
}"""


def prepare(state: str) -> None:
    """Name the settings, and make the tables."""
    os.environ["SPACELAB_STATE"] = state
    os.environ["DJANGO_SETTINGS_MODULE"] = "support.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    import django  # noqa: PLC0415  settings must be named first

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  Django must be ready

    call_command("migrate", verbosity=0)


def workflow(nodes: int) -> dict[str, str]:
    """Write a workflow of that many nodes with about two links each."""
    tool = (
        "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: cat\nstdout: out.txt\n"
        "inputs:\n  text: File\n  extra: File?\n  number: {type: int, default: 1}\noutputs:\n  result: stdout\n"
    )
    steps = nodes - 2
    lines = ["cwlVersion: v1.2", "class: Workflow", "inputs:", "  first: File", "outputs:"]
    lines += [f"  last: {{type: File, outputSource: s{steps - 1}/result}}", "steps:"]
    for number in range(steps):
        source = "first" if number < 10 else f"s{number - 10}/result"
        lines += [f"  s{number}:", "    run: tool.cwl", f"    label: Step number {number}"]
        lines += ["    in:", f"      text: {source}"]
        lines += [f"      extra: s{number - 17}/result"] if number >= 20 else []
        lines += ["    out: [result]"]
    return {"main.cwl": "\n".join(lines) + "\n", "tool.cwl": tool}


def centre(page: Any, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Any) -> None:
    """Move a node about with the mouse."""
    x, y = centre(page, '.node[data-node-id="s20"] .node-head strong')
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(90):
        page.mouse.move(x + (step % 30) * 6, y + (step % 45) * 4)
        page.wait_for_timeout(8)
    page.mouse.up()
    page.wait_for_timeout(300)


def connect(page: Any) -> None:
    """Lead a new link from one port to another, and wait until the text holds it."""
    x, y = centre(page, '.node[data-node-id="s3"] .port[data-side="out"] .react-flow__handle')
    to_x, to_y = centre(page, '.node[data-node-id="s14"] .port[data-side="in"]:nth-child(2) .react-flow__handle')
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 41):
        page.mouse.move(x + (to_x - x) * step / 40, y + (to_y - y) * step / 40)
        page.wait_for_timeout(8)
    page.mouse.up()
    page.wait_for_timeout(1500)


def pan(page: Any) -> None:
    """Pan across the canvas, and zoom out to all of it and back in."""
    box = page.locator(".canvas").bounding_box()
    x, y = box["x"] + box["width"] - 60, box["y"] + 20
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(x - step * 8, y + step)
        page.wait_for_timeout(8)
    page.mouse.up()
    for direction in [1] * 12 + [-1] * 12:
        page.mouse.wheel(0, direction * 120)
        page.wait_for_timeout(30)
    page.wait_for_timeout(300)


def undo(page: Any) -> None:
    """Take the last change back."""
    page.locator(".toolbar").get_by_role("button", name="Undo").click()
    page.wait_for_timeout(800)


def longest_tasks(trace: bytes) -> list[float]:
    """Return the times that tasks of the page's main thread needed of the processor, in ms, the longest first."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"].get("name") == "CrRendererMain"
    }
    tasks = [one for one in events if one["name"].endswith("RunTask") and (one["pid"], one["tid"]) in mains]
    return sorted((one.get("tdur", 0) / 1000 for one in tasks), reverse=True)


PHASES: dict[str, Callable[[Any], None]] = {"drag": drag, "connect": connect, "pan, zoom": pan, "undo": undo}


def measured(page: Any, address: str, nodes: int) -> dict[str, dict[str, Any]]:
    """Open the page and go through the phases; return what was seen of frames in each."""
    found = {}
    browser = page.context.browser
    browser.start_tracing(page=page, categories=TRACED)
    page.goto(address)
    page.locator(f'.canvas[data-nodes="{nodes}"]').wait_for()
    shown = page.evaluate("performance.now()")
    page.wait_for_timeout(1000)
    found["open"] = {**page.evaluate(TAKE), "shown": shown, "tasks": longest_tasks(browser.stop_tracing())}
    for name, act in PHASES.items():
        browser.start_tracing(page=page, categories=TRACED)
        act(page)
        found[name] = {**page.evaluate(TAKE), "tasks": longest_tasks(browser.stop_tracing())}
    return found


def report(rounds: list[dict[str, dict[str, Any]]]) -> None:
    """Print, for each phase, the worst of the rounds."""
    for name in rounds[0]:
        long = [one for each in rounds for one in each[name]["long"]]
        gaps = sorted(gap for each in rounds for gap in each[name]["gaps"])
        worst = max((one["took"] for one in long), default=0)
        print(f"{name:10} long frames {len(long):3}  longest {worst:6.0f} ms", end="  ")
        tail = gaps[int(len(gaps) * 0.99) - 1]
        print(f"gap median {statistics.median(gaps):5.1f}  99 % {tail:6.1f}  worst {gaps[-1]:6.1f} ms")
        tasks = sorted((task for each in rounds for task in each[name]["tasks"]), reverse=True)
        print(f"           longest tasks {', '.join(f'{task:.0f}' for task in tasks[:6])} ms of the processor")
        for one in sorted(long, key=lambda each: -each["took"])[:4]:
            print(f"             {one['took']:5.0f} ms at {one['at']:.0f}: {one['scripts'][:3]}")
    print(f"all nodes shown after {max(each['open']['shown'] for each in rounds):.0f} ms")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        prepare(state)
        from django.conf import settings  # noqa: PLC0415  Django must be ready
        from django.test import Client  # noqa: PLC0415  as above
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  as above

        from spacelab.pipelines import actions  # noqa: PLC0415  as above
        from support.asgi_server import serving  # noqa: PLC0415  as above
        from support.chromium import CHROMIUM, FLAGS  # noqa: PLC0415  as above
        from support.people import make_person  # noqa: PLC0415  as above

        settings.ALLOWED_HOSTS = ["*"]
        ada = make_person("ada", "developer")
        actions.create(by=ada, slug="large", files=workflow(asked.nodes), main="main.cwl")
        client = Client()
        client.force_login(ada)
        cookie = client.cookies["spacelab"].value
        with serving() as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            rounds = []
            for _ in range(asked.rounds):
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                context.add_cookies([{"name": "spacelab", "value": cookie, "url": address}])
                page = context.new_page()
                page.add_init_script(WATCH)
                rounds.append(measured(page, f"{address}/pipelines/large/0.1.0/edit", asked.nodes))
                context.close()
            browser.close()
        report(rounds)


if __name__ == "__main__":
    main()
