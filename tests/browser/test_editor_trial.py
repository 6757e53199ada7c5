"""A test run inside the editor: launched without leaving it, its states on the graph, its failure beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from spacelab.runs.models import Run
from spacelab.workloads.rules import Phase
from support.asgi_server import serving
from support.axe import breaches
from support.editor import Editor, opened
from support.people import make_person
from support.runs import COUNT, Coordinator, file_of, make_pipeline
from support.sessions import quiet_runtime as _quiet_runtime

quiet_runtime = _quiet_runtime
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_runtime")]
CHAIN = """cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs:
  text: File
outputs:
  counted: {type: "File[]", outputSource: count/out}
steps:
  split:
    run: split.cwl
    in: {text: text}
    out: [parts]
  count:
    run: count.cwl
    scatter: text
    in: {text: split/parts}
    out: [out]
"""
SPLIT = """cwlVersion: v1.2
class: CommandLineTool
baseCommand: split
inputs:
  text: {type: File, inputBinding: {position: 1}}
outputs:
  parts: {type: "File[]", outputBinding: {glob: "x*"}}
"""
STEPS = [
    {"id": name, "label": "", "run": f"{name}.cwl", "scatter": name == "count", "parent": ""}
    for name in ("split", "count")
]


def picture(page: Page, name: str) -> None:
    """Keep a picture where one is wanted."""
    if folder := os.environ.get("SPACELAB_TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"trial-{name}.png")


def begin(editor: Editor) -> Coordinator:
    """Change the draft, be told that an input is missing, choose it, and launch; return who tells of the run."""
    page = editor.page
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("# tested")
    page.get_by_role("button", name="Test run").click()
    dialog = page.get_by_role("dialog", name="Test run")
    dialog.get_by_role("button", name="Start the test run").click()
    expect(dialog.get_by_role("alert")).to_contain_text("missing")
    editor.complaints.clear()  # the browser's own word on the refusal
    dialog.get_by_role("button", name="Browse for text").click()
    dialog.get_by_role("button", name="/media/user").first.click()
    dialog.get_by_role("button", name="words.txt").click()
    expect(dialog.get_by_label("text", exact=True)).to_have_value("/media/user/words.txt")
    picture(page, "form")
    assert breaches(page) == []
    dialog.get_by_role("button", name="Start the test run").click()
    expect(editor.node("split")).to_have_attribute("data-state", "waiting")
    return Coordinator(Run.objects.get())


def work(told: Coordinator, editor: Editor) -> None:
    """Let the first step succeed and the scatter begin, and see both on the graph, after a reload as well."""
    told.begin(STEPS)
    told.start("split")
    told.followed()
    expect(editor.node("split")).to_have_attribute("data-state", "running")
    told.end("split")
    told.say("step-ended", step="split", state="succeeded")
    told.say("scatter", step="count", count=3)
    for number in range(2):
        told.start(f"count.{number}")
    told.end("count.0", "reused")
    told.followed()
    expect(editor.node("split").locator(".node-state")).to_contain_text("succeeded")
    expect(editor.node("count").locator(".node-state")).to_contain_text("1 of 3")
    editor.page.reload()
    expect(editor.node("count").locator(".node-state")).to_contain_text("1 of 3")
    picture(editor.page, "running")


def fail(told: Coordinator, editor: Editor) -> None:
    """Let a job fail, and read why beside the graph."""
    told.print("count.1", "reading\nno such column\n")
    told.end("count.1", "failed", reason="It ended with exit code 1.")
    told.finish("failed", reason="A step failed.")
    told.carried(Phase.FAILED, exit_code=1)
    told.followed()
    panel = editor.page.get_by_role("region", name="Test run")
    expect(editor.node("count")).to_have_attribute("data-state", "failed")
    expect(panel).to_contain_text("count failed (exit code 1)")
    expect(panel.get_by_role("region", name="Last lines of stderr")).to_contain_text("no such column")
    editor.says("count failed")
    expect(panel.get_by_role("link", name="run’s page")).to_have_attribute("href", f"/runs/{told.run_id}/")  # noqa: RUF001  the page's own sign
    picture(editor.page, "failed")
    assert breaches(editor.page) == []


def test_a_draft_is_run_without_leaving_the_editor(chromium: Browser) -> None:
    ada = make_person("ada", "developer")
    file_of(ada)
    version = make_pipeline(ada, "hello", {"main.cwl": CHAIN, "split.cwl": SPLIT, "count.cwl": COUNT})
    with serving() as address:
        editor = opened(chromium, address, ada, version)
        page = editor.page
        told = begin(editor)
        assert Run.objects.get().bundle.files["main.cwl"] == CHAIN + "# tested"
        work(told, editor)
        fail(told, editor)
        panel = page.get_by_role("region", name="Test run")
        panel.get_by_role("button", name="Test this step alone").click()
        dialog = page.get_by_role("dialog", name="Test count alone")
        dialog.get_by_label("text", exact=True).fill("/media/user/words.txt")
        dialog.get_by_role("button", name="Start the test run").click()
        expect(panel).to_contain_text("Test of count alone")
        assert Run.objects.filter(only_step="count").count() == 1
        expect(editor.node("split")).not_to_have_attribute("data-state", "succeeded")
        panel.get_by_role("button", name="Stop").click()
        expect(panel.locator(".badge")).to_have_text("stopping")
        assert Run.objects.get(only_step="count").stop_wanted
        panel.get_by_role("button", name="Hide").click()
        expect(panel).to_have_count(0)
        assert not editor.complaints
        editor.context.close()
