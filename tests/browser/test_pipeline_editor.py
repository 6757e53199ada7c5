"""The pipeline editor in a real browser: building by keyboard, nothing lost, conflicts told.

The life of a pipeline, beside this, builds one by mouse.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect

from spacelab.accounts.models import Person
from spacelab.pipelines import actions
from spacelab.pipelines.models import PipelineVersion
from support.axe import at_rest, breaches
from support.editor import EMPTY, FIGLET, GREET, Editor, opened, show
from support.people import make_person
from support.pipelines import make_pipeline

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BUILT = """\
cwlVersion: v1.2
class: Workflow
label: Hello_PIPEMAN
# what people read first
inputs:
  name: File
outputs:
  letters:
    type: File
    outputSource: figlet/letters
steps:
  greet:
    run: catalogue/greet/1.0.cwl
    in:
      name: name
    out: [greeting]
  figlet:
    run: catalogue/figlet/1.0.cwl
    in:
      text: greet/greeting
    out: [letters]
"""
COMMENTED = """\
#!/usr/bin/env cwl-runner
cwlVersion: v1.2   # the version
class: "Workflow"

inputs: {name: File}  # one line
outputs:
    letters: {type: File, outputSource: draw/letters}
steps:
    # first of all
    - id: greet
      run: catalogue/greet/1.0.cwl   # from the catalogue
      in: {name: name}
      out: [ greeting ]
      my:unknown: {stays: true}

    - id: draw
      run: catalogue/figlet/1.0.cwl
      in:
        text: greet/greeting  # the words
      out: [letters]
