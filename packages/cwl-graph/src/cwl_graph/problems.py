"""What is said about a document: what is wrong, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """Something wrong in a document. Lines and columns count from 1 (0: nowhere in particular).

    `node` is the id of a step, an input or an output; inside a subworkflow it is a path (`align/crop`). An *error*
    keeps the document from running; a *warning* does not.
    """

    severity: Severity
    message: str
    advice: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    node: str = ""


class Refused(Exception):  # noqa: N818  an answer to the person who asked, not an error of ours
    """An edit or a conversion can't be done. `message` says why, `advice` what to do instead."""

    def __init__(self, message: str, advice: str = "", *, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.file = file
        self.line = line


def errors(problems: list[Problem] | tuple[Problem, ...]) -> list[Problem]:
    """Return those that keep a document from running."""
    return [problem for problem in problems if problem.severity == "error"]
