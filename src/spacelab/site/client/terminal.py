"""What a command says: its outcome on standard output, for a person or as JSON; progress on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, TextIO

from spacelab.site.client.portal import as_text

MEGABYTE = 1_000_000


class Terminal:
    """Where a command writes. With `as_json` its outcome is one JSON document, and nothing else is on the output."""

    def __init__(self, *, as_json: bool = False, out: TextIO | None = None, error: TextIO | None = None) -> None:
        self.as_json = as_json
        self.out = out or sys.stdout
        self.error = error or sys.stderr
        self.is_live = self.error.isatty()
        self._open = False

    def result(self, data: Any, lines: Iterable[str]) -> None:
        """Say what came of it."""
        self.end_line()
        text = as_text(data) if self.as_json else "\n".join(plain(line) for line in lines)
        if text:
            self.out.write(f"{text}\n")
        self.out.flush()

    def raw(self, text: str) -> None:
        """Write a document as it is."""
        self.out.write(text if text.endswith("\n") or not text else f"{text}\n")
        self.out.flush()

    def say(self, text: str) -> None:
        """Tell how far it is."""
        self.end_line()
        self.error.write(f"{plain(text)}\n")
        self.error.flush()

    def sent(self, done: int, total: int) -> None:
        """Tell how much of an upload is on its way; only a terminal sees the line change."""
        if self.is_live:
            self.error.write(f"\r  sending {done / MEGABYTE:.1f} of {total / MEGABYTE:.1f} MB")
            self.error.flush()
            self._open = True

    def end_line(self) -> None:
        """Go on below a line that was changing."""
        if self._open:
            self.error.write("\n")
            self._open = False


def plain(text: str) -> str:
    """Return a text of the platform's without characters that would steer a terminal."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
