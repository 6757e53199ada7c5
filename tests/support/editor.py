"""The pipeline editor for tests: its page, opened for somebody, and what people do there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from spacelab.accounts.models import Person
from spacelab.pipelines.models import PipelineVersion
from support.browsing import let_in, until

GREET = """\
cwlVersion: v1.2
class: ExpressionTool
requirements:
  InlineJavascriptRequirement: {}
inputs:
  name: {type: File, loadContents: true}
outputs:
  greeting: string
expression: '${ return {"greeting": "Hello " + inputs.name.contents.trim()}; }'
"""
FIGLET = """\
cwlVersion: v1.2
class: CommandLineTool
label: Large letters
baseCommand: pyfiglet
inputs:
  text: {type: string, inputBinding: {position: 2}}
  width: {type: int, default: 80, inputBinding: {prefix: -w, position: 1}}
stdout: figlet.txt
outputs:
  letters: stdout
"""
EMPTY = """\
cwlVersion: v1.2
class: Workflow
label: Hello_PIPEMAN
# what people read first
inputs: {}
outputs: {}
steps: {}
"""


@dataclass
class Editor:
    """A page of the editor in a browser of somebody's own."""

    context: BrowserContext
    page: Page
    version: str = "0.1.0"
    complaints: list[str] = field(default_factory=list)
    """What the browser's console called an error: a breach of the page's policy stands here, too."""

    @property
    def text(self) -> str:
        """The CWL text as it stands in the editor."""
        lines: str = self.page.locator(".cm-content").evaluate("content => content.cmTile.root.view.state.sliceDoc()")
        return lines

    def reads(self, wanted: str) -> None:
        """Expect the CWL text to be this."""
        with suppress(AssertionError):
            until(self.page, lambda: self.text == wanted)
        assert self.text == wanted

    def node(self, name: str) -> Locator:
        """Return a node by its id."""
        return self.page.locator(f'.node[data-node-id="{name}"]')

    def stands(self, name: str) -> None:
        """Wait until a node has found its place."""
        self.node(name).evaluate(_AT_REST)

    def port(self, node: str, port: str, side: str) -> tuple[float, float]:
        """Return where a port's handle stands on the screen."""
        handle = self.page.locator(f'[data-nodeid="{node}"][data-handleid="{port}"].{_HANDLES[side]}')
        x, y = handle.evaluate(_AT_REST)
        return x, y

    def lead(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag from one place of the screen to another."""
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
        mouse.move(*end, steps=3)
        mouse.up()

    def says(self, words: str) -> None:
        """Expect what a screen reader is told."""
        expect(self.page.locator(".pipeline-editor > [role=status]")).to_contain_text(words)

    def save(self) -> None:
        """Save what has changed, and wait until it is."""
        badge = self.page.locator(".toolbar .badge")
        expect(badge).not_to_have_text(f"{self.version} saved")
        self.page.keyboard.press("Control+s")
        expect(badge).to_have_text(f"{self.version} saved")


_HANDLES = {"in": "target", "out": "source"}
_AT_REST = """async (handle) => {
  const frame = () => new Promise((go) => requestAnimationFrame(go));
  const place = () => {
    const box = handle.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  for (let before = [], now = place(), still = 0; ; before = now, now = place()) {
    still = String(before) === String(now) ? still + 1 : 0;
    if (still === 2) return now;
    await frame();
  }
}"""
"""Waits until an element has stood at the same place for some frames; returns its middle."""


def opened(browser: Browser, address: str, person: Person, version: PipelineVersion, **options: Any) -> Editor:
    """Open a version in the editor, in a browser where the person is signed in; options are Playwright's."""
    context = browser.new_context(viewport=options.pop("viewport", {"width": 1440, "height": 900}), **options)
    let_in(context, address, person)
    editor = Editor(context, context.new_page(), version.version)
    show(editor, address, version, drawn=options.get("java_script_enabled", True))
    return editor


def show(editor: Editor, address: str, version: PipelineVersion, *, drawn: bool = True) -> None:
    """Go to the editor's page of a version, and wait until its graph is drawn."""
    complaints, page = editor.complaints, editor.page
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}/pipelines/{version.pipeline.slug}/{version.version}/edit")
    if drawn:
        page.locator(".canvas[data-nodes]").wait_for()
