"""What is said when a package can't be used: what is wrong, where, and what to do."""

from __future__ import annotations


class PackageProblem(Exception):  # noqa: N818  an answer to the package's author, not an error of ours
    """A package can't be used. `message` names file and line where there are any; so do `file`, `line` and `key`."""

    def __init__(self, message: str, advice: str = "", file: str = "", line: int = 0, *, key: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.file = file
        self.line = line
        self.key = key
