"""Explains why a build failed: the step, the author's line, and what to try."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from datalab_package import python_failures as python
from datalab_package import system_failures as system
from datalab_package.dockerfile_reading import instructions
from datalab_package.failure_told import Told
from datalab_package.plans import Plan, PlannedStep

_STEP = re.compile(
    r"^(?:\[[^\]]*\] )?STEP \d+/\d+: (?P<podman>.*)$|^Step \d+/\d+ : (?P<docker>.*)$"
    r"|^#\d+ \[[^\]]*\d+/\d+\] (?P<kit>.*)$",
    re.MULTILINE,
)
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BOX = re.compile(r"^[ \t]*[×╰─▶│├]+[ \t]?", re.MULTILINE)  # noqa: RUF001  the signs that uv and pip draw
CAUSES: tuple[Callable[[str], Told | None], ...] = (
    *(system.memory, system.disk, python.uv_no_package, python.uv_python, python.uv_conflict, python.pip_conflict),
    *(python.too_old, python.missing_header, system.dockerfile_words, system.npm, system.network),
    *(python.pip_no_package, system.apt, python.no_file, python.missing_program),
)
"""The recognisers; the first that finds something counts."""
LAST_CHARACTERS = 200_000
"""How much of a log's end is looked at."""
LONGEST_LINE = 10_000
_LONG_WORD = re.compile(r"(\S{160})\S+")
_EIGHT = " " * 8
_BLANKS = re.compile(r"\s{9,}")


@dataclass(frozen=True)
class Failure:
    """Why a build failed. `file` and `line` are the author's own, empty and 0 where no line is at fault."""

    step: str
    line: int
    message: str
    advice: str
    file: str = ""


def explain_failure(log_text: str, plan: Plan) -> Failure:
    """Find in a build's output what went wrong; always returns something that a person can go on from."""
    log = _BOX.sub("", _readable(log_text[-LAST_CHARACTERS:]))
    place = _Place(plan, log)
    told = next((told for cause in CAUSES if (told := cause(log))), None)
    if told is None:
        return Failure(place.step(), place.line, _last_words(log), "The end of the log says more.", place.file)
    file, line = place.written(told.names)
    if not line:
        file, line = place.file, place.line if place.own else 0
    where = f" ({file}, line {line})" if line else ""
    advice = " ".join(part for part in (_install(told.debian, own=place.own), told.advice) if part)
    return Failure(place.step(python=told.python), line, f"{told.message}{where}.", advice, file)


def _readable(text: str) -> str:
    """Return a log without colours, empty lines, and what makes lines too long to be searched in good time."""
    lines = (_COLOURS.sub("", line)[:LONGEST_LINE].rstrip() for line in text.replace("\r", "\n").split("\n"))
    return "\n".join(_BLANKS.sub(_EIGHT, _LONG_WORD.sub(r"\1", line)) for line in lines if line)


def _install(debian: str, *, own: bool) -> str:
    """Say how a Debian package gets into the image."""
    if not debian:
        return ""
    if own:
        return f"Install {debian} in a step before: apt-get install -y --no-install-recommends {debian}."
    return f"Add a line to packages.txt: {debian}."


class _Place:
    """Where in the build the log ended, and where the author wrote what a message names."""

    def __init__(self, plan: Plan, log: str) -> None:
        self.plan = plan
        self.own = plan.own_dockerfile
        self.line = self._line_of_last_step(log)
        self.file = "Dockerfile" if self.own and self.line else ""

    def _line_of_last_step(self, log: str) -> int:
        found = list(_STEP.finditer(log))
        if not found:
            return 0
        shown = " ".join((found[-1]["podman"] or found[-1]["docker"] or found[-1]["kit"] or "").split())
        for one in instructions(self.plan.dockerfile):
            text = " ".join(f"{one.word} {' '.join(one.flags)} {one.rest}".split())
            if shown and (text == shown or text.startswith(shown[:60])):
                return one.line - self.plan.added_lines
        return 0

    def step(self, *, python: bool = False) -> str:
        """Return the title of the step in which the build ended."""
        found = next((one.title for one in self.plan.steps if one.lines[0] <= self.line <= one.lines[1]), "")
        if found:
            return found
        return _first_title(self.plan.steps, "Install Python packages") if python else ""

    def written(self, names: Iterable[str]) -> tuple[str, int]:
        """Return the file and line in which the author wrote the first of these packages that is found."""
        wanted = [canonicalize_name(re.split(r"[\[<>=!~@ ]", name)[0]) for name in names if name]
        for name in wanted:
            for origin in (*self.plan.origins, *self.plan.debian_origins):
                if canonicalize_name(re.split(r"[\[<>=!~@; ]", origin.text)[0]) == name and origin.line:
                    return origin.file, origin.line
        if self.own:
            for name in wanted:
                pattern = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
                for number, text in enumerate(self.plan.dockerfile.split("\n"), 1):
                    if pattern.search(text) and not text.lstrip().startswith("#"):
                        return "Dockerfile", number - self.plan.added_lines
        return "", 0


def _first_title(steps: Iterable[PlannedStep], title: str) -> str:
    return next((one.title for one in steps if one.title == title), "")


def _last_words(log: str) -> str:
    """Return the last line that sounds like the reason."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|fatal|failed|cannot|denied", line, re.IGNORECASE)]
    ending = [line for line in telling if not re.match(r"Error: building at STEP", line)]
    line = (ending or telling or lines or ["it said nothing"])[-1]
    return f"The build failed: {line[:300].rstrip('.')}."