$namespaces: {my: "http://example.org/"}
"""


@pytest.fixture
def server(settings: Any, live_server: LiveServer) -> str:
    settings.ALLOWED_HOSTS = ["*"]
    return str(live_server.url)


@pytest.fixture
def ada(transactional_db: None) -> Person:
    make_pipeline("greet", kind="step", files={"greet.cwl": GREET}, title="Make the greeting")
    make_pipeline("figlet", kind="step", files={"figlet.cwl": FIGLET}, title="Large letters")
    return make_person("ada", "developer")


def draft(ada: Person, text: str = EMPTY) -> PipelineVersion:
    return actions.create(by=ada, slug="hello", files={"main.cwl": text}, main="main.cwl", title="Hello")


@pytest.fixture
def editor(chromium: Browser, server: str, ada: Person, request: pytest.FixtureRequest) -> Iterator[Editor]:
    text = getattr(request, "param", EMPTY)
    found = opened(chromium, server, ada, draft(ada, text))
    yield found
    assert not found.complaints
    found.context.close()


def saved() -> PipelineVersion:
    return PipelineVersion.objects.get(pipeline__slug="hello")


def test_what_does_not_fit_cannot_be_dropped(editor: Editor) -> None:
    page = editor.page
    pane = page.locator(".react-flow__pane")
    page.get_by_role("button", name="Make the greeting").drag_to(pane, target_position={"x": 280, "y": 200})
    page.get_by_role("button", name="Large letters").drag_to(pane, target_position={"x": 560, "y": 260})
    expect(editor.node("figlet")).to_be_visible()
    before = editor.text
    editor.lead(editor.port("figlet", "letters", "out"), editor.port("figlet", "width", "in"))
    assert editor.text == before
    editor.lead(editor.port("greet", "greeting", "out"), editor.port("figlet", "width", "in"))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("read as int")
    dialog.get_by_role("button", name="Connect with a converter").click()
    expect(page.locator(".react-flow__edge:not(.pending)")).to_have_count(1)
    assert "valueFrom: $(Number(self))" in editor.text


def find_remove_and_undo(editor: Editor) -> None:
    """Find a step by its name, remove it and bring it back, with keys alone."""
    keys = editor.page.keyboard
    keys.press("/")
    keys.type("figlet")
    keys.press("Enter")
    expect(editor.node("figlet")).to_be_focused()
    keys.press("Delete")
    expect(editor.node("figlet")).to_have_count(0)
    keys.press("Control+z")
    expect(editor.node("figlet")).to_be_visible()


def test_a_pipeline_is_built_with_keys_alone(editor: Editor) -> None:
    page = editor.page
    keys = page.keyboard
    expect(page.get_by_role("button", name="Large letters")).to_be_visible()
    page.get_by_label("Find a step").focus()
    keys.type("greeting")
    expect(page.get_by_role("button", name="Large letters")).to_have_count(0)
    expect(page.get_by_role("button", name="Make the greeting")).to_be_visible()
    keys.press("Tab")
    keys.press("Enter")
    expect(editor.node("greet")).to_be_focused()
    keys.press("a")
    expect(page.get_by_label("Find a step")).to_be_focused()
    keys.press("Control+a")
    keys.type("letters")
    expect(page.get_by_role("button", name="Make the greeting")).to_have_count(0)
    expect(page.get_by_role("button", name="Large letters")).to_be_visible()
    keys.press("Tab")
    keys.press("Enter")
    expect(editor.node("figlet")).to_be_focused()
    editor.says("Step figlet added.")
    keys.press("PageUp")
    expect(editor.node("greet")).to_be_focused()
    keys.press("c")
    expect(page.get_by_role("combobox", name="Goes to")).to_be_focused()
    keys.type("text")
    keys.press("Enter")
    editor.says("greeting of greet now feeds text of figlet.")
    expect(editor.node("greet")).to_be_focused()
    keys.press("c")
    page.get_by_role("combobox", name="Its port").select_option("in name")
    page.get_by_role("button", name="Ask for it at launch").press("Enter")
    expect(editor.node("name")).to_be_focused()
    keys.press("End")
    expect(editor.node("figlet")).to_be_focused()
    keys.press("c")
    page.get_by_role("button", name="Keep it as a pipeline output").press("Enter")
    expect(editor.node("letters")).to_be_focused()
    expect(editor.node("letters")).to_have_attribute(
        "aria-label", "letters, pipeline output, File, fed by Large letters"
    )
    keys.press("Shift+ArrowDown")
    editor.says("At ")
    keys.press("Enter")
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    keys.press("Escape")
    expect(editor.node("letters")).to_be_focused()
    find_remove_and_undo(editor)
    editor.reads(BUILT)
    editor.save()
    assert saved().files["main.cwl"] == BUILT
    assert saved().is_valid
    assert '"greet": [' in saved().files["main.layout.json"]


@pytest.mark.parametrize("editor", [COMMENTED], indirect=True, ids=["commented"])
def test_a_change_on_the_canvas_leaves_every_other_line_as_it_was(editor: Editor) -> None:
    page = editor.page
    editor.node("greet").click()
    page.get_by_label("Label").fill("Say hello")
    page.get_by_label("Label").press("Enter")
    expect(editor.node("greet")).to_contain_text("Say hello")
    before, after = COMMENTED.splitlines(), editor.text.splitlines()
    assert [line for line in after if line not in before] == ["      label: Say hello"]
    assert [line for line in before if line not in after] == []
    page.get_by_role("button", name="Undo").click()
    expect(editor.node("greet")).not_to_contain_text("Say hello")
    editor.reads(COMMENTED)
    page.get_by_role("button", name="Redo").click()
    expect(editor.node("greet")).to_contain_text("Say hello")
    editor.node("draw").click()
    page.keyboard.press("Delete")
    expect(editor.node("draw")).to_have_count(0)
    assert "my:unknown: {stays: true}" in editor.text
    for _ in range(2):
        page.keyboard.press("Control+z")
    expect(editor.node("draw")).to_be_visible()
    editor.reads(COMMENTED)
    expect(page.locator(".toolbar .badge")).to_contain_text("saved")


ODD = "cwlVersion: v1.2\r\nclass: Workflow\r\ninputs: {}\t# tab\r\noutputs: []\r\nsteps: [ ]   \r\n\r\n# no end of line"


@pytest.mark.parametrize(
    "editor", [ODD, "\ufeff" + ODD.replace("\r\n", "\n") + "\rx: 1\n"], indirect=True, ids=["crlf", "bom"]
)
def test_saving_keeps_each_byte(editor: Editor) -> None:
    before = saved().files["main.cwl"]
    page = editor.page
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# ")
    expect(page.locator(".toolbar .badge")).to_contain_text("unsaved")
    editor.save()
    line_end = "\r\n" if "\r\n" in before else "\n"
    assert saved().files["main.cwl"] == "# " + before
    assert line_end in saved().files["main.cwl"]
    assert list(saved().files) == ["main.cwl"]


def test_typing_changes_the_canvas_and_problems_lead_to_their_line(editor: Editor) -> None:
    page = editor.page
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(EMPTY.replace("steps: {}", "steps:\n  broken: {run: nowhere.cwl, in: {}, out: []}"))
    expect(editor.node("broken")).to_be_visible()
    expect(page.locator(".problems")).to_contain_text("nowhere.cwl")
    page.locator(".problems").get_by_role("button", name="broken").click()
    expect(editor.node("broken")).to_be_focused()
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("\n: : [")
    expect(page.locator(".text-pane")).to_contain_text("the last text that could be read")
    expect(editor.node("broken")).to_be_visible()


def test_somebody_who_saved_meanwhile_is_told_and_nothing_is_lost(editor: Editor, server: str, ada: Person) -> None:
    page = editor.page
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("# mine")
    theirs = EMPTY + "# theirs\n"
    actions.save(by=ada, version=saved(), files={"main.cwl": theirs})
    page.keyboard.press("Control+s")
    dialog = page.get_by_role("dialog", name="Somebody saved meanwhile")
    expect(dialog.get_by_role("region", name="Your text at main.cwl, line 8")).to_have_text("# mine")
    expect(dialog.get_by_role("region", name="Their text at main.cwl, line 8")).to_have_text("# theirs")
    expect(dialog.get_by_role("button", name="Bring both together")).to_be_disabled()
    assert breaches(page) == []
    editor.complaints.clear()  # the browser's own word on the refusal
    dialog.get_by_role("button", name="Go on with mine").click()
    editor.reads(EMPTY + "# mine")
    assert saved().files["main.cwl"] == theirs
    page.keyboard.press("Control+s")
    dialog.get_by_role("button", name="Go on with theirs").click()
    editor.reads(theirs)
    page.get_by_role("button", name="Undo").click()
    editor.reads(EMPTY + "# mine")
    later = theirs.replace("label: Hello_PIPEMAN", "label: Hello")
    actions.save(by=ada, version=saved(), files={"main.cwl": later})
    page.keyboard.press("Control+s")
    expect(dialog).to_contain_text("in different lines")
    dialog.get_by_role("button", name="Bring both together").click()
    mine = EMPTY.replace("label: Hello_PIPEMAN", "label: Hello") + "# mine"
    editor.reads(mine)
    actions.save(by=ada, version=saved(), files={"main.cwl": later + "# more\n"})
    page.keyboard.press("Control+s")
    dialog.get_by_label("Both, theirs first").check()
    dialog.get_by_role("button", name="Bring both together").click()
    editor.save()
    assert saved().files["main.cwl"] == later + "# more\n# mine"
    editor.complaints.clear()


def test_unsaved_changes_are_offered_after_the_tab_was_closed(editor: Editor, server: str) -> None:
    page = editor.page
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("# kept")
    page.wait_for_function("() => Object.values(localStorage).some((kept) => kept.includes('# kept'))")
    page.close()
    editor.page = editor.context.new_page()
    show(editor, server, saved())
    editor.reads(EMPTY)
    expect(editor.page.locator(".notices")).to_contain_text("kept changes")
    editor.page.get_by_role("button", name="Bring them back").click()
    editor.reads(EMPTY + "# kept")
    editor.save()
    assert saved().files["main.cwl"] == EMPTY + "# kept"


def test_two_windows_and_a_lost_line_lose_nothing(editor: Editor, server: str, ada: Person) -> None:
    page, context = editor.page, editor.context
    other = Editor(context, context.new_page())
    show(other, server, saved())
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type("# one")
    editor.save()
    expect(other.page.locator(".notices")).to_contain_text("saved in another window")
    other.reads(EMPTY + "# one")
    other.page.locator(".cm-content").focus()
    other.page.keyboard.press("Control+Home")
    context.set_offline(True)
    other.page.keyboard.type("# two\n")
    expect(other.page.locator(".toolbar .badge")).to_have_text("kept in this browser")
    expect(other.page.locator(".notices")).to_contain_text("can’t be reached")  # noqa: RUF001  the page's own sign
    context.set_offline(False)
    expect(other.page.locator(".toolbar .badge")).to_have_text("unsaved changes")
    context.clear_cookies()
    other.page.keyboard.press("Control+s")
    expect(other.page.locator(".notices")).to_contain_text("You are signed out.")
    client = Client()
    client.force_login(ada)
    context.add_cookies([{"name": "spacelab", "value": client.cookies["spacelab"].value, "url": server}])
    other.save()
    assert saved().files["main.cwl"] == "# two\n" + EMPTY + "# one"
    expect(page.locator(".notices")).to_contain_text("saved in another window")
    editor.complaints.clear()  # the browser's own words on the lost line


def test_a_step_is_made_from_a_command(editor: Editor) -> None:
    page = editor.page
    page.get_by_role("button", name="a command").click()
    page.get_by_label("Command line").fill("sort -k {int:key} {File:table} > {sorted.txt}")
    page.get_by_role("button", name="Make the step").click()
    expect(editor.node("sort")).to_be_focused()
    expect(editor.node("sort")).to_contain_text("table")
    editor.save()
    assert "baseCommand" in saved().files["steps/sort.cwl"]
    assert "run: steps/sort.cwl" in saved().files["main.cwl"]


def test_steps_are_copied_and_pasted(editor: Editor) -> None:
    page = editor.page
    page.get_by_role("button", name="Large letters").press("Enter")
    expect(editor.node("figlet")).to_be_focused()
    page.keyboard.press("Control+c")
    editor.says("1 step copied.")
    page.keyboard.press("Control+v")
    editor.says("1 step pasted")
    expect(page.locator(".node")).to_have_count(2)


def test_without_scripts_the_text_is_changed_and_saved(chromium: Browser, server: str, ada: Person) -> None:
    plain = opened(chromium, server, ada, draft(ada, COMMENTED), java_script_enabled=False)
    page = plain.page
    page.get_by_label("CWL text").fill(COMMENTED + "# more\n")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    assert saved().files["main.cwl"] == COMMENTED + "# more\n"
    plain.context.close()


@pytest.mark.parametrize("editor", [COMMENTED], indirect=True, ids=["commented"])
def test_the_editor_is_usable_by_everybody(editor: Editor) -> None:
    page = editor.page
    for width, scheme in product((1280, 360), ("light", "dark")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of Playwright's words
        page.set_viewport_size({"width": width, "height": 900})
        at_rest(page)
        editor.stands("greet")
        editor.node("greet").click(force=True)
        expect(page.get_by_label("Label")).to_be_visible()
        assert breaches(page) == [], (width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.keyboard.press("c")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert breaches(page) == [], (width, scheme)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("editor", [COMMENTED], indirect=True, ids=["commented"])
def test_what_a_step_needs_is_filled_into_forms(editor: Editor) -> None:
    page = editor.page
    editor.node("greet").click()
    inspector = page.get_by_role("region", name="Inspector")
    inspector.get_by_label("Ask for something else").select_option("Environment variables")
    variables = inspector.get_by_role("group", name="Environment variables")
    variables.locator("summary").click()
    variables.get_by_label("Variables").fill("A=1\nB=$(inputs.name.basename)")
    variables.get_by_label("Variables").press("Control+Enter")
    expect(page.locator(".cm-content")).to_contain_text("B: $(inputs.name.basename)")
    written = [line.strip() for line in editor.text.splitlines()]
    at = written.index("envDef:")
    assert written[at - 1 : at + 3] == ["EnvVarRequirement:", "envDef:", 'A: "1"', "B: $(inputs.name.basename)"]
    inspector.get_by_label("Memory (MiB)").fill("lots")
    inspector.get_by_label("Memory (MiB)").press("Enter")
    expect(inspector.get_by_role("list", name="Problems of this node")).to_contain_text("ramMin is no amount.")
    inspector.get_by_label("Memory (MiB)").fill("")
    inspector.get_by_label("Memory (MiB)").press("Enter")
    expect(page.locator(".problems")).to_contain_text("No problems.")
    assert breaches(page) == []
    variables.get_by_role("button", name="Make it a hint").click()
    expect(variables.locator(".badge")).to_have_text("hint")
    variables.get_by_role("button", name="Take away").click()
    expect(variables).to_have_count(0)
    editor.reads(COMMENTED)


NESTED = """\
cwlVersion: v1.2
class: Workflow
requirements: {SubworkflowFeatureRequirement: {}}
inputs: {name: File}
outputs: {}
steps:
  both:  # two in one
    in: {name: name}
    out: []
    run:
      class: Workflow
      inputs: {name: File}
      outputs: {}
      steps:
        greet: {run: catalogue/greet/1.0.cwl, in: {name: name}, out: [greeting]}
