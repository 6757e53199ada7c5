"""First useful frame of a desktop against a bare X server with the same program, alternating in one container.

Usage: benchmarks/desktop.py [--rounds 7] [--datalab topcat] [--browser]
Both begin with a command in a running container of the datalab's image, on its default file, and end with the first
picture that has nine tenths of the colours of the final one (each side's own, from a first round that isn't counted):
for the bare start at Xtigervnc's own socket, for ours through the page's WebSocket, with the window manager and the
page's server that the bare start hasn't got.
With --browser, Chromium opens the page, too, as soon as it answers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
os.environ["DJANGO_SETTINGS_MODULE"] = "support.settings"

import django
from playwright.sync_api import Page, sync_playwright

django.setup()

from datalab_package import read_manifest
from support.chromium import CHROMIUM, FLAGS
from support.desktops import CATALOGUE, archives, datalab_image
from support.engine import Engine, running_engine
from support.ports import free_port
from support.vnc import Screen, colours, screen_at, screen_of_page

LOOK = 0.05
"""Seconds between two looks: asking more often takes time away from what is starting."""
PATIENCE = 60.0
SETTLED = 8.0
"""Seconds after which a program has surely drawn all of itself."""
USEFUL = 0.9
"""The part of its final colours from which on a picture counts as useful: all buttons, letters and data are there."""

BARE = """
Xtigervnc :7 -displayfd 3 -SecurityTypes None -rfbport -1 -rfbunixpath /shared/bare -nolisten tcp -nolisten local \
    -geometry 1280x800 -depth 24 3>/tmp/bare & read -r number </tmp/bare; DISPLAY=:7 exec {command}
"""
SEEN = """wanted => {
    const canvas = document.querySelector("canvas");
    if (!canvas || !canvas.width) return false;
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data, colours = new Set();
    for (let i = 0; i < data.length; i += 4) colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    return colours.size >= wanted;
}"""


def until(connect: Callable[[], contextlib.AbstractContextManager[Screen]], wanted: float) -> int:
    """Look at the screen, as soon as there is one, until its picture has so many colours; return how many it has.

    Without a number, look at what is there when the program has settled.
    """
    if not wanted:
        time.sleep(SETTLED)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), connect() as screen:
            while time.monotonic() < deadline:
                found = colours(screen.picture())
                if found >= wanted:
                    return found
                time.sleep(LOOK)
        time.sleep(LOOK)
    raise TimeoutError(f"{wanted} colours were never shown")


class Container:
    """One container that idles, in which the starts are tried in turn."""

    def __init__(self, engine: Engine, slug: str, shared: Path) -> None:
        self.manifest = read_manifest(CATALOGUE / "datalabs" / slug)
        self.port = free_port()
        self.shared = shared
        self.engine = engine
        self.name = f"spacelab-desktop-{self.port}"
        binds = [f"--volume={shared}:/shared", f"--volume={archives(engine)}:/data:ro"]
        limits = ["--read-only", "--tmpfs=/tmp:mode=1777", "--network=host", "--cap-drop=all", "--user=64200:64200"]
        run = engine.podman("run", "--detach", f"--name={self.name}", *limits, *binds, datalab_image(engine, slug))
        subprocess.run([*run, "sleep", "3600"], check=True, env=engine.variables, stdout=subprocess.DEVNULL)

    def start(self, script: str) -> subprocess.Popen[bytes]:
        """Run a shell script inside."""
        opened = "\n".join(self.manifest.opens.default)
        variables = {"HOME": "/tmp", "IF_main_port": str(self.port), "SPACELAB_OPEN": opened, "TMPDIR": "/tmp"}  # noqa: S108  inside
        words = [f"--env={name}={value}" for name, value in variables.items()]
        return subprocess.Popen(
            self.engine.podman("exec", *words, self.name, "sh", "-c", script),
            env=self.engine.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def clear(self) -> None:
        """End everything inside but the first process, and what it left."""
        self.start("kill -9 -1").wait()
        self.start("rm -rf /tmp/* /tmp/.[!.]* /shared/bare").wait()

    def remove(self) -> None:
        """Remove the container."""
        remove = self.engine.podman("rm", "--force", "--time=0", self.name)
        subprocess.run(remove, env=self.engine.variables, stdout=subprocess.DEVNULL, check=False)

    def bare(self, wanted: float) -> tuple[float, int]:
        """Return the seconds of a bare start, and the colours of the picture."""
        command = shlex.join(
            word for one in self.manifest.command for word in (self.manifest.opens.default if "OPEN" in one else (one,))
        )
        begun = time.monotonic()
        self.start("mkfifo /tmp/bare;" + BARE.format(command=command))
        found = until(lambda: screen_at(self.shared / "bare"), wanted)
        return time.monotonic() - begun, found

    def ours(self, wanted: float) -> tuple[float, int]:
        """Return the seconds of our start, and the colours of the picture."""
        begun = self._start()
        found = until(lambda: screen_of_page(f"http://127.0.0.1:{self.port}"), wanted)
        return time.monotonic() - begun, found

    def seen(self, page: Page, wanted: float) -> float:
        """Return the seconds until a browser shows the picture."""
        begun = self._start()
        self._answers()
        page.goto(f"http://localhost:{self.port}/")
        page.wait_for_function(SEEN, arg=wanted, polling=50)
        return time.monotonic() - begun

    def _start(self) -> float:
        words = " ".join(f"'{word}'" for word in self.manifest.command)
        begun = time.monotonic()
        self.start(f"exec /opt/datalab-base/start.sh {words}")
        return begun

    def _answers(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(LOOK)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--datalab", default="topcat")
    parser.add_argument("--browser", action="store_true")
    options = parser.parse_args()
    with running_engine() as engine, tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        Path(name).chmod(0o777)  # the container's user writes its socket there
        container = Container(engine, options.datalab, Path(name))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) if options.browser else None
        seconds: dict[str, list[float]] = {"bare": [], "ours": [], "browser": []}
        try:
            wanted = {"bare": 0.0, "ours": 0.0}
            for number in range(options.rounds + 1):
                for kind, start in {"bare": container.bare, "ours": container.ours}.items():
                    value, found = start(wanted[kind])
                    container.clear()
                    if number:
                        seconds[kind].append(value)
                    else:
                        wanted[kind] = found * USEFUL
                if browser and number:
                    page = browser.new_page(viewport={"width": 1280, "height": 840})
                    seconds["browser"].append(container.seen(page, wanted["ours"]))
                    page.close()
                    container.clear()
        finally:
            container.remove()
            if browser:
                browser.close()
    medians = {kind: statistics.median(values) for kind, values in seconds.items() if values}
    for kind, median in medians.items():
        print(
            f"{kind:8} {median:6.2f} s   ({min(seconds[kind]):.2f} to {max(seconds[kind]):.2f}, n={len(seconds[kind])})"
        )
    print(f"ours ÷ bare: {medians['ours'] / medians['bare']:.2f} (bar: 1.15)")


if __name__ == "__main__":
    main()
