"""What the pipeline editor asks the platform for: readings, changes, new steps, saving; and its page for each."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.pipelines import actions, rules
from spacelab.pipelines.models import PipelineVersion
from support.people import make_person, signed_in
from support.pipelines import FILES, TOOL, WORKFLOW, make_pipeline, make_step

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Person:
    return make_person("ada", "developer")


@pytest.fixture
def client(ada: Person) -> Client:
    return signed_in(ada)


def ask(client: Client, what: str, **sent: object) -> Any:
    return client.post(f"/pipelines/editor/{what}", json.dumps(sent), content_type="application/json")


def draft(ada: Person) -> PipelineVersion:
    return actions.create(by=ada, slug="greeting", files=FILES, main="main.cwl")


def test_a_reading_holds_what_the_canvas_draws(client: Client) -> None:
    answer = ask(client, "read", files=FILES, main="main.cwl").json()
    assert [node["id"] for node in answer["graph"]["nodes"]] == ["message", "say", "said"]
    assert [(link["source_node"], link["target_node"]) for link in answer["graph"]["links"]] == [
        ("message", "say"),
        ("say", "said"),
    ]
    assert answer["fits"]["File → string"][0] == "convert"
    assert set(answer["layout"]["boxes"]) == {"message", "say", "said"}
    assert answer["problems"] == []


def test_a_text_that_cannot_be_read_has_problems_and_no_graph(client: Client) -> None:
    answer = ask(client, "read", files={"main.cwl": "class: [Workflow"}, main="main.cwl").json()
    assert answer["graph"] is None
    assert answer["problems"][0]["line"] == 1


def test_a_change_touches_its_own_lines_and_finds_steps_of_the_catalogue(client: Client) -> None:
    make_step("loud")
    edit = {"edit": "AddStep", "id": "more", "run": "catalogue/loud/1.0.cwl"}
    answer = ask(client, "edit", files=FILES, main="main.cwl", edit=edit).json()
    assert answer["text"].startswith(WORKFLOW.rstrip())
    more = next(node for node in answer["reading"]["graph"]["nodes"] if node["id"] == "more")
    assert not more["missing"]
    assert [port["id"] for port in more["ports_out"]] == ["said"]
    assert "    out: [said]" in answer["text"].removeprefix(WORKFLOW.rstrip())


def test_what_steps_and_workflows_require_is_told_for_their_forms(client: Client) -> None:
    step = WORKFLOW.replace(
        "    run: say.cwl\n", "    run: say.cwl\n    hints: [{class: WorkReuse, enableReuse: false}]\n"
    )
    text = step.replace("class: Workflow\n", "class: Workflow\nrequirements: {EnvVarRequirement: {envDef: {A: b}}}\n")
    answer = ask(client, "read", files={**FILES, "main.cwl": text}, main="main.cwl").json()
    assert answer["details"] == {
        "": [{"name": "EnvVarRequirement", "hint": False, "fields": {"envDef": {"A": "b"}}}],
        "say": [{"name": "WorkReuse", "hint": True, "fields": {"class": "WorkReuse", "enableReuse": False}}],
    }
    wrong = text.replace("{A: b}", "3")
    problem = ask(client, "read", files={**FILES, "main.cwl": wrong}, main="main.cwl").json()["problems"][0]
    assert (problem["line"], problem["message"]) == (3, "`envDef` holds no variables.")


def test_an_input_takes_the_type_of_the_port_that_it_feeds(client: Client) -> None:
    tool = TOOL.replace("type: string", "type: {type: enum, symbols: [a, b]}")
    made = {"edit": "AddInput", "id": "choice", "type": {"like": ["say", "message"]}}
    answer = ask(client, "edit", files={**FILES, "say.cwl": tool}, main="main.cwl", edit=made).json()
    assert "symbols: [a, b]" in answer["text"]


def test_what_cannot_be_done_is_told_in_words(client: Client) -> None:
    answer = ask(client, "edit", files=FILES, main="main.cwl", edit={"edit": "Remove", "node": "nobody"})
    assert answer.status_code == 422
    assert "nobody" in answer.json()["detail"]
    assert ask(client, "edit", files=FILES, main="main.cwl", edit={"edit": "Explode"}).status_code == 422
    assert ask(client, "edit", files=FILES, main="main.cwl").status_code == 422
    assert ask(client, "read", files={"../x": ""}, main="../x").status_code == 422
    assert ask(client, "read", main="main.cwl").status_code == 422
    broken = client.post("/pipelines/editor/read", b"{", content_type="application/json")
    assert (broken.status_code, broken.json()["detail"]) == (422, "This is no JSON.")


def test_files_are_limited(client: Client) -> None:
    large = {"main.cwl": "#" * (rules.LARGEST_DOCUMENT + 1)}
    assert ask(client, "read", files=large, main="main.cwl").status_code == 413
    many = {f"{number}.cwl": "#" * 900_000 for number in range(12)}
    assert ask(client, "read", files=many, main="0.cwl").status_code == 413


def test_steps_are_copied_for_another_document(client: Client) -> None:
    text = ask(client, "copy", files=FILES, main="main.cwl", nodes=["say"]).json()["text"]
    answer = ask(client, "edit", files=FILES, main="main.cwl", edit={"edit": "Paste", "text": text}).json()
    assert sum(node["kind"] == "step" for node in answer["reading"]["graph"]["nodes"]) == 2


@pytest.mark.parametrize(
    ("kind", "text", "beside"),
    [
        ("command", "wc -l {File:table} > {lines.txt}", []),
        ("script", "import argparse\np = argparse.ArgumentParser()\np.add_argument('--n', type=int)\n", ["it.py"]),
    ],
    ids=["command", "script"],
)
def test_steps_are_made_from_other_things(client: Client, kind: str, text: str, beside: list[str]) -> None:
    answer = ask(client, "make", kind=kind, text=text, name="it").json()
    assert answer["name"] == "it"
    assert "class: CommandLineTool" in answer["text"]
    assert list(answer["beside"]) == beside


def test_what_a_step_cannot_be_made_from_is_told(client: Client) -> None:
    assert ask(client, "make", kind="script", text="def", name="x").status_code == 422
    assert ask(client, "make", kind="magic", text="x", name="x").status_code == 422
    assert ask(client, "make", kind="command", text=" ", name="").status_code == 422


def test_the_list_of_steps_holds_what_the_person_sees(client: Client, ada: Person) -> None:
    make_step("loud")
    make_step("hidden", state="built", maintainer=make_person("ben", "developer"))
    make_pipeline("whole")
    own = make_step("own", state="built", maintainer=ada)
    entries = client.get("/pipelines/editor/steps").json()["entries"]
    assert [entry["ref"] for entry in entries] == [
        "catalogue/loud/1.0.cwl",
        f"catalogue/own/{own.version}.cwl",
        "catalogue/whole/1.0.cwl",
    ]
    assert [one["slug"] for one in client.get("/pipelines/editor/steps?q=loud").json()["entries"]] == ["loud"]


def test_saving_tells_of_what_somebody_else_saved(client: Client, ada: Person) -> None:
    version = draft(ada)
    address = f"/pipelines/greeting/{version.version}/edit/save"
    first = {"files": {**FILES, "main.cwl": WORKFLOW + "# one\n"}, "main": "main.cwl", "base": version.content_hash}
    answer = client.post(address, json.dumps(first), content_type="application/json")
    assert answer.status_code == 200
    again = client.post(address, json.dumps(first | {"files": FILES}), content_type="application/json")
    assert again.status_code == 409
    assert again.json()["conflict"]["files"]["main.cwl"] == WORKFLOW + "# one\n"
    assert again.json()["conflict"]["base"] == answer.json()["base"]
    version.refresh_from_db()
    assert version.files["main.cwl"] == WORKFLOW + "# one\n"


def test_each_person_finds_what_she_may_do(client: Client, ada: Person) -> None:
    version = draft(ada)
    public = make_pipeline("open")
    page = f"/pipelines/greeting/{version.version}/edit"
    assert client.get(page).context["settings"]["writable"]
    assert not client.get(f"/pipelines/open/{public.version}/edit").context["settings"]["writable"]
    ben = signed_in(make_person("ben", "scientist"))
    assert ben.get(page).status_code == 404
    assert ben.get(f"/pipelines/open/{public.version}/edit").status_code == 200
    sent = json.dumps({"files": FILES, "main": "main.cwl", "base": public.content_hash})
    save = f"/pipelines/open/{public.version}/edit/save"
    assert ben.post(save, sent, content_type="application/json").status_code == 403
    visitor = Client()
    assert visitor.get(page)["Location"].startswith("/sign-in")
    assert ask(visitor, "read", files=FILES, main="main.cwl").status_code == 401


def test_without_scripts_the_text_is_saved_as_it_was_typed(client: Client, ada: Person) -> None:
    version = draft(ada)
    page = f"/pipelines/greeting/{version.version}/edit"
    sent = {"text": (WORKFLOW + "# more\n").replace("\n", "\r\n"), "was": version.content_hash}
    assert client.post(page, sent).status_code == 302
    version.refresh_from_db()
    assert version.files["main.cwl"] == WORKFLOW + "# more\n"
    refused = client.post(page, sent)
    assert refused.status_code == 409
    assert "# more" in refused.content.decode()


STEPS = "cwlVersion: v1.2\nclass: Workflow\ninputs: {}\noutputs: {}\nsteps:\n"


@pytest.mark.parametrize(
    "text",
    ["a" * 999_999, "\n" * 999_999, "catalogue/aa/" * 76_000, "a/" * 499_999, "'" * 999_999],
    ids=["word", "lines", "references", "path", "quotes"],
)
def test_a_megabyte_of_anything_is_read_quickly(client: Client, text: str) -> None:
    began = time.monotonic()
    answer = ask(client, "read", files={"main.cwl": text}, main="main.cwl")
    assert (answer.status_code, answer.json()["graph"]) == (200, None)
    assert time.monotonic() - began < 10


def test_thousands_of_references_copies_and_long_types_are_bounded(client: Client) -> None:
    many = STEPS + "".join(f"  s{n}: {{run: catalogue/a{n}/1.0.cwl, in: {{}}, out: []}}\n" for n in range(3000))
    answer = ask(client, "read", files={"main.cwl": many}, main="main.cwl").json()
    assert all(node["missing"] for node in answer["graph"]["nodes"])
    nodes = [f"s{n}" for n in range(3000)]
    assert ask(client, "copy", files={"main.cwl": many}, main="main.cwl", nodes=nodes).status_code == 422
    symbols = ", ".join(f"symbol_{n}" for n in range(300))
    tool = TOOL.replace("type: string", f"type: {{type: enum, symbols: [{symbols}]}}")
    answer = ask(client, "read", files={**FILES, "say.cwl": tool}, main="main.cwl").json()
    assert len(json.dumps(answer["fits"])) < 10_000


def test_steps_of_somebody_elses_draft_stay_hidden(client: Client) -> None:
    ben = make_person("ben", "developer")
    version = make_step("secret", state="built", maintainer=ben).version
    text = STEPS + f"  s: {{run: catalogue/secret/{version}.cwl, in: {{}}, out: []}}\n"
    answer = ask(client, "read", files={"main.cwl": text}, main="main.cwl").json()
    assert answer["graph"]["nodes"][0]["missing"]
    assert "echo" not in json.dumps(answer)
    own = ask(signed_in(ben), "read", files={"main.cwl": text}, main="main.cwl").json()
    assert not own["graph"]["nodes"][0]["missing"]


def test_a_moderator_looks_at_what_she_reviews_and_changes_nothing(client: Client, ada: Person) -> None:
    evil = "</script><script>alert(1)</script>"
    text = WORKFLOW.replace("class: Workflow\n", f"class: Workflow\nlabel: '{evil}'\n")
    files = {**FILES, "main.cwl": text}
    version = make_pipeline("shown", state="in-review", maintainer=ada, files=files)
    moderator = signed_in(make_person("mia", "moderator"))
    page = moderator.get(f"/pipelines/shown/{version.version}/edit")
    assert (page.status_code, page.context["settings"]["writable"]) == (200, False)
    assert evil not in page.content.decode()
    sent = json.dumps({"files": FILES, "main": "main.cwl", "base": version.content_hash})
    save = f"/pipelines/shown/{version.version}/edit/save"
    assert moderator.post(save, sent, content_type="application/json").status_code == 403
    assert client.post(save, sent, content_type="application/json").status_code == 409
