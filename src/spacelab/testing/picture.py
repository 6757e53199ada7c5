"""A picture of a test's interface: a browser with a fresh profile, in a sandbox that reaches nothing but that page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from spacelab.kit.folders import read_left, remove
from spacelab.testing.asking import dial
from spacelab.testing.inside import take_picture

PYTHON = Path("/usr/bin/python3")
"""What runs inside: the system's own, since nothing of the platform is visible there."""
PORT = 10000
SECONDS = 40.0
"""The browser may take so long; the sandbox five seconds more."""
MOST_BYTES = 8 * 2**20
SHOWN = ("fonts", "alternatives", "chromium", "chromium.d")
"""Of /etc so much is visible to the browser."""
PNG = b"\x89PNG\r\n\x1a\n"
PLACE = "/picture"
"""Where the folder for the socket and the picture stands inside."""
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--hide-scrollbars", "--mute-audio", "--user-data-dir=/tmp/profile", "--window-size=1280,800"),
    *("--virtual-time-budget=15000", f"--screenshot={PLACE}/screenshot.png"),
)
"""Its own sandbox is off because it stands in ours, which has no network, no files and no rights."""


def take(browser: str, address: str, path: str, uid: int | None) -> bytes:
    """Return the page at `path` of the interface at `address` as PNG, drawn by the program `browser`; or nothing.

    The page is a stranger's. The browser runs in namespaces of its own as the user `uid` (None: the platform's own):
    without a network but for a socket to this interface, and with nothing of the host but the system's programs.
    """
    if not can_take(browser):
        return b""
    folder = Path(tempfile.mkdtemp(prefix="spl-"))
    try:
        shutil.copyfile(take_picture.__file__, folder / "take_picture.py")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / "page.sock"))
            listener.listen(64)
            if uid is not None:
                for one in (folder, folder / "page.sock", folder / "take_picture.py"):
                    os.chown(one, uid, uid)
            there = (listener, lambda: dial(address, SECONDS))
            threading.Thread(target=take_picture.serve, args=there, daemon=True).start()
            _run(folder, browser, path, uid)
            listener.shutdown(socket.SHUT_RDWR)
        drawn = read_left(folder / "screenshot.png", MOST_BYTES)
        return drawn if drawn.startswith(PNG) else b""
    finally:
        remove(folder)


def can_take(browser: str) -> bool:
    """Say whether this host has what a picture needs: the browser, bubblewrap and the system's Python."""
    return bool(browser) and os.access(browser, os.X_OK) and shutil.which("bwrap") is not None and PYTHON.exists()


def _run(folder: Path, browser: str, path: str, uid: int | None) -> None:
    inside = [str(PYTHON), "-I", f"{PLACE}/take_picture.py", f"{PLACE}/page.sock", str(PORT), str(SECONDS)]
    page = f"http://localhost:{PORT}{path}"
    identity: dict[str, Any] = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    try:
        subprocess.run(
            [*_sandbox(folder, Path(browser)), *inside, browser, *FLAGS, page],
            timeout=SECONDS + 5,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **identity,
        )
    except (OSError, subprocess.SubprocessError):
        return


def _sandbox(folder: Path, browser: Path) -> list[str]:
    system = [word for name in ("bin", "sbin", "lib", "lib64") for word in ("--symlink", f"usr/{name}", f"/{name}")]
    own = browser.resolve().parent
    extra = [] if own.is_relative_to("/usr") else ["--ro-bind-try", str(own), str(own)]
    settings = [word for name in SHOWN for word in ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")]
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"),
        *("--ro-bind", "/usr", "/usr", *system, *settings, *extra),
        *("--proc", "/proc", "--dev", "/dev", "--size", str(2**29), "--tmpfs", "/tmp"),  # noqa: S108  a path inside
        *("--bind", str(folder), PLACE, "--setenv", "HOME", "/tmp", "--setenv", "PATH", "/usr/bin:/bin", "--"),  # noqa: S108  as above
    ]
