"""JupyterLab's page in a browser, as somebody uses it who runs a notebook."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import Page, Response, expect
from playwright.sync_api import TimeoutError as Late

ANSWERED = r"() => [...document.querySelectorAll('.jp-InputPrompt')].some(one => /[*\d]/.test(one.textContent))"
"""Whether a cell says that it runs, or ran."""


def run_all(lab: Page, wanted: str, *, patience: float) -> None:
    """Run every cell of the open notebook and wait for a text in what they say, for so many milliseconds.

    JupyterLab drops what is asked for in the moment in which it joins notebook and kernel: a cell says neither `[*]`
    nor a number then, and people ask again. What the server answered is told when the text never comes.
    """
    answers: list[str] = []
    lab.on("response", lambda answer: note(answers, answer))
    lab.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=patience)
    lab.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", state="attached", timeout=patience)
    for _ in range(3):
        lab.get_by_role("menuitem", name="Run", exact=True).click()
        lab.get_by_role("menuitem", name=re.compile("^Run All Cells")).first.click()
        with suppress(Late):
            lab.wait_for_function(ANSWERED, timeout=15_000)
            break
    expect(lab.get_by_text(wanted).first, f"The server answered {answers}").to_be_visible(timeout=patience)


def note(answers: list[str], answer: Response) -> None:
    """Keep what the server answered to a cell."""
    if answer.url.partition("?")[0].endswith("/execute"):
        answers.append(f"{answer.status} {answer.status_text}")
