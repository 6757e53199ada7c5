"""Where the programs of a workload listen, seen from the host through its network's own tables."""

from __future__ import annotations

from pathlib import Path

LISTENING = "0A"
"""A listening socket's state in /proc/net/tcp (proc_pid_net(5))."""
WAY_OUT = 3128
"""Where the platform's own forwarder stands for outbound requests."""


def listening(pid: int) -> list[int]:
    """List the TCP ports open in the network of this process, sorted, without the platform's own; raises `OSError`."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == LISTENING:
                found.add(int(words[1].rpartition(":")[2], 16))
    return sorted(found - {WAY_OUT})
