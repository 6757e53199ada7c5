"""The page and the screen of a VNC server that an image's own script has started, called as websockify would be."""

from __future__ import annotations

import argparse
import asyncio
import sys

from serve import Desktop, Server


def read(arguments: list[str]) -> tuple[tuple[str, int], str, tuple[str, int]]:
    """Return where to listen, and the VNC server's Unix socket (or "") and its host and port."""
    parser = argparse.ArgumentParser(prog="websockify", description=__doc__)
    parser.add_argument("--web", help="ignored: the page is the platform's own")
    parser.add_argument("--unix-target", default="", help="the Unix socket of the VNC server")
    parser.add_argument("source", help="[host:]port to listen on")
    parser.add_argument("target", nargs="?", default="localhost:5900", help="host:port of the VNC server")
    options, _ = parser.parse_known_args(arguments)
    host, _, port = options.source.rpartition(":")
    there, _, number = options.target.rpartition(":")
    return (host or "127.0.0.1", int(port)), options.unix_target, (there or "localhost", int(number))


async def main(arguments: list[str]) -> None:
    """Serve until killed."""
    (host, port), socket, (there, number) = read(arguments)

    async def stream() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if socket:
            return await asyncio.open_unix_connection(socket)
        return await asyncio.open_connection(there, number)

    await Server(Desktop(), stream).listen(host, port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
