"""The life of a pipeline in a real browser on a whole platform: built by mouse, launched, watched, looked into."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.axe import at_rest
from support.browsing import browsing, sign_in
from support.chromium import LONG_PATIENCE
from support.client import Kernel
from support.editor import Editor
from support.live_runs import demo_client, put, starts_of, texts, workspace_of
from support.platform import Platform

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RUN = re.compile(r"/runs/([a-z0-9]{12})/")
MANY = 300
BROKEN = {
    "main.cwl": """cwlVersion: v1.2
class: Workflow
inputs: {text: File}
outputs: {found: {type: File, outputSource: look/found}}
steps:
  sort: {run: sort.cwl, in: {text: text}, out: [sorted]}
  look: {label: Look for the word, run: look.cwl, in: {lines: sort/sorted}, out: [found]}
  last: {label: Count what was found, run: sort.cwl, in: {text: look/found}, out: [sorted]}
""",
    "sort.cwl": """cwlVersion: v1.2
class: CommandLineTool
baseCommand: sort
inputs: {text: {type: File, inputBinding: {}}}
stdout: sorted.txt
outputs: {sorted: stdout}
""",
    "look.cwl": """cwlVersion: v1.2
class: CommandLineTool
requirements:
  InitialWorkDirRequirement:
    listing:
      - {entryname: wanted.txt, entry: "missing\\n"}
baseCommand: [grep, -f, wanted.txt]
inputs: {lines: {type: File, inputBinding: {}}}
stdout: found.txt
outputs: {found: stdout}
""",
}
"""Its second step fails: it looks into what the first one made, with a file that the document makes."""


@pytest.fixture
def page(chromium: Browser, platform: Platform) -> Iterator[Page]:
    """Give the demo scientist's page on the portal."""
    with browsing(chromium, platform.url) as page:
        sign_in(page, "Dana (demo scientist)")
        yield page


def test_a_pipeline_is_built_by_mouse_launched_and_greets(page: Page, platform: Platform) -> None:
    page.get_by_role("link", name="Pipelines").first.click()
    expect(page.get_by_role("heading", name="Pipelines", exact=True)).to_be_visible()
    page.get_by_role("link", name="New", exact=True).click()
    page.get_by_label("Short name").fill("my-pipeman")
    page.get_by_label("Title").fill("Hello_PIPEMAN")
    page.get_by_role("button", name="Begin").click()
    build(page)
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".toolbar .badge")).to_have_text("0.1.0 saved")
    page.reload()
    expect(page.locator(".react-flow__edge")).to_have_count(3)
    page.get_by_role("button", name="Test run").click()
    page.get_by_role("link", name="All choices in the launcher").click()
    (workspace_of(platform) / "name.txt").write_text("Dana\n")
    page.get_by_role("button", name=re.compile("^Browse")).first.click()
    page.get_by_role("button", name=re.compile("Your workspace")).click()
    page.get_by_role("button", name="name.txt").first.click()
    expect(page.get_by_label("name").first).to_have_value("/media/user/name.txt")
    page.get_by_role("button", name="Launch").last.click()
    page.wait_for_url(RUN)
    state = page.locator("#run-state")
    expect(state.get_by_text("succeeded")).to_be_visible(timeout=LONG_PATIENCE)  # without a reload
    for name in ("Make a greeting", "Large letters"):
        expect(
            page.locator("#run-graph").get_by_role("link", name=re.compile(f"^step {name}, ✓ succeeded"))
        ).to_be_visible()
    expect(page.locator("#run-outputs")).to_contain_text("|_| |_|\\___|_|_|\\___/")  # the last line of its “Hello”


def build(page: Page) -> None:
    """Build what greets whoever a file names, by mouse alone."""
    editor = Editor(page.context, page)
    page.locator(".canvas[data-nodes]").wait_for()
    at_rest(page)
    pane = page.locator(".react-flow__pane")
    page.get_by_role("button", name="greet", exact=False).first.drag_to(pane, target_position={"x": 330, "y": 200})
    expect(editor.node("greet")).to_be_visible()
    page.get_by_label("Find a step").fill("figlet")
    expect(page.get_by_role("button", name="Concatenate")).to_have_count(0)
    page.get_by_role("button", name="figlet", exact=False).first.drag_to(pane, target_position={"x": 560, "y": 260})
    expect(editor.node("figlet")).to_be_visible()
    editor.lead(editor.port("greet", "greeting", "out"), editor.port("figlet", "text", "in"))
    expect(page.locator(".react-flow__edge:not(.pending)")).to_have_count(1)
    x, y = editor.port("greet", "name", "in")
    editor.lead((x, y), (x - 60, y + 90))
    expect(editor.node("name")).to_be_visible()
    x, y = editor.port("figlet", "letters", "out")
    editor.lead((x, y), (x + 40, y + 90))
    expect(editor.node("output:letters").or_(editor.node("letters"))).to_be_visible()
    expect(page.locator(".problems")).to_contain_text("No problems.")
    expect(page.locator(".react-flow__edge:not(.pending)")).to_have_count(3)


