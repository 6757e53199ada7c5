"""The documentation holds what the code says: references, links, examples, and a line for all that has a name."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from datalab_package import (
    BASE_KEYS,
    INPUT_KEYS,
    INTERFACE_KEYS,
    META_KEYS,
    OPENS_KEYS,
    OUTPUT_KEYS,
    SETUP_KEYS,
    THREAD_KEYS,
)
from spacelab.site.configuration import Configuration
from spacelab.site.roles import PERMISSION_MEANINGS
from spacelab.volumes.declarations import KEYS, parse_declaration
from spacelab.volumes.rules import Kind
from spacelab.workloads.rules import Phase
from support.markdown import Block, anchors, blocks, links
from support.tree import PACKAGE, ROOT, domains, pages, product_modules, shown

DOCS = ROOT / "docs"
REFERENCES = ("lifecycle.md", "settings.md", "commands.md", "permissions.md", "pages-and-api.md", "metadata-terms.md")
LARGEST_PICTURE = 300_000
VARIABLE = re.compile(r"\bSPACELAB_[A-Z]+(?:_[A-Z]+)*\b")
PARTS_OF_A_DECISION = ("Context", "Decision", "Consequences", "Alternatives")


def script(name: str) -> ModuleType:
    """Load one of the documentation's scripts."""
    specification = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


generator = script("generate_reference")


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    page = DOCS / "reference" / name
    assert page.exists(), "run `make reference`"
    assert page.read_text() == generator.generated(name), f"{shown(page)} is out of date: run `make reference`"


def test_every_setting_has_a_meaning() -> None:
    silent = [name for name, field in Configuration.model_fields.items() if not field.description]
    assert not silent


def test_every_permission_has_a_meaning_and_no_meaning_is_left_over() -> None:
    assert {str(one) for one in PERMISSION_MEANINGS} == generator.all_permissions()


def test_every_page_of_the_platform_says_what_it_is() -> None:
    silent = [f"{address} ({name})" for address, name, text in generator.page_rows() if not text]
    assert not silent, "give the view a docstring"


def test_every_command_says_what_it_does() -> None:
    text = generator.generated("commands.md")
    silent = re.findall(r"^## `spacelab ([a-z-]+)`\n\n(?=##|\Z)", text, flags=re.MULTILINE)
    assert not silent, "give the command a help text"


@pytest.mark.parametrize("page", pages(), ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in links(page):
        if re.match(r"[a-z]+:", target) or target.endswith(".png"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert not broken


def test_pictures_are_there_and_small() -> None:
    shown_pictures = {
        (page.parent / target).resolve() for page in pages() for target in links(page) if ".png" in target
    }
    assert not [picture for picture in shown_pictures if not picture.exists()]
    assert not [picture for picture in DOCS.glob("images/*.png") if picture.stat().st_size > LARGEST_PICTURE]


def test_the_index_leads_to_every_page_of_the_docs() -> None:
    linked = {
        (index.parent / target.partition("#")[0]).resolve()
        for index in (DOCS / "README.md", DOCS / "decisions" / "README.md")
        for target in links(index)
    }
    lost = [shown(page) for page in pages() if DOCS in page.parents and page not in linked and page.name != "README.md"]
    assert not lost


def test_every_domain_has_its_line_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert not [name for name in domains() if f"| `{name}` |" not in text]


def test_the_glossary_has_the_words_of_the_code() -> None:
    text = (ROOT / "GLOSSARY.md").read_text()
    words = {str(one) for one in (*Phase, *Kind)} - {"team"}  # the area of a team is called that
    assert not [word for word in words if word not in text]


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("0*.md")), ids=shown)
def test_a_decision_has_its_parts(page: Path) -> None:
    assert set(re.findall(r"^## (.+)$", page.read_text(), flags=re.MULTILINE)) == set(PARTS_OF_A_DECISION)
    assert page.read_text().startswith(f"# {int(page.name[:4])}. ")


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(page.name[:4]) for page in sorted((DOCS / "decisions").glob("0*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def all_blocks(language: str) -> list[Block]:
    """List the blocks of code in a language on all pages."""
    return [block for page in pages() for block in blocks(page, language)]


def name_of(block: Block) -> str:
    """Name a block in the list of tests."""
    return f"{shown(block.page)}:{block.line}"


@pytest.mark.parametrize("block", all_blocks("toml"), ids=name_of)
def test_settings_in_examples_are_settings(block: Block, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("SPACELAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SPACELAB_STATE", str(tmp_path))
    (tmp_path / "spacelab.toml").write_text(block.text)
    configuration = Configuration()
    assert set(tomllib.loads(block.text)) <= configuration.model_fields_set


@pytest.mark.parametrize("block", all_blocks("yaml"), ids=name_of)
def test_declarations_in_examples_are_declarations(block: Block) -> None:
    parse_declaration(yaml.safe_load(block.text))


@pytest.mark.parametrize("block", [block for block in all_blocks("sh") if "run" in block.info.split()], ids=name_of)
def test_examples_that_change_nothing_run(block: Block, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPACELAB_", "DJANGO_"))}
    path = f"{Path(sys.executable).parent}:{kept.get('PATH', '')}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        cwd=tmp_path,
        env={**kept, "PATH": path, "SPACELAB_STATE": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_settings_that_the_pages_name_exist() -> None:
    known = {f"SPACELAB_{name.upper()}" for name in Configuration.model_fields}
    programs = [path for path in (ROOT / "base-images").rglob("*") if path.is_file()]
    for path in (*product_modules(), *programs):
        known |= set(VARIABLE.findall(path.read_text(errors="replace")))
    named = {(shown(page), name) for page in pages() for name in VARIABLE.findall(page.read_text())}
    assert not {(page, name) for page, name in named if name not in known}


PACKAGE_KEYS = {
    "": META_KEYS.keys() | SETUP_KEYS,
    "base.": BASE_KEYS,
    "interface.": INTERFACE_KEYS,
    "opens.": OPENS_KEYS,
    "threads.": THREAD_KEYS,
    "threads.inputs.": INPUT_KEYS,
    "threads.outputs.": OUTPUT_KEYS,
}


@pytest.mark.parametrize(
    ("page", "keys"),
    [
        ("volumes.md", KEYS),
        ("datalab-package.md", [prefix + key for prefix, keys in PACKAGE_KEYS.items() for key in keys]),
    ],
)
def test_every_key_of_a_file_has_its_line(page: str, keys: Collection[str]) -> None:
    text = (DOCS / "reference" / page).read_text()
    assert not [key for key in keys if not re.search(rf"^\| `{re.escape(key)}` \|", text, flags=re.MULTILINE)]


def test_what_a_session_finds_in_its_environment_is_documented() -> None:
    from_runtime = (PACKAGE / "workloads" / "runtimes" / "shared" / "variables.py").read_text()
    set_there = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)": ', from_runtime))
    assert "DATALAB_ID" in set_there
    documented = (DOCS / "reference" / "inside-a-session.md").read_text()
    assert not [name for name in set_there if name not in documented]
