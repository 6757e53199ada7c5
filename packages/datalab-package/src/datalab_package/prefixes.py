"""Finds programs that serve below a prefix: at `/datalabs/$IF_main_id`, as ESA Datalabs' start-up contract has it."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path, PurePosixPath

from datalab_package.paths import is_junk
from datalab_package.problems import PackageProblem
from datalab_package.texts import LARGEST_TEXT, read_text

PREFIX = "/datalabs/{id}/"
"""Where such a program begins; `{id}` stands for the session's id, which the program finds as `$IF_main_id`."""
SERVED = re.compile(r"datalabs/.{0,60}\bIF_main_id\b")
COMMENT = re.compile(r"\s*(#|//)")
STARTERS = (".sh", ".py", ".r", ".jl", ".js", ".mjs", ".ts", ".conf", ".cfg", ".ini", ".toml", ".yml", ".yaml")
MOST_FILES = 400
DEEPEST = 2
"""Folders down to which files are looked at: what starts a program lies near the root."""


def find_prefix(folder: Path) -> tuple[str, int] | None:
    """Return file and line of the first place in a package that serves below the prefix; None where none does."""
    names = (PurePosixPath(path.relative_to(folder).as_posix()) for path in sorted(folder.rglob("*")))
    wanted = (name for name in names if _may_start(name) and (folder / name).is_file())
    for name in islice(wanted, MOST_FILES):
        if line := _line_in(folder / name, str(name)):
            return str(name), line
    return None


def _may_start(name: PurePosixPath) -> bool:
    if len(name.parts) > DEEPEST + 1 or is_junk(name):
        return False
    return name.suffix.lower() in STARTERS or name.name == "Dockerfile"


def _line_in(file: Path, name: str) -> int:
    if file.stat().st_size > LARGEST_TEXT:
        return 0
    try:
        text = read_text(file, name=name)
    except PackageProblem:
        return 0  # in another encoding: nothing is told of such a file
    for number, line in enumerate(text.splitlines(), start=1):
        if SERVED.search(line) and not COMMENT.match(line):
            return number
    return 0
