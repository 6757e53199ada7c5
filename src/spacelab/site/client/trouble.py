"""What ends a command early: its words for a person, and its exit status for a script."""

from __future__ import annotations

FAILED = 1
"""The platform refused it, or what was ordered failed."""
WRONG = 2
"""The command line, the address or the token is wrong."""
UNREACHABLE = 3
"""The platform does not answer."""
CANCELLED = 130
"""Ctrl-C, as shells count it: 128 and the signal's number."""


class Trouble(Exception):  # noqa: N818  named by what it is to a person
    """Something can't be done: what, and what to do instead."""

    status = FAILED

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(f"{message} {advice}".strip())
        self.message = message
        self.advice = advice


class Refused(Trouble):
    """The platform's own answer; `code` is the status of HTTP."""

    def __init__(self, message: str, advice: str, code: int) -> None:
        super().__init__(message, advice)
        self.code = code


class Wrong(Trouble):
    """What was asked for makes no sense here."""

    status = WRONG


class Unreachable(Trouble):
    """Nobody answers."""

    status = UNREACHABLE
