"""How much of a package is read for hints: somebody waits for its plan, so a huge one is not read to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

LONGEST_PARSED = 300_000
"""Characters of code that are parsed as a whole; the imports of longer code are read off its lines."""


@dataclass
class Budget:
    """What may be read of a package's notebooks and scripts: files, bytes, and seconds from the first one on.

    The seconds only matter where files are made to take long: the same package mostly gets the same plan.
    """

    files: int = 300
    bytes: int = 40_000_000
    seconds: float = 1.5
    read: int = 0
    left_out: int = 0
    _until: float = field(default=0.0, repr=False)

    def take(self, size: int) -> bool:
        """Say whether one more file of so many bytes may be read, and count it."""
        if self.over or self.read >= self.files or size > self.bytes:
            self.left_out += 1
            return False
        self._until = self._until or time.monotonic() + self.seconds
        self.read += 1
        self.bytes -= size
        return True

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return bool(self._until) and time.monotonic() > self._until

    @property
    def warning(self) -> str:
        """Say that not everything was read; nothing where it was."""
        if not self.left_out:
            return ""
        every = self.read + self.left_out
        return (
            f"Of its {every:,} notebooks and scripts {self.read:,} were read for what they import, the outermost first:"
            " list what the others need in requirements.txt."
        )
