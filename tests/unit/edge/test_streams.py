"""Reading what the edge hands to the relay."""

from __future__ import annotations

import pytest

from spacelab.edge.rules import Pass
from spacelab.edge.streams import read_head

ID = "abcdefghjk23"
HEAD = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nX-Spacelab-Upstream: unix//run/a.sock\r\nUpgrade: websocket\r\n"
    b"X-Spacelab-Pass: visit.7.abcdefghjk23.3"
)


def test_the_application_does_not_see_our_headers() -> None:
    head, upstream, by = read_head(HEAD)
    assert head == b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket"
    assert (upstream, by) == ("unix//run/a.sock", Pass("visit", 7, ID, 3))


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x",
        HEAD.replace(b"visit", b"guest"),
        HEAD.replace(b"unix//run/a.sock", b""),
        HEAD + b"\r\nx-spacelab-upstream: unix//run/b.sock",
    ],
)
def test_a_head_without_exactly_one_of_each_is_refused(head: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_head(head)
