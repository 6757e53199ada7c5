"""A coordinator that entered a sandbox begins at the supervisor's word alone, and only in that very sandbox."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from spacelab.workloads.runtimes.shared.inside import preloaded
from spacelab.workloads.runtimes.shared.inside.invite import invite


def outcome(said: bytes | None) -> int:
    """Wait for the word in a child, say this (None: close), and return the child's exit code; 0 if it would begin."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        mine.close()
        word = preloaded.Word(its)
        word.wait()
        word.wait()  # once given, it holds
        os._exit(0)
    its.close()
    if said is not None:
        mine.send(said)
    mine.close()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_only_the_word_of_its_own_sandbox_lets_it_begin() -> None:
    here = os.stat("/proc/self/ns/mnt").st_ino  # noqa: PTH116  as the program has it
    assert outcome(f"go {here}".encode()) == 0
    assert [outcome(said) for said in (f"go {here + 1}".encode(), b"go", b"", None)] == [1, 1, 1, 1]


def test_the_supervisor_gives_it_to_who_entered_and_nobody_else() -> None:
    for said, pid in ((b"pid 42", 42), (b"it failed", 0), (b"", 0)):
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mine.send(said) if said else mine.shutdown(socket.SHUT_RDWR)
        assert invite(its.fileno())[0] == pid
        assert os.readlink(f"/proc/self/fd/{its.fileno()}") == os.devnull  # noqa: PTH115  the text as it is
        if pid:
            assert mine.recv(64).startswith(b"go ")
        mine.close()
        its.close()


def test_who_spoke_first_is_said_by_the_kernel() -> None:
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    its.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    with mine, its:
        child = os.fork()
        if child == 0:
            mine.send(b"\n")
            os._exit(0)
        found = preloaded.first_word(its)
        assert f"Pid:\t{child}" in Path(f"/proc/self/fdinfo/{found}").read_text()
        os.close(found)
        os.waitpid(child, 0)
        mine.shutdown(socket.SHUT_WR)
        with pytest.raises(OSError, match="nothing was heard"):
            preloaded.first_word(its)
