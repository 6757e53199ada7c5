"""Kernel messages on the wire: the WebSocket subprotocol `v1.kernel.websocket.jupyter.org` of Jupyter Server.

A frame is a count, so many offsets (all 8 bytes, little-endian), the channel's name, and the message's parts as JSON:
header, parent header, metadata, content, then buffers. The other subprotocol, plain JSON, is not spoken by servers
that keep documents.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from uuid import uuid4

SUBPROTOCOL = "v1.kernel.websocket.jupyter.org"
PARTS = ("header", "parent_header", "metadata", "content")
WORD = 8
"""Bytes of the count and of each offset."""


def encode(channel: str, message: dict[str, Any]) -> bytes:
    """Return a message, a dictionary with the keys of `PARTS`, as a frame for `channel`."""
    pieces = [channel.encode(), *(json.dumps(message[part]).encode() for part in PARTS)]
    offsets = [WORD * (len(pieces) + 2)]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    words = [len(offsets), *offsets]
    return b"".join(word.to_bytes(WORD, "little") for word in words) + b"".join(pieces)


def decode(frame: bytes) -> dict[str, Any]:
    """Return the message in a frame, with its channel under `channel`; raise `ValueError` if it isn't one."""
    count = int.from_bytes(frame[:WORD], "little")
    offsets = [int.from_bytes(frame[at : at + WORD], "little") for at in range(WORD, WORD * (count + 1), WORD)]
    pieces = [frame[start:end] for start, end in pairwise(offsets)]
    if len(pieces) <= len(PARTS):
        raise ValueError("a kernel's message has a channel and four parts")
    message: dict[str, Any] = {part: json.loads(piece) for part, piece in zip(PARTS, pieces[1:], strict=False)}
    return {**message, "channel": pieces[0].decode()}


def execute_request(code: str) -> tuple[str, bytes]:
    """Return a new message's id and its frame, which asks a kernel to run `code`."""
    message_id = uuid4().hex
    header = {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": "", "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    return message_id, encode("shell", message)
