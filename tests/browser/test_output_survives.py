"""Closing JupyterLab's tab loses nothing: the kernel goes on, and what it printed meanwhile is in the notebook."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from playwright.sync_api import Page, expect, sync_playwright

from spacelab.builds.actions import build_environment

PORT = 23917
BASE = f"http://127.0.0.1:{PORT}/datalabs/survives"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
LINES = 12
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    package = settings.CATALOGUE_DIRECTORY / "datalabs" / "jupyterlab"
    requirements = package / "requirements.txt"
    name = build_environment(slug="jupyterlab", requirements=requirements, progress=lambda _text: None)
    for folder in ("home", "media/data", "media/work"):
        (tmp_path / folder).mkdir(parents=True)
    loop = f"for n in range({LINES}):\n    print('line', n)\n    time.sleep(1)"
    code = f"import os, time\nprint('kernel', os.getpid())\n{loop}"
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": code,
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "media/work/long.ipynb").write_text(json.dumps(notebook))
    variables = {
        "HOME": str(tmp_path / "home"),
        "IF_main_port": str(PORT),
        "IF_main_id": "survives",
        "SPACELAB_DATA": str(tmp_path / "media/data"),
        "SPACELAB_WORKSPACE": str(tmp_path / "media/work"),
    }
    python = Path(settings.ENVIRONMENTS_DIRECTORY) / name / "bin" / "python"
    argv = [str(python), "-m", "jupyterlab", f"--config={package / 'jupyter_server_config.py'}"]
    with (tmp_path / "lab.log").open("w") as log:
        process = subprocess.Popen(argv, env={**os.environ, **variables}, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 40
        while time.monotonic() < until:
            try:
                httpx.get(f"{BASE}/api").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield tmp_path
    finally:
        process.terminate()
        process.wait(timeout=20)


def open_notebook(page: Page) -> None:
    page.goto(f"{BASE}/lab/tree/work/long.ipynb")
    expect(page.locator(".jp-Notebook")).to_be_visible(timeout=60_000)


def kernels() -> list[str]:
    return [one["id"] for one in httpx.get(f"{BASE}/api/kernels").json()]


def test_output_printed_while_no_tab_was_open_is_there(lab: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page()
        open_notebook(page)
        page.locator(".jp-Notebook .cm-content").first.click()
        page.wait_for_function("() => document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=idle]')")
        page.keyboard.press("Shift+Enter")
        output = page.locator(".jp-OutputArea-output").first
        expect(output).to_contain_text("line 1", timeout=30_000)
        first = output.inner_text().splitlines()[0]
        before = kernels()
        page.close()
        time.sleep(LINES + 2)
        page = browser.new_page()
        open_notebook(page)
        output = page.locator(".jp-OutputArea-output").first
        expect(output).to_contain_text(f"line {LINES - 1}", timeout=30_000)
        text = page.locator(".jp-OutputArea").first.inner_text()
        assert [f"line {n}" in text for n in range(LINES)] == [True] * LINES
        assert first in text
        assert kernels() == before
        browser.close()
