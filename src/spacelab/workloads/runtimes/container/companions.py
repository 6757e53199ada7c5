"""The companions of workloads: containers that hold a network of their own and carry what goes in and out of it."""

from __future__ import annotations

import json
import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from docker.errors import APIError, ImageNotFound

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Network, Trouble
from spacelab.workloads.runtimes.container import specification
from spacelab.workloads.runtimes.container.engine import Engine
from spacelab.workloads.runtimes.container.folder import Folder
from spacelab.workloads.runtimes.container.specification import Parts

LOG_BYTES = 8 * 2**20
"""Bytes of a workload's output that are kept."""

HELLO_SECONDS = 15.0
"""Longest wait for a companion's first sign of life; usually it takes a tenth of a second."""

LOOK_SECONDS = 0.3
"""Between two looks whether a companion that gave no sign of life runs at all."""

ANSWER_SECONDS = 3.0

LONGEST_TROUBLE = 500
COUNT = re.compile("[0-9]{1,9}")


@dataclass(frozen=True)
class Report:
    """What an application's first programs told: processes ended for lack of memory, why there was no start."""

    oom_kills: int = 0
    trouble: str = ""


class Companions:
    """Makes companions and gives them orders."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, parts: Parts) -> None:
        """Make the companion, not yet running; raise `RuntimeFault` where its image is missing."""
        interface = parts.spec.interface
        orders = {
            "port": interface.port if interface else 0,
            "outbound": parts.spec.network is Network.OUTBOUND,
            "log_bytes": LOG_BYTES,
        }
        path = parts.folder.io / "orders.json"
        path.write_text(json.dumps(orders))
        path.chmod(0o644)
        with self._engine.call() as client:
            try:
                client.create_container(**specification.companion(client, parts))
            except ImageNotFound as error:
                raise RuntimeFault(
                    f"The platform's own image “{parts.options.companion_image}” is not on this machine. "
                    "An operator makes it with `spacelab images build`.",
                    trouble=Trouble.IMAGE_MISSING,
                ) from error

    def start(self, parts: Parts) -> None:
        """Start the companion and wait until it takes orders; raise `RuntimeFault` when it doesn't."""
        name = specification.companion_name(parts.options, parts.spec.id)
        with self._engine.call() as client:
            client.start(name)
        deadline = time.monotonic() + HELLO_SECONDS
        look = time.monotonic() + LOOK_SECONDS
        while not order(parts.folder.orders_socket, {}):
            now = time.monotonic()
            if now > deadline or (now > look and not self._runs(name)):
                raise RuntimeFault(f"The companion of the container could not be started: {self._said(name)}")
            look = now + LOOK_SECONDS if now > look else look
            time.sleep(0.005)

    def _runs(self, name: str) -> bool:
        found = self._engine.inspect(name)
        return bool(found and found["State"]["Running"])

    def _said(self, name: str) -> str:
        with self._engine.call() as client:
            try:
                text = client.logs(name).decode(errors="replace").strip()[-500:]
            except APIError:
                text = ""
        return text or "it gave no sign of life."

    def hand_over(self, folder: Folder, text: str) -> None:
        """Give the companion the secrets, which only its memory holds until the application takes them."""
        if not order(folder.orders_socket, {"secrets": text}):
            raise RuntimeFault("The companion of the container did not take the secrets.", retry=True)

    def drain(self, folder: Folder) -> Report:
        """Have everything that the application printed written to the log; return what was told about its end."""
        return read_report(order(folder.orders_socket, {"drain": True}))

    def pid(self, name: str) -> int:
        """Return the companion's process id on the host, whose network namespace is the workload's; 0: it ended."""
        found = self._engine.inspect(name)
        return int(found["State"].get("Pid") or 0) if found else 0


def read_report(answer: bytes) -> Report:
    """Read the lines of a report: `oom_kill <count>`, `trouble <a sentence>`; the application may write there too."""
    text = "".join(one for one in answer.decode(errors="replace") if one == "\n" or one.isprintable())
    lines = [line.partition(" ") for line in text.split("\n")]
    kills = [int(value) for name, _, value in lines if name == "oom_kill" and COUNT.fullmatch(value)]
    troubles = [value for name, _, value in lines if name == "trouble"]
    return Report(max(kills, default=0), troubles[-1][:LONGEST_TROUBLE] if troubles else "")


def order(path: Path, what: dict[str, object]) -> bytes:
    """Send an order to a companion; return its answer, empty if it was not carried out."""
    answer = b""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(str(path))
            connection.sendall(json.dumps(what).encode() + b"\n")
            while part := connection.recv(65536):
                answer += part
    except OSError:
        return b""
    return answer if answer.startswith(b"done\n") else b""
