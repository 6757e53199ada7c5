"""Texts that strangers' programs wrote, as pages show them: decoded, without terminal codes, first and last lines."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import BinaryIO

WHOLE_BYTES = 48 * 1024
"""A file of at most so many bytes is shown whole."""
FIRST_BYTES, LAST_BYTES = 24 * 1024, 16 * 1024
LONGEST_LINE = 2000
PROBE_BYTES = 8192
LONGEST_LETTER = 4
"""Bytes of a letter in UTF-8."""
NO_CONTROLS = bytes(sorted({*range(0x20, 0x100), *b"\t\n\r\f\x1b\b"}))
MOST_CONTROLS = 0.02
"""Of what a text begins with, at most this share may be control characters."""

TERMINAL_CODE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # ECMA-48 control sequences: colours, moves of the cursor
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles and links
    r"|\x1b[ -/]+[0-~]|\x1b[0-Z\\-~]"
)
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""What isn't a letter, and what would show letters in another order than they have."""


@dataclass(frozen=True)
class TextView:
    """A text, or its first and last lines with the number of bytes left out between them."""

    first: str
    last: str = ""
    left_out: int = 0


def looks_like_text(head: bytes) -> bool:
    """Say whether bytes from a file's beginning are text: UTF-8, or Latin-1 with hardly a control character."""
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_at_the_end = error.reason == "unexpected end of data" and len(head) - error.start < LONGEST_LETTER
        if not cut_at_the_end and head.translate(None, NO_CONTROLS):
            return False
    return len(head.translate(None, NO_CONTROLS)) <= MOST_CONTROLS * len(head)


def clean(data: bytes) -> str:
    """Return the text without terminal codes and unseen characters; an overwritten line shows its last state."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    text = TERMINAL_CODE.sub("", text).replace("\r\n", "\n")
    return "\n".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    if "\r" in line:
        line = next((part for part in reversed(line.split("\r")) if part.strip()), "")
    line = UNSEEN.sub("", line)
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}… ({len(line)} characters)"


def view_of(file: BinaryIO) -> TextView:
    """Read a file's first and last lines, or all of it where it is short."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    if size <= WHOLE_BYTES:
        return TextView(clean(file.read(WHOLE_BYTES)))
    first = file.read(FIRST_BYTES)
    first = first[: first.rfind(b"\n") + 1] or first
    file.seek(size - LAST_BYTES)
    last = file.read(LAST_BYTES)
    last = last[last.find(b"\n") + 1 :] or last
    return TextView(clean(first), clean(last), size - len(first) - len(last))


def tail_of(data: bytes, lines: int) -> str:
    """Return the last lines of what a program printed, without the empty ones at the end."""
    text = clean(data).rstrip()
    return "\n".join(text.split("\n")[-lines:])