def test_the_controller_is_killed_and_no_step_runs_twice(page: Page, platform: Platform) -> None:
    page.goto("/pipelines/scatter-gather/launch")  # makes her workspace
    texts(platform, "by-hand", MANY)
    page.get_by_role("button", name=re.compile("^Browse")).first.click()
    page.get_by_role("button", name=re.compile("Your workspace")).click()
    page.get_by_role("button", name=re.compile("^Choose by-hand")).click()
    page.get_by_role("button", name="Launch").last.click()
    page.wait_for_url(RUN)
    expect(page.locator("#run-steps").get_by_text(re.compile(rf"[1-9]\d* of {MANY}"))).to_be_visible(
        timeout=LONG_PATIENCE
    )
    os.kill(platform.program("controller"), signal.SIGKILL)
    expect(page.locator("#run-state").get_by_text("succeeded")).to_be_visible(timeout=LONG_PATIENCE)
    run = page.url.partition("/runs/")[2][:12]
    starts = starts_of(platform, run)
    assert set(starts.values()) == {1}
    assert len([one for one in starts if one.startswith("count.")]) == MANY
    page.locator("#run-outputs").get_by_text("counts.txt").first.click()


def test_a_failed_step_opens_in_its_folder_with_its_inputs(page: Page, platform: Platform) -> None:
    put(platform, "look-for-it", BROKEN)
    page.goto("/pipelines/look-for-it/launch")  # makes her workspace
    (workspace_of(platform) / "words.txt").write_text("b\na\n")
    page.get_by_label("text").first.fill("/media/user/words.txt")
    page.get_by_role("button", name="Launch").last.click()
    page.wait_for_url(RUN)
    expect(page.locator("#run-notices")).to_contain_text("look failed (exit code 1).", timeout=LONG_PATIENCE)
    last = page.locator("#run-steps tr", has_text="Count what was found")
    expect(last).to_contain_text("not run")
    expect(last).to_contain_text("It needs what “Look for the word” makes, which failed.")
    folder = f"steps/{page.url.partition('/runs/')[2][:12]}/look-1"
    page.get_by_role("button", name="Open as a session").first.click()
    lab = entered(page)
    expect(lab.get_by_role("tab", name="run.sh").last).to_be_visible(timeout=LONG_PATIENCE)
    session = page.url.rpartition("/")[2]
    with demo_client(platform) as client:
        said = Kernel(client, session).run(
            "import os, subprocess\n"
            "print(os.getcwd(), subprocess.run(['sh', 'run.sh']).returncode)\n"
            "print(subprocess.getoutput('cat /job/in/*/sorted.txt /job/out/wanted.txt'))"
        )
    assert said.split() == [f"/media/user/{folder}", "1", "a", "b", "missing"]
    page.get_by_role("button", name="Restart").click()
    page.get_by_role("dialog").get_by_role("button", name="Restart").click()
    page.wait_for_url(lambda address: "/sessions/" in address and session not in address, timeout=LONG_PATIENCE)
    again = page.url.rpartition("/")[2]
    with demo_client(platform) as client:
        client.wait_for(again, "running")
        made = client.inside(again, "GET", f"/datalabs/{again}/api/contents/job/in/0/sorted.txt")
        assert made.json()["content"] == "a\nb\n"
        client.stop(again)


def entered(page: Page) -> Page:
    """Wait until the session of a page runs, and open it in a tab of its own."""
    page.wait_for_url(re.compile("/sessions/"))
    link = page.get_by_role("link", name=re.compile("^Open.*in a new tab"))
    expect(link).to_be_visible(timeout=LONG_PATIENCE)
    address = link.get_attribute("href")
    assert address
    lab = page.context.new_page()
    lab.goto(address)
    lab.wait_for_url(re.compile("/datalabs/"), timeout=LONG_PATIENCE)
    return lab