"""


@pytest.mark.parametrize("editor", [NESTED], indirect=True, ids=["nested"])
def test_a_workflow_inside_a_step_is_opened_and_changed(editor: Editor) -> None:
    page = editor.page
    expect(page.get_by_role("button", name="Large letters")).to_be_visible()
    editor.node("both").dblclick()
    expect(editor.node("greet")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("both")
    page.get_by_role("button", name="Large letters").press("Enter")
    expect(editor.node("figlet")).to_be_focused()
    assert "        figlet:\n          run: catalogue/figlet/1.0.cwl\n" in editor.text
    assert editor.text.startswith(NESTED.rstrip())
    page.keyboard.press("Control+z")
    expect(editor.node("figlet")).to_have_count(0)
    page.locator(".toolbar").get_by_role("button", name="Hello").click()
    expect(editor.node("both")).to_be_visible()
    editor.reads(NESTED)


MANY = """\
cwlVersion: v1.2
class: Workflow
inputs: {names: "File[]"}
outputs:
  one: {type: string}
steps:
  greet: {run: catalogue/greet/1.0.cwl, in: {}, out: [greeting]}
"""


@pytest.mark.parametrize("editor", [MANY], indirect=True, ids=["many"])
def test_a_scatter_is_offered_where_it_makes_a_link_fit(editor: Editor) -> None:
    page = editor.page
    editor.lead(editor.port("names", "names", "out"), editor.port("greet", "name", "in"))
    page.get_by_role("dialog").get_by_role("button", name="Scatter greet").click()
    expect(editor.node("greet")).to_contain_text("\u00d7n")
    assert "scatter: name" in editor.text
    assert "ScatterFeatureRequirement" in editor.text
    before = editor.text
    editor.lead(editor.port("greet", "greeting", "out"), editor.port("one", "one", "in"))
    expect(page.locator(".notices")).to_contain_text("does not fit")
    assert editor.text == before
