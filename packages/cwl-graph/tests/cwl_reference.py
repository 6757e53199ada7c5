"""Runs documents with the reference implementation, in children of this process, which has it loaded."""

from __future__ import annotations

import functools
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest


@functools.cache
def preloaded() -> None:
    """Import it and parse the standard's schema, which takes longer than a run."""
    from cwltool import main, process  # noqa: PLC0415  only tests that run something need it

    process.get_schema("v1.2")
    vars(main)["use_standard_schema"] = str  # it would forget the schema at each run


def run(document: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Run a document with these inputs in its folder; return its outputs."""
    pytest.importorskip("cwltool", reason="the reference implementation is not installed")
    preloaded()
    folder = document.parent
    (folder / "job.json").write_text(json.dumps(job))
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = _run(folder, document.name)
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    assert os.waitstatus_to_exitcode(status) == 0, (folder / "said").read_text()
    made: dict[str, Any] = json.loads((folder / "outputs.json").read_text())
    return made


def _run(folder: Path, name: str) -> int:
    from cwltool.main import main  # noqa: PLC0415  as above

    os.chdir(folder)
    outputs, said = io.StringIO(), io.StringIO()
    code = main(["--outdir", str(folder / "out"), name, "job.json"], stdout=outputs, stderr=said)
    (folder / "outputs.json").write_text(outputs.getvalue())
    (folder / "said").write_text(said.getvalue())
    return code
