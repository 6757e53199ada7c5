"""Pictures of pipelines: their catalogue, a launch, runs that succeed and fail, the editor."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Browser, Page
from screenshot_tools import PATIENCE, SCIENTIST, WIDE, Album, Portal, context, everywhere, sign_in, submit

SHOWN, COPY = "hello-pipeman", "hello-again"
FLARES = "/data/heliophysics/goes/go1520110607.fits"
"""An X-ray record of the shipped archive: the flare of 7 June 2011."""
BROKEN = """cwlVersion: v1.2
class: Workflow
label: Count the stars
inputs:
  table: {type: string, default: hip2.fits}
outputs:
  count: {type: File, outputSource: count/number}
steps:
  list:
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'echo "reading $0"; echo $0']
      inputs: {table: {type: string, inputBinding: {}}}
      outputs: {names: stdout}
      stdout: names.txt
    in: {table: table}
    out: [names]
  count:
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'echo "opening the catalogue" >&2; echo "cannot open hip3.fits: no such file" >&2; exit 3']
      inputs: {names: {type: File, inputBinding: {}}}
      outputs: {number: stdout}
      stdout: number.txt
    in: {names: list/names}
    out: [number]
"""
"""A workflow whose second step fails."""


def launch(page: Page, portal: Portal, slug: str, **inputs: str) -> str:
    """Launch a pipeline by its form, wait for its end, and return the run's id."""
    page.goto(portal.page("runs:launch", slug))
    for name, value in inputs.items():
        page.locator(f"[name='inputs.{name}']").fill(value)
    submit(page).click()
    page.wait_for_url(re.compile(r"/runs/[a-z0-9]{12}/$"))
    run = page.url.rstrip("/").rsplit("/", 1)[1]
    deadline = time.monotonic() + PATIENCE
    while page.request.get(f"{portal.url}/api/v1/runs/{run}").json()["state"] in {"queued", "running"}:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the run of {slug} takes too long")
        page.wait_for_timeout(300)
    return run


def bring(page: Page, portal: Portal, slug: str, text: str) -> None:
    """Upload a document as a pipeline of one's own."""
    page.goto(portal.page("pipelines:new"))
    page.locator("[name=slug]").fill(slug)
    page.locator("[name=begin][value=files]").check()
    file = {"name": "main.cwl", "mimeType": "application/octet-stream", "buffer": text.encode()}
    page.locator("#id_upload").set_input_files([file])  # type: ignore[list-item]
    page.locator("#send-upload").click()
    page.wait_for_load_state()


def copy(page: Page, portal: Portal) -> None:
    """Make a pipeline one's own."""
    page.goto(portal.page("pipelines:detail", SHOWN))
    page.get_by_role("link", name="Copy it as your own").click()
    page.locator("[name=slug]").fill(COPY)
    page.locator("#send-upload").click()
    page.wait_for_load_state()


def pipelines(browser: Browser, portal: Portal, album: Album) -> None:
    """Take a scientist's way from the catalogue of pipelines over a launch to the editor."""
    with context(browser, "light", WIDE) as signed_in:
        page = signed_in.new_page()
        sign_in(page, portal, SCIENTIST)
        pages: dict[str, tuple[str, ...]] = {
            "pipelines": ("pipelines:catalogue",),
            "steps": ("pipelines:steps",),
            "pipeline": ("pipelines:detail", SHOWN),
            "pipeline-launch": ("runs:launch", SHOWN),
        }
        with album.attempt("run-light"):
            pages["run"] = ("runs:detail", launch(page, portal, "solar-flares", record=FLARES))
        with album.attempt("editor-light"):
            copy(page, portal)
            pages["editor"] = ("pipelines:edit", COPY, "0.1.0")
        with album.attempt("run-failed-light"):
            bring(page, portal, "count-the-stars", BROKEN)
            pages["run-failed"] = ("runs:detail", launch(page, portal, "count-the-stars"))
        pages["runs"] = ("runs:list",)
        everywhere(browser, portal, signed_in.storage_state(), pages, album)
