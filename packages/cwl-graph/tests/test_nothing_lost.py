"""The promise of editing, as a property over every document that other projects' packages bring.

With `SPACELAB_CWL_SUITE` naming a folder (a checkout of CWL's conformance tests, say) its documents are in it too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from difflib import SequenceMatcher

import pytest
from cwl_corpus import bundle_of, documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cwl_graph import Document, Edit, Refused, edit, edits, read
from cwl_graph.splicing import change_text, comments
from cwl_graph.tree import Tree

NAMES = sorted(documents())
pytestmark = pytest.mark.skipif(not NAMES, reason="no package here brings CWL documents")

VARIANTS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"),
    "no final newline": lambda text: text.rstrip("\n"),
    "a byte order mark": lambda text: "\ufeff" + text,
    "comments all over": lambda text: "".join(
        f"{line}\n{' ' * (len(line) - len(line.lstrip()))}# kept {number}\n"
        if line.strip().endswith(":")
        else f"{line}\n"
        for number, line in enumerate(text.split("\n"))
    ),
}
TEXTS = st.sampled_from(
    [
        "plain",
        "a: b",
        "# no comment",
        "two\nlines\n",
        "",
        "yes",
        "1.0",
        "'",
        '"',
        "- x",
        "*x",
        "é…",
        "tab\there",
        "a\n\n  b\n",
    ]
)


def lines_changed(old: str, new: str) -> tuple[list[int], list[str]]:
    """Return the numbers (from 1) of the lines that went, and the lines that came."""
    before, after = old.split("\n"), new.split("\n")
    gone: list[int] = []
    came: list[str] = []
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            gone += range(i + 1, j + 1)
            came += after[k:m]
    return gone, came


def steps_of(document: Document) -> list[str]:
    """Return the steps that stand in the document's own text."""
    return [node.id for node in document.graph.nodes if node.kind == "step"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_document_that_is_read_and_saved_unchanged_is_the_same_to_the_byte(variant: str) -> None:
    for name in NAMES:
        text = VARIANTS[variant](documents()[name])
        tree = Tree(text, name)
        assert tree.text == text
        if tree.root is not None:
            assert change_text(text, tree.root.plain()) == text


def loaded(data: st.DataObject) -> tuple[dict[str, str], str, Document]:
    """Return some document of the corpus in some manner of writing: its bundle, path and content."""
    name = data.draw(st.sampled_from(NAMES))
    main = name.rpartition("/")[2]
    text = VARIANTS[data.draw(st.sampled_from(sorted(VARIANTS)))](documents()[name])
    files = {**bundle_of(name), main: text}
    return files, main, read(files, main)


def edited(files: dict[str, str], main: str, change: Edit) -> str:
    """Return the text after an edit, or what it was if the edit was refused; its line ends stay of one kind."""
    try:
        new = edit(files, main, change)
    except Refused:
        return files[main]
    if "\r\n" in files[main] and files[main].count("\n") == files[main].count("\r\n"):
        assert new.count("\n") == new.count("\r\n")
    assert new.startswith("\ufeff") == files[main].startswith("\ufeff")
    assert new.endswith("\n") or not files[main].endswith("\n")
    return new


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_change_to_one_step_leaves_every_other_line_as_it_was(data: st.DataObject) -> None:
    files, main, document = loaded(data)
    names = steps_of(document)
    if not names:
        return
    step = document.graph.node(data.draw(st.sampled_from(names)))
    assert step is not None
    field = data.draw(st.sampled_from(["label", "doc", "my:own"]))
    new = edited(files, main, edits.SetField(("steps", step.id, field), data.draw(TEXTS)))
    gone, came = lines_changed(files[main], new)
    assert set(gone) <= set(range(step.first_line, step.last_line + 1))
    read_again = read({**files, main: new}, main)
    assert len(read_again.problems) == len(document.problems)
    if came:
        kept = {words for _, words in comments(Tree(files[main]))} - {words for _, words in comments(Tree(new))}
        assert not kept, "a comment went"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_removing_a_node_takes_its_own_lines_and_its_links(data: st.DataObject) -> None:
    files, main, document = loaded(data)
    nodes = document.graph.nodes
    if not nodes or any(node.id.startswith(("output:", "step:")) for node in nodes):
        return  # an id that stands twice is a mistake that its author has to mend first
    node = data.draw(st.sampled_from(nodes))
    new = edited(files, main, edits.Remove(node.id))
    if new == files[main]:
        return
    after = read({**files, main: new}, main)
    assert after.graph.node(node.id) is None
    left = [link.id for link in document.graph.links if node.id not in {link.source_node, link.target_node}]
    assert [link.id for link in after.graph.links] == left
    old = files[main].split("\n")
    touched = {link.target_node for link in document.graph.links if link.source_node == node.id}
    ranges = [node, *(one for name in touched if (one := document.graph.node(name)) is not None)]
    near = Counter(line for one in ranges for line in old[one.first_line - 1 : one.last_line])
    for line in (Counter(old) - Counter(new.split("\n")) - near).elements():
        ends = line.rstrip().endswith(("[", "]", "],", "{", "}", "},", ":", ","))
        assert node.id in line or ends or not line.strip(), line


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_link_is_taken_away_and_put_back(data: st.DataObject) -> None:
    files, main, document = loaded(data)
    if not document.graph.links:
        return
    link = data.draw(st.sampled_from(document.graph.links))
    ends = (link.source_node, link.source_port, link.target_node, link.target_port)
    text = edited(files, main, edits.Disconnect(*ends))
    if text == files[main]:
        return
    without = read({**files, main: text}, main)
    assert {one.id for one in document.graph.links} - {one.id for one in without.graph.links} == {link.id}
    again = edited({**files, main: text}, main, edits.Connect(*ends, add=True))
    ids = {one.id for one in read({**files, main: again}, main).graph.links}
    assert ids == {one.id for one in document.graph.links}


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_renamed_node_keeps_its_links_and_its_lines(data: st.DataObject) -> None:
    files, main, document = loaded(data)
    nodes = document.graph.nodes
    if not nodes or any(node.id.startswith(("output:", "step:")) for node in nodes):
        return  # an id that stands twice is a mistake that its author has to mend first
    node = data.draw(st.sampled_from(nodes))
    new = edited(files, main, edits.Rename(node.id, "entirely_new"))
    if new == files[main]:
        return
    after = read({**files, main: new}, main)
    assert len(after.graph.links) == len(document.graph.links)
    assert [one.kind for one in after.graph.nodes] == [one.kind for one in document.graph.nodes]
    assert new.count("\n") == files[main].count("\n")
    back = edited({**files, main: new}, main, edits.Rename("entirely_new", node.id))
    assert Tree(back).root is not None
    assert read({**files, main: back}, main).content == document.content


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_added_stands_beside_every_old_line(data: st.DataObject) -> None:
    files, main, document = loaded(data)
    if document.cwl_class != "Workflow":
        return
    tool = {"class": "Operation", "inputs": {"a": "File"}, "outputs": {"b": "File"}}
    changes: list[Edit] = [
        edits.AddStep("entirely_new", tool, label="New: one"),
        edits.AddInput("entirely_new", "File[]?", "Label", {"doc": "one\ntwo\n"}),
        edits.AddOutput("entirely_new", {"type": "array", "items": ["null", "File"]}),
        edits.AddRequirement("ResourceRequirement", {"coresMin": 3}, hint=True),
    ]
    new = edited(files, main, data.draw(st.sampled_from(changes)))
    gone, _ = lines_changed(files[main], new)
    old = files[main].split("\n")
    assert new != files[main] or "$import" in files[main]
    for line in gone:  # only what was empty, or the end of a collection that goes on now
        assert old[line - 1].rstrip().endswith(("[]", "{}", "}", "]", ",", '"', ":")) or line == len(old), old[line - 1]
