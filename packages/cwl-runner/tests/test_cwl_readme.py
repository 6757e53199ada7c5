"""The README's worked example does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_worked_example(tmp_path: Path) -> None:
    example = re.search(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert example
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-e", "-c", example.group(1)],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("Hello Ada\nHello Grace\n", 0), done.stderr
