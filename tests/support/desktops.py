"""Images of desktops on the test engine, and sessions of them: built once per machine, as long as nothing changes."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from docker.errors import ImageNotFound

import datalab_package
from spacelab.images import base_images
from spacelab.kit.ids import new_id
from spacelab.volumes import making
from spacelab.volumes.rules import Mount
from spacelab.workloads.rules import Interface, Kind, Network, Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.container import ContainerRuntime, Options
from support.base_images import provide
from support.engine import Engine

CATALOGUE: Path = settings.CATALOGUE_DIRECTORY
CONTENT = "org.spacelab.content"
PATIENCE = 120.0


def base_image(engine: Engine, name: str) -> str:
    """Provide a base image and those below it; return the name of one of its tags."""
    return provide(engine, name)[name].reference


def datalab_image(engine: Engine, slug: str) -> str:
    """Provide the image of one of the catalogue's desktops, built from its package by the platform's plan."""
    folder = CATALOGUE / "datalabs" / slug
    plan = datalab_package.make_plan(folder, datalab_package.read_manifest(folder))
    below = _content(engine, base_image(engine, plan.base))
    content = f"{datalab_package.package_hash(folder)}-{below}"
    reference = f"localhost/spacelab-test/{slug}:latest"
    if _content(engine, reference) != content:
        with tempfile.TemporaryDirectory() as name:
            context = Path(name) / "context"
            datalab_package.write_context(folder, plan, context)
            found = [file for file in sorted(context.rglob("*")) if file.is_file()]
            files = {
                file.relative_to(context).as_posix(): (file.read_bytes(), file.stat().st_mode & 0o777) for file in found
            }
        arguments = {"REGISTRY": "localhost", f"{plan.base.upper()}_VERSION": "latest"}
        _build(engine, base_images.context_archive(files), reference, content, arguments)
    return reference


def _content(engine: Engine, reference: str) -> str:
    try:
        return str(engine.client.images.get(reference).labels.get(CONTENT, ""))
    except ImageNotFound:
        return ""


def _build(engine: Engine, archive: bytes, tag: str, content: str, arguments: dict[str, str]) -> None:
    answer = engine.client.api.build(
        fileobj=io.BytesIO(archive),
        custom_context=True,
        tag=tag,
        buildargs=arguments,
        labels={CONTENT: content},
        network_mode="host",
        rm=True,
        forcerm=True,
        decode=True,
    )
    lines: list[str] = []
    for event in answer:
        lines.append(str(event.get("stream") or event.get("error") or "").rstrip())
        assert "error" not in event, "\n".join(lines[-80:])


def archives(engine: Engine) -> Path:
    """Return a folder with the shipped archives, made once per machine."""
    root = engine.cache / "archives"
    for recipe in making.recipes(CATALOGUE):
        if making.is_stale(recipe, root):
            making.make(recipe, root, lambda _text: None)
    root.chmod(0o755)
    return root


@dataclass
class Desktop:
    """A running session of a desktop: its Unix socket, its workspace, and a port at which a browser finds it."""

    id: str
    runtime: ContainerRuntime
    folder: Path
    door: Path = Path()
    seconds: float = 0.0
    """From the order to the answer that it is ready."""
    url: str = ""
    away: bool = False
    """Whether the port leads nowhere just now, as when a network is down."""
    _listener: socket.socket | None = field(default=None, repr=False)
    _links: list[socket.socket] = field(default_factory=list, repr=False)

    @property
    def workspace(self) -> Path:
        """The person's workspace, seen from the host."""
        return self.folder / "workspace"

    def log(self) -> str:
        """Return what the session has printed."""
        return b"".join(self.runtime.logs(self.id)).decode(errors="replace")

    def listen(self) -> None:
        """Lead a loopback port to the session, for a browser."""
        self._listener = listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{listener.getsockname()[1]}"

        def accept() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                if self.away:
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX)
                self._links += [near, far]
                far.connect(str(self.door))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def cut(self) -> None:
        """Cut what is connected now, as a network may."""
        for link in self._links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self._links.clear()

    def close(self) -> None:
        """Lead nobody to it any more."""
        self.cut()
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _mounts(engine: Engine, slug: str, folder: Path, uid: int) -> tuple[Mount, ...]:
    for name in ("workspace", "home"):
        place = folder / name
        place.mkdir()
        if os.geteuid() == 0:
            os.chown(place, uid, uid)
    manifest = datalab_package.read_manifest(CATALOGUE / "datalabs" / slug)
    data = archives(engine)
    return (
        *(Mount(str(data / name), f"/data/{name}", volume=name) for name in manifest.default_volumes),
        Mount(str(folder / "workspace"), "/media/user", read_only=False),
        Mount(str(folder / "home"), "/media/home", read_only=False),
    )


@contextlib.contextmanager
def running_desktop(engine: Engine, slug: str, *, command: tuple[str, ...] = ()) -> Iterator[Desktop]:
    """Run a session of one of the catalogue's desktops, as the platform would; with `command`, that as a batch."""
    image, companion = datalab_image(engine, slug), base_image(engine, "datalabs_base")
    folder = Path(tempfile.mkdtemp(prefix="spd-"))
    folder.chmod(0o755)
    options = Options(folder / "run", engine.url, companion_image=companion)
    runtime = ContainerRuntime(options)
    manifest = datalab_package.read_manifest(CATALOGUE / "datalabs" / slug)
    spec = WorkloadSpec(
        new_id(),
        "ada",
        Kind.BATCH if command else Kind.INTERACTIVE,
        command,
        image=image,
        variables={**manifest.variables, "SPACELAB_OPEN": "\n".join(manifest.opens.default)},
        mounts=_mounts(engine, slug, folder, options.workload_uid),
        resources=Resources(cpu=2, memory_mb=2048, scratch_mb=512, processes=512),
        interface=None if command else Interface(health_path="/-/health"),
        network=Network.NONE,
    )
    desktop = Desktop(spec.id, runtime, folder)
    begun = time.monotonic()
    try:
        runtime.start(spec, {})
        wanted = Seen.EXITED if command else Seen.RUNNING
        while (seen := runtime.observe().get(spec.id)) is None or seen.seen is not wanted:
            assert seen is None or seen.seen is not Seen.EXITED, (seen, desktop.log())
            assert time.monotonic() - begun < PATIENCE, (seen, desktop.log())
            time.sleep(0.02)
        desktop.seconds = time.monotonic() - begun
        assert seen.exit_code in (None, 0), (seen, desktop.log())
        if not command:
            desktop.door = Path(seen.address.removeprefix("unix/"))
            desktop.listen()
        yield desktop
    finally:
        desktop.close()
        runtime.stop(spec.id, 0)
        deadline = time.monotonic() + PATIENCE
        while spec.id in runtime.observe() and time.monotonic() < deadline:
            runtime.forget(spec.id)
            time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)
