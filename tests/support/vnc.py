"""A small VNC client: takes pictures of a screen, through a desktop's WebSocket or the VNC server's own socket.

Speaks RFB 3.8 without a password and asks for raw pixels: https://github.com/rfbproto/rfbproto.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image
from websockets.sync.client import connect

PATIENCE = 60.0

LONGEST_READ = 1 << 16
FRAMEBUFFER_UPDATE = 0
BELL = 2
CUT_TEXT = 3

Read = Callable[[], bytes]
Write = Callable[[bytes], None]


class Screen:
    """One connection to a screen."""

    def __init__(self, read: Read, write: Write) -> None:
        self._read = read
        self._write = write
        self._rest = b""
        self._take(12)
        write(b"RFB 003.008\n")
        self._take(self._take(1)[0])
        write(b"\x01")  # no authentication
        if self._number(">I"):
            raise RuntimeError("the screen refuses")
        write(b"\x01")  # shared
        self.size: tuple[int, int] = struct.unpack(">HH", self._take(4))
        self._take(16)
        self._take(self._number(">I"))
        write(struct.pack(">BxxxBBBBHHHBBBxxx", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        write(struct.pack(">BxHi", 2, 1, 0))

    def picture(self) -> Image.Image:
        """Return the whole screen as it is now."""
        width, height = self.size
        self._write(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
        image = Image.new("RGB", self.size)
        seen = 0
        while seen < width * height:
            kind = self._take(1)[0]
            if kind == FRAMEBUFFER_UPDATE:
                self._take(1)
                for _ in range(self._number(">H")):
                    x, y, wide, high, _encoding = struct.unpack(">HHHHi", self._take(12))
                    tile = Image.frombytes("RGB", (wide, high), self._take(wide * high * 4), "raw", "BGRX")
                    image.paste(tile, (x, y))
                    seen += wide * high
            elif kind == CUT_TEXT:
                self._take(3)
                self._take(abs(self._number(">i")))
            elif kind != BELL:
                raise RuntimeError(f"the screen sent a message of kind {kind}")
        return image

    def wait(self, enough: Callable[[Image.Image], bool], patience: float = PATIENCE) -> Image.Image:
        """Return the first picture that is enough."""
        deadline = time.monotonic() + patience
        while not enough(picture := self.picture()):
            if time.monotonic() > deadline:
                raise TimeoutError("the screen never showed what was waited for")
            time.sleep(0.01)
        return picture

    def _take(self, count: int) -> bytes:
        parts = [self._rest]
        length = len(self._rest)
        while length < count:
            part = self._read()
            if not part:
                raise ConnectionError("the screen has closed")
            parts.append(part)
            length += len(part)
        data = b"".join(parts)
        self._rest = data[count:]
        return data[:count]

    def _number(self, form: str) -> int:
        number: int = struct.unpack(form, self._take(struct.calcsize(form)))[0]
        return number


@contextlib.contextmanager
def screen_of_page(base: str, unix: Path | None = None) -> Iterator[Screen]:
    """Connect as a browser does: `base` is the page's address with http, `unix` a socket that leads to its port."""
    uri = f"{base.replace('http', 'ws', 1).rstrip('/')}/-/screen"
    link = socket.socket(socket.AF_UNIX) if unix else None
    if link:
        link.connect(str(unix))
    with connect(uri, sock=link, max_size=None, compression=None, proxy=None) as web:

        def read() -> bytes:
            message = web.recv(timeout=PATIENCE)
            return message if isinstance(message, bytes) else message.encode()

        yield Screen(read, web.send)


@contextlib.contextmanager
def screen_at(path: Path) -> Iterator[Screen]:
    """Connect to a VNC server's Unix socket."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(PATIENCE)
        link.connect(str(path))
        yield Screen(lambda: link.recv(LONGEST_READ), link.sendall)


def colours(picture: Image.Image) -> int:
    """Count the colours of a picture: an empty desktop has one or two, a program's window has dozens."""
    found = picture.getcolors(1 << 20)
    return len(found) if found else 1 << 20
