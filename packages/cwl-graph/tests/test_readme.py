"""The README's example does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text()
    parts = re.findall(r"```(python|yaml)\n(.*?)```\n", text, re.DOTALL)
    assert [kind for kind, _ in parts] == ["python", "yaml", "python"]
    exec("".join(code for kind, code in parts if kind == "python"), {})  # noqa: S102  our own example
    assert capsys.readouterr().out.strip() == parts[1][1].strip()
