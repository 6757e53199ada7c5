"""Desktops in real containers: each shows its window, with the file that it opens."""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from PIL import Image

from datalab_package import read_manifest
from support.desktops import CATALOGUE, Desktop, archives, running_desktop
from support.engine import Engine
from support.vnc import colours, screen_of_page

pytestmark = [pytest.mark.container, pytest.mark.slow, pytest.mark.desktops]

DESKTOPS = sorted(
    file.parent.name
    for file in CATALOGUE.glob("datalabs/*/spacelab.yml")
    if read_manifest(file.parent).kind == "desktop"
)
ALWAYS = {"topcat", "gcx"}
"""Those that every run tries; the others take minutes more the first time: SPACELAB_TEST_DESKTOPS=all."""

BUSY = 200
"""Colours that a program's window has at least, with its icons and letters; a bare screen has two or three."""
BACKGROUND = (0x1B, 0x23, 0x33)


def shown(slug: str) -> bool:
    """Whether this run tries the desktop."""
    return slug in ALWAYS or os.environ.get("SPACELAB_TEST_DESKTOPS") == "all"


@pytest.fixture(scope="module")
def topcat(engine: Engine) -> Iterator[Desktop]:
    with running_desktop(engine, "topcat") as desktop:
        yield desktop


def is_filled(picture: Image.Image) -> bool:
    """Whether a program has drawn itself, and fills the screen: hardly anything of the bare desktop is left."""
    background = sum(count for count, colour in picture.getcolors(1 << 20) or [] if colour == BACKGROUND)
    return colours(picture) > BUSY and background < picture.width * picture.height / 10


def keep(picture: Image.Image, name: str) -> None:
    """Leave a picture for people to look at, where the run names a folder for it."""
    if folder := os.environ.get("SPACELAB_TEST_PICTURES"):
        picture.save(Path(folder) / f"desktop-{name}.png")


@pytest.mark.parametrize("slug", DESKTOPS)
def test_a_desktop_shows_its_program(engine: Engine, slug: str) -> None:
    if not shown(slug):
        pytest.skip("set SPACELAB_TEST_DESKTOPS=all to try every desktop")
    with running_desktop(engine, slug) as desktop, screen_of_page("http://localhost", desktop.door) as screen:
        keep(screen.wait(is_filled), slug)
        assert "not opened" not in desktop.log()


def test_the_screen_is_within_reach_of_its_page_alone(topcat: Desktop) -> None:
    pid = _process(topcat, "Xtigervnc")
    listening = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    ports = {int(fields[1].rpartition(":")[2], 16) for fields in listening if fields[3] == "0A"}
    assert 10000 in ports
    assert not any(5900 <= port < 6100 for port in ports)
    sockets = Path(f"/proc/{pid}/net/unix").read_text()
    assert "/.X11-unix/X1" in sockets
    assert not re.search(r"@\S*X11", sockets)


def test_java_keeps_to_the_sessions_memory(topcat: Desktop) -> None:
    words = Path(f"/proc/{_process(topcat, 'topcat.Driver')}/environ").read_bytes().split(b"\0")
    options = next(word for word in words if word.startswith(b"JAVA_TOOL_OPTIONS="))
    assert f"-XX:MaxRAM={2048 * 1024 * 1024}".encode() in options


def test_another_sites_page_cannot_open_the_screen(topcat: Desktop) -> None:
    request = (
        "GET /-/screen HTTP/1.1\r\nHost: session.example.org\r\nOrigin: {}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert " 101 " in _first_line(topcat, request.format("https://session.example.org"))
    assert " 403 " in _first_line(topcat, request.format("https://evil.example.com"))


@pytest.mark.parametrize("path", ["/", "/datalabs/abc/", "/a/deep/path/"])
def test_the_page_works_under_any_path(topcat: Desktop, path: str) -> None:
    assert b"<title>" in _get(topcat, path)
    assert b" 200 " in _get(topcat, f"{path}-/desktop.js").split(b"\r\n", 1)[0]
    assert b"302 Found" in _get(topcat, "/datalabs/abc")
    for wrong in ("-/../../../etc/passwd", "-/..%2f..%2fetc/passwd", "-/nothing.js"):
        assert b" 404 " in _get(topcat, f"{path}{wrong}").split(b"\r\n", 1)[0], wrong


def test_the_preserved_programs_one_click_gives_the_known_answer(engine: Engine) -> None:
    thread = read_manifest(CATALOGUE / "datalabs" / "gcx").threads[0]
    words = thread.command_for({one.name: one.default for one in thread.inputs})
    command = ("/bin/sh", "-c", 'cd /media/user && exec "$@"', "sh", *words)
    with running_desktop(engine, "gcx", command=command) as desktop:
        difference = _pixels(desktop.workspace / "difference.fits")
        with Image.open(desktop.workspace / "difference.png") as picture:
            assert picture.size == (512, 512)
            keep(picture, "gcx-difference")
    earlier, later = (_pixels(archives(engine) / one.default.removeprefix("/data/")) for one in thread.inputs)
    expected = [b - a for a, b in zip(earlier, later, strict=True)]
    assert len(difference) == 128 * 128
    assert max(abs(one - other) for one, other in zip(difference, expected, strict=True)) <= 0.51  # whole counts
    assert sum(difference) / len(difference) == pytest.approx(-1.894, abs=0.01)


def test_every_desktop_is_well_described() -> None:
    for slug in DESKTOPS:
        manifest = read_manifest(CATALOGUE / "datalabs" / slug)
        assert manifest.icon, slug
        assert manifest.tags, slug
        assert manifest.licence, slug
        assert len(manifest.description) > 200, slug
        declared = yaml.safe_load((CATALOGUE / "datalabs" / slug / "spacelab.yml").read_text())
        assert all(path.split("/")[2] in manifest.default_volumes for path in manifest.opens.default), slug
        assert declared["interface"]["health_path"] == "/-/health", slug


def _process(desktop: Desktop, word: str) -> int:
    """Find a program of the session by a word of its command line."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
            variables = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if word in line and f"DATALAB_ID={desktop.id}" in variables:
            return int(entry.name)
    raise AssertionError(f"no {word} in the session")


def _ask(desktop: Desktop, request: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(10)
        link.connect(str(desktop.door))
        link.sendall(request.encode())
        said = b""
        while part := link.recv(1 << 16):
            said += part
            if b" 101 " in said.split(b"\r\n", 1)[0] and b"\r\n\r\n" in said:
                break  # a WebSocket stays open
        return said


def _get(desktop: Desktop, path: str) -> bytes:
    return _ask(desktop, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")


def _first_line(desktop: Desktop, request: str) -> str:
    return _ask(desktop, request).split(b"\r\n", 1)[0].decode() + " "


def _pixels(file: Path) -> list[float]:
    """Read the numbers of a FITS image, as the standard says; the test's own reading."""
    data = file.read_bytes()
    values: dict[str, str] = {}
    position = 0
    while not (card := data[position : position + 80].decode()).startswith("END "):
        values[card[:8].strip()] = card[10:].split("/")[0].strip()
        position += 80
    begin = (position // 2880 + 1) * 2880
    count = int(values["NAXIS1"]) * int(values["NAXIS2"])
    form, size = {"16": ("h", 2), "-32": ("f", 4), "-64": ("d", 8)}[values["BITPIX"]]
    numbers = struct.unpack(f">{count}{form}", data[begin : begin + count * size])
    zero, scale = float(values.get("BZERO", 0)), float(values.get("BSCALE", 1))
    return [zero + scale * number for number in numbers]
