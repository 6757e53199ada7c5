"""Kernel messages survive the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacelab.site.demo.messages import PARTS, decode, encode, execute_request

TEXT = st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4)


@given(channel=st.sampled_from(["shell", "iopub", "control"]), parts=st.tuples(TEXT, TEXT, TEXT, TEXT))
def test_what_is_sent_is_what_arrives(channel: str, parts: tuple[dict[str, str], ...]) -> None:
    message = dict(zip(PARTS, parts, strict=True))
    assert decode(encode(channel, message)) == {**message, "channel": channel}


def test_the_frame_is_as_jupyter_server_defines_it() -> None:
    frame = encode("shell", {"header": {}, "parent_header": {}, "metadata": {}, "content": {}})
    assert frame[:8] == (6).to_bytes(8, "little")
    assert frame[8:16] == (56).to_bytes(8, "little")
    assert frame[56:] == b"shell{}{}{}{}"


def test_a_request_names_its_own_message() -> None:
    message_id, frame = execute_request("print(1)")
    found = decode(frame)
    assert found["header"]["msg_id"] == message_id
    assert found["content"]["code"] == "print(1)"


def test_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="channel and four parts"):
        decode((2).to_bytes(8, "little") * 3)
