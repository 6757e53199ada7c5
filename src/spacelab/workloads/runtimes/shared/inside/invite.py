"""The supervisor's side of a warm start: lets a preloaded coordinator into the sandbox; the standard library alone."""

from __future__ import annotations

import _socket
import marshal
import os
import sys

PATIENCE = 5.0
"""Seconds that a coordinator has to enter; it takes a hundredth of one."""


def invite(channel: int, orders: dict[str, object], output: int) -> tuple[int, str]:
    """Return the pid of the coordinator that has entered, or 0 and why there is none.

    It begins only when it is told so here, so that after a failure there is nobody who could.
    """
    told = {name: orders[name] for name in ("variables", "cwd", "uid", "gid", "limits", "cores")}
    told["arguments"] = orders["arguments"]
    myself = os.pidfd_open(os.getpid())
    connection = _socket.socket(fileno=channel)
    try:
        connection.settimeout(PATIENCE)
        handed = b"".join(one.to_bytes(4, sys.byteorder) for one in (myself, output))
        connection.sendmsg([marshal.dumps(told)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, handed)])
        said = connection.recv(1000).decode(errors="replace")
        if said.startswith("pid "):
            connection.send(b"go")
            return int(said[4:]), ""
    except OSError as error:
        said = str(error)
    finally:
        os.close(myself)
        connection.close()
    return 0, said or "it ended before it had entered"
