"""What went wrong, for people: reason, advice, and where in which document."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Any
from urllib.parse import unquote, urlsplit

from cwltool.errors import WorkflowException

PLACE = re.compile(r"(file://[^\s:]+|[^\s:]*/[^\s:]+):(\d+):(\d+):\s?")


class Refusal(WorkflowException):
    """Something that a run won't do; carries a message and an advice for people."""

    def __init__(self, message: str, advice: str = "", *, node: str = "", unsupported: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.node = node
        self.unsupported = unsupported


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing to tell; `file` is relative to the bundle, `line` counts from 1 (0: unknown)."""

    message: str
    advice: str = ""
    file: str = ""
    line: int = 0
    node: str = ""
    severity: str = "error"

    def facts(self) -> dict[str, Any]:
        """Give the fields of a `problem` event."""
        return dataclasses.asdict(self)


ADVICE = tuple(
    (re.compile(pattern, re.DOTALL), advice)
    for pattern, advice in {
        r"Did not find output file with glob pattern": "The command ended well but left no file of that name in its "
        "folder: compare the pattern with what the command writes (its log may tell), or make the output optional "
        "with a '?' behind its type.",
        r"Missing required input parameter": "Give a value for this input, or a default in the document.",
        r"Missing required secondary file": "Put the file beside its main file, or mark the pattern as optional "
        "with a '?'.",
        r"Multiple matches for output item that is a single file": "Make the pattern more specific, or declare the "
        "output as an array (File[]).",
        r"Long-running script killed": "Look for a loop that never ends in this expression.",
        r"InlineJavascriptRequirement": "Add 'InlineJavascriptRequirement: {}' to the requirements of this document.",
        r"Unsupported requirement": "This feature isn't available here: remove it, or make it a hint.",
        r"outside of what this run may read": "Choose a file of your workspace or of a volume that this run has "
        "mounted, or put it into the pipeline.",
        r"outside of the job's folder": "Let the tool copy the file into its output folder instead of linking to it.",
        r"needs a container runtime": "Choose software that this platform knows, or make the requirement a hint.",
        r"No space left on device": "Free some space, or launch with a profile that has more, and retry.",
    }.items()
)


def describe(failure: BaseException | str, base: str = "", node: str = "") -> Problem:
    """Turn a failure of loading or running a document into something for people.

    `base` is the folder that file names are told relative to.
    """
    refusal = _refusal(failure)
    if refusal is not None and refusal is failure:
        inner = _located(refusal.message, base)
        return dataclasses.replace(inner, advice=refusal.advice, node=refusal.node or node)
    leaf = _deepest(failure)
    problem = _located(_text(leaf), base)
    outer = _located(_text(failure), base)
    if not problem.line and outer.line:
        problem = dataclasses.replace(problem, line=outer.line, file=outer.file)
    if isinstance(leaf, OSError) and not isinstance(leaf, FileNotFoundError):
        problem = dataclasses.replace(problem, message=leaf.strerror or problem.message)
    advice = refusal.advice if refusal is not None and refusal.advice else _advice(problem.message)
    return dataclasses.replace(problem, advice=advice, node=node)


def _refusal(failure: BaseException | str | None) -> Refusal | None:
    """Find a refusal among the causes of a failure."""
    for _ in range(20):
        if failure is None or isinstance(failure, Refusal | str):
            break
        failure = failure.__cause__
    return failure if isinstance(failure, Refusal) else None


def _text(failure: BaseException | str) -> str:
    return str(failure) or type(failure).__name__


def _deepest(failure: BaseException | str) -> BaseException | str:
    """Follow a validation error to the first of its leaves, which names what is wrong."""
    leaves = getattr(failure, "leaves", None)
    if leaves and (found := leaves()):
        return f"{found[0].prefix()}{found[0].message}"
    return failure


def _located(text: str, base: str) -> Problem:
    """Split positions ("file:line:column:") off a text; the last is the most exact."""
    found = list(PLACE.finditer(text))
    file, line = "", 0
    if found:
        file, line = found[-1].group(1), int(found[-1].group(2))
        if file.startswith("file://"):
            file = unquote(urlsplit(file).path)
        file = os.path.abspath(file)  # noqa: PTH100 - cwltool names files relative to where it runs
        if base and file.startswith(base.rstrip("/") + "/"):
            file = file[len(base.rstrip("/")) + 1 :]
    message = re.sub(r"^Error collecting output for parameter '[^']*': ", "", PLACE.sub("", text).strip())
    lines = [re.sub(r"\s+", " ", part).strip() for part in message.splitlines()]
    return Problem("\n".join(part for part in lines if part), file=file, line=line)


def _advice(message: str) -> str:
    for pattern, advice in ADVICE:
        if pattern.search(message):
            return advice
    return ""
