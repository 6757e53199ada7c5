"""`check` and `new` on a developer's own machine: a starter is in order, and what is wrong is told at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from small_packages import META, notebook, package

from datalab_package import KINDS, make_plan, read_manifest
from datalab_package.cli import main


@pytest.mark.parametrize("kind", KINDS)
def test_a_starter_is_a_package_in_order(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my-lab"
    assert main(["new", "--kind", kind, str(folder)]) == 0
    assert read_manifest(folder).title == "My lab"
    plan = make_plan(folder)
    assert (plan.kind, plan.warnings, plan.proposals) == (kind, (), ())
    capsys.readouterr()
    assert main(["check", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "My lab 0.1.0 (my-lab)" in said
    assert "✗" not in said
    assert main(["new", "--kind", kind, str(folder)]) == 1
    assert "not an empty folder" in capsys.readouterr().out


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {
        "datalab-meta.yml": META.replace("A title", "x" * 200),
        "requirements.txt": "a b\n",
        "a.ipynb": notebook("1"),
    }
    package(tmp_path, files)
    (tmp_path / "passwords").symlink_to("/etc/passwd")
    assert main(["check", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert ["title" in said, "requirements.txt, line 1" in said, "link" in said] == [True, True, True]


def test_a_bare_notebook_gets_a_draft_and_proposals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package(tmp_path, {"stars.ipynb": notebook("# Stars\n\nMany.", "import healpy")})
    assert main(["check", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "healpy is not among its requirements: stars.ipynb, cell 2, line 1 imports healpy." in said
    assert "title: Stars" in said
    assert main(["check", "--json", str(tmp_path)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["usable"], data["plan"]["kind"]) == (True, "jupyter")
    assert main(["check", "--dockerfile", str(tmp_path)]) == 0
    assert capsys.readouterr().out == make_plan(tmp_path).dockerfile


@pytest.mark.parametrize("program", [["datalab-package"], ["spacelab", "package"]])
def test_the_programs_are_installed_and_need_no_settings(tmp_path: Path, program: list[str]) -> None:
    path = Path(sys.executable).parent / program[0]
    command = [str(path), *program[1:], "new", str(tmp_path / "lab")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"SPACELAB_STATE": "/nowhere"})
    assert f"{' '.join(program)} check" in done.stdout
