"""Attachments: which range is served, and that a big file never stands in memory."""

from __future__ import annotations

import asyncio
import resource
import tracemalloc
from pathlib import Path

import pytest
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory

from spacelab.kit.files import PIECE, attachment, wanted_range

SIZE = 300 * 2**20


def get(file: Path, **headers: str) -> HttpResponseBase:
    return attachment(RequestFactory().get("/", headers=headers), file.open("rb"), file.name)


def body(answer: HttpResponseBase) -> bytes:
    assert isinstance(answer, StreamingHttpResponse)
    return answer.getvalue()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("bytes=0-4", (0, 5)),
        ("bytes=5-", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=2-400", (2, 10)),
        ("bytes=4-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=٣-٤", None),
        ("bytes=" + "9" * 5000 + "-", None),
    ],
)
def test_one_range_is_understood_and_anything_else_is_the_whole_file(
    header: str, expected: tuple[int, int] | None
) -> None:
    assert wanted_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_met(header: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bytes"):
        wanted_range(header, 10)
    (tmp_path / "ten").write_bytes(b"0123456789")
    answer = get(tmp_path / "ten", Range=header)
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */10")


def test_the_headers_say_what_comes(tmp_path: Path) -> None:
    file = tmp_path / "Höhe.csv"
    file.write_bytes(b"0123456789")
    whole = get(file)
    assert body(whole) == b"0123456789"
    assert whole.headers["Content-Length"] == "10"
    assert whole.headers["Content-Disposition"] == "attachment; filename*=utf-8''H%C3%B6he.csv"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    part = get(file, Range="bytes=2-4")
    assert (part.status_code, body(part)) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    assert part.headers["Content-Length"] == "3"
    resumed = {"Range": "bytes=2-4", "If-Range": whole.headers["ETag"]}
    assert get(file, **resumed).status_code == 206
    file.write_bytes(b"other bytes")
    assert get(file, **resumed).status_code == 200


def test_an_empty_file_is_served(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    answer = get(tmp_path / "empty")
    assert (answer.status_code, body(answer), answer.headers["Content-Length"]) == (200, b"", "0")


def test_head_tells_the_length_and_sends_nothing(tmp_path: Path) -> None:
    (tmp_path / "ten").write_bytes(b"0123456789")
    answer = attachment(RequestFactory().head("/"), (tmp_path / "ten").open("rb"), "ten")
    assert (body(answer), answer.headers["Content-Length"]) == (b"", "10")


@pytest.mark.django_db
def test_a_big_file_streams_in_pieces_and_is_closed(tmp_path: Path) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(SIZE)
    opened = big.open("rb")
    answer = attachment(RequestFactory().get("/"), opened, "big")

    async def download() -> int:
        assert isinstance(answer, StreamingHttpResponse)
        return sum([len(piece) async for piece in answer])

    tracemalloc.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        assert asyncio.run(download()) == SIZE
        assert tracemalloc.get_traced_memory()[1] < 8 * PIECE
    finally:
        tracemalloc.stop()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # KiB
    answer.close()
    assert opened.closed
