"""Names that deceive are refused and shown for what they are; a package made to take long is planned in a moment."""

from __future__ import annotations

import contextlib
import io
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from datalab_package import PackageProblem, make_plan, missing_imports, suggest_metadata, take_files
from datalab_package.budgets import Budget
from datalab_package.paths import safe_path, shown

DECEIVING = {
    "stars\u202egnp.ipynb": "stars\\u202egnp.ipynb",
    "a\u200b.py": "a\\u200b.py",
    "\ufeffREADME.md": "\\ufeffREADME.md",
    "a\u2066b\u2069.py": "a\\u2066b\\u2069.py",
    "a\nb": "a\\x0ab",
    "a\x1b[2J": "a\\x1b[2J",
    "folder\u00ad/a.py": "folder\\xad/a.py",
    "\u3164": "\\u3164",
    "a\u2028b": "a\\u2028b",
}
HONEST = (
    "Ωmega.ipynb",
    "星.py",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.ipynb",  # Persian, with the joiner that it needs
    "👩\u200d🔬.py",
    "Screenshot 5.00\u202fPM.png",
    "naïve file.txt",
)


@pytest.mark.parametrize("name", DECEIVING)
def test_a_name_that_hides_something_is_refused_and_shown_escaped(name: str, tmp_path: Path) -> None:
    with pytest.raises(PackageProblem, match="can't be seen") as refused:
        take_files([(name, io.BytesIO(b"x")), ("b.py", io.BytesIO(b"x"))], tmp_path / "target")
    assert refused.value.message.startswith(f"“{DECEIVING[name]}” ")
    assert refused.value.message.isprintable()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", HONEST)
def test_names_of_all_scripts_are_taken(name: str) -> None:
    assert str(safe_path(name)) == name


def test_two_names_that_look_alike_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(PackageProblem, match="beside"):
        take_files([("ab.py", io.BytesIO(b"1")), ("a\u200db.py", io.BytesIO(b"2"))], tmp_path / "target")


@given(some.text(max_size=200))
def test_whatever_a_message_shows_can_be_seen(name: str) -> None:
    assert shown(name).isprintable()
    with contextlib.suppress(PackageProblem):
        assert not {"\u202e", "\u200b", "\n", "\ufeff"} & set(str(safe_path(name)))


def notebook(*cells: str) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": one} for one in cells], "metadata": {}, "nbformat": 4})


def test_of_very_many_notebooks_the_outermost_are_read_and_the_plan_says_so(tmp_path: Path) -> None:
    (tmp_path / "first.ipynb").write_text(notebook("import humanize"))
    inner = tmp_path / "more"
    inner.mkdir()
    for number in range(2000):
        (inner / f"{number}.ipynb").write_text(notebook(f"import module_{number}"))
    began = time.monotonic()
    plan = make_plan(tmp_path)
    assert time.monotonic() - began < 60
    assert plan.proposals[0].package == "humanize"
    assert len(plan.proposals) == 300
    assert [one for one in plan.warnings if one.startswith("Of its 2,001 notebooks and scripts 300 were read")]
    assert suggest_metadata(tmp_path)["version"] == "0.1.0"


def test_code_made_to_take_long_to_parse_holds_nobody_up(tmp_path: Path) -> None:
    slow = "import humanize\n" + "x = [" + "-1+2*(3)," * 30_000 + "]\n"
    for number in range(150):
        (tmp_path / f"{number}.ipynb").write_text(notebook(slow))
    began = time.monotonic()
    plan = make_plan(tmp_path)
    assert time.monotonic() - began < 120, "not all of them were parsed"
    assert [one.package for one in plan.proposals] == ["humanize"]
    assert any("were read for what they import" in one for one in plan.warnings)


def test_imports_of_very_long_code_are_read_off_its_lines(tmp_path: Path) -> None:
    (tmp_path / "long.ipynb").write_text(notebook("import humanize\n" + "x = 1\n" * 100_000))
    assert [one.package for one in missing_imports(tmp_path)] == ["humanize"]


def test_a_budget_of_bytes_and_one_of_seconds() -> None:
    budget = Budget(files=3, bytes=10)
    assert [budget.take(size) for size in (4, 7, 4, 2, 1)] == [True, False, True, True, False]
    assert budget.warning.startswith("Of its 5 notebooks and scripts 3 were read")
    late = Budget(seconds=0.0)
    assert late.take(1)
    time.sleep(0.001)
    assert not late.take(1)
    assert Budget().warning == ""
