"""Runs on a node of the cluster, in an allocation of Slurm's: carries out one command after the other for a broker.

Its source is handed to Python on the node (`python -I -S -c <source>`), so it needs nothing but the standard library.
Both ways go frames: a letter, the length of what follows in four bytes (the highest first), and that. To it come `o`
(an order: the words of a command as JSON, which already make its sandbox) and `k` (end it). From it come `r` (ready),
`1` and `2` (what the command wrote to its streams) and `e` (how it ended, as JSON). When its input ends, all ends.
"""

import json
import os
import select
import signal
import sys

MOST = 65536


def send(kind: bytes, data: bytes = b"") -> None:
    """Write a frame."""
    frame = memoryview(kind + len(data).to_bytes(4, "big") + data)
    while frame:
        frame = frame[os.write(1, frame) :]


def exactly(count: int) -> bytes:
    """Read so many bytes; ends this process where the input ends."""
    data = b""
    while len(data) < count:
        more = os.read(0, count - len(data))
        if not more:
            os._exit(0)  # the sandbox, made to die with its parent, goes with it
        data += more
    return data


def receive() -> tuple[bytes, bytes]:
    """Read a frame."""
    head = exactly(5)
    return head[:1], exactly(int.from_bytes(head[1:], "big"))


def start(words: list[str], streams: dict[int, bytes]) -> int:
    """Start a command; note where what it writes can be read; return its process id."""
    ends = [os.pipe(), os.pipe()]
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for number, (_, writing) in enumerate(ends, 1):
                os.dup2(writing, number)
            os.closerange(3, MOST)
            os.execvp(words[0], words)  # noqa: S606  the broker's own words, without a shell
        except OSError as error:
            os.write(2, f"{words[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)
    for number, (reading, writing) in enumerate(ends, 1):
        os.close(writing)
        streams[reading] = str(number).encode()
    return child


def serve(words: list[str]) -> None:
    """Carry out one command to its end."""
    streams: dict[int, bytes] = {}
    child = start(words, streams)
    while streams:
        ready, _, _ = select.select([0, *streams], [], [])
        if 0 in ready and receive()[0] == b"k":
            os.kill(child, signal.SIGKILL)
        for stream in set(ready) & set(streams):
            data = os.read(stream, MOST)
            if data:
                send(streams[stream], data)
            else:
                del streams[stream]
                os.close(stream)
    _, status, usage = os.wait4(child, 0)
    told = {
        "exit_code": os.waitstatus_to_exitcode(status),
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "memory_bytes": usage.ru_maxrss * 1024,
    }
    send(b"e", json.dumps(told).encode())


def main() -> None:
    """Serve orders until the input ends."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    send(b"r")
    while True:
        kind, data = receive()
        if kind == b"o":
            serve(json.loads(data))


if __name__ == "__main__" and len(sys.argv) == 1:
    main()
