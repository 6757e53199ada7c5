"""Handing out a file as an attachment, piece by piece: no answer is ever held in memory whole."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, BinaryIO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

PIECE = 256 * 1024
"""Bytes read at a time: the most of a file that one download keeps in memory."""

RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
MOST_DIGITS = 18
"""Digits of a range's ends that are believed: more than any file has."""


def wanted_range(header: str, size: int) -> tuple[int, int] | None:
    """Read a `Range` header with one range of bytes (RFC 9110, 14.1.2): first byte and the byte after the last.

    None means the whole file: no header, several ranges, or nothing this server understands. Raises `ValueError` when
    the range begins behind the end of the file, which is to be answered by 416.
    """
    found = RANGE.fullmatch(header.strip())
    if not found or found[0] == "bytes=-" or max(len(found[1]), len(found[2])) > MOST_DIGITS:
        return None
    if not found[1]:
        last = int(found[2])
        if last == 0 or size == 0:
            raise ValueError(header)
        return max(size - last, 0), size
    first = int(found[1])
    end = min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < first:
        return None
    if first >= size:
        raise ValueError(header)
    return first, end


def _pieces(file: BinaryIO, first: int, end: int) -> Iterator[bytes]:
    file.seek(first)
    while first < end:
        piece = file.read(min(PIECE, end - first))
        if not piece:
            return  # the file became shorter meanwhile; the client sees that bytes are missing
        first += len(piece)
        yield piece


class Attachment(StreamingHttpResponse):
    """Bytes `first` to before `end` of a file, which is closed at the end of the answer.

    Django would read a synchronous stream whole before an asynchronous server sends it; here each piece is read in a
    thread when the one before it is sent.
    """

    def __init__(self, file: BinaryIO, first: int, end: int, **arguments: Any) -> None:
        self._pieces = _pieces(file, first, end)
        super().__init__(self._pieces, **arguments)
        self._file = file

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(next, self._pieces, b""):
            yield piece

    def close(self) -> None:
        super().close()
        self._file.close()


def attachment(
    request: HttpRequest, file: BinaryIO, name: str, content_type: str = "application/octet-stream"
) -> HttpResponseBase:
    """Answer with an open file as an attachment called `name`, or with the one range of it that was asked for.

    The answer takes over the file and closes it. Ranges follow RFC 9110, 14; several at once get the whole file.
    """
    status = os.fstat(file.fileno())
    tag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    first, end, code = 0, status.st_size, 200
    asked = request.headers.get("Range", "") if request.method == "GET" else ""
    try:
        wanted = wanted_range(asked, status.st_size) if request.headers.get("If-Range", tag) == tag else None
    except ValueError:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{status.st_size}"})
    if wanted:
        (first, end), code = wanted, 206
    sent = first if request.method == "HEAD" else end
    answer = Attachment(file, first, sent, status=code, content_type=content_type)
    if wanted:
        answer.headers["Content-Range"] = f"bytes {first}-{end - 1}/{status.st_size}"
    answer.headers["Content-Length"] = str(end - first)
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["ETag"] = tag
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=name) or "attachment"
    )
    return answer
