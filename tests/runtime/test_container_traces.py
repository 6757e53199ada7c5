"""What a launch test learns from a container: where it listens, and what it wrote into its own file system."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.container_bench import options, runtime, spec_of
from runtime.contract import ask, printed, python, wait_for
from runtime.test_container_life import made_image
from spacelab.volumes.rules import Mount
from spacelab.workloads.rules import Interface, Kind, Seen
from spacelab.workloads.runtimes.container import ContainerRuntime
from support.engine import CONTRACT_IMAGE, Engine

__all__ = ["options", "runtime"]
pytestmark = pytest.mark.container

SERVER = """
import http.server, os, socket
second = socket.create_server(("127.0.0.1", 5005))
def write(path):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write("x")
    except OSError as error:
        print(error.strerror, flush=True)
for path in PATHS: write(path)
print("written", flush=True)
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ["IF_main_port"]), bind="127.0.0.1")
"""
PATHS = ["/srv/cache/model.bin", "/opt/notes.txt", "/scratch/passing", "/media/user/results/table.csv"]
PATHS += ["/tmp/passing"]  # noqa: S108  inside the container


def test_ports_and_writes_of_a_container_are_told(runtime: ContainerRuntime, engine: Engine, tmp_path: Path) -> None:
    writable = made_image(
        engine, "writable", f"FROM {CONTRACT_IMAGE}\nRUN chmod 1777 /opt /srv\nLABEL org.spacelab.root=writable\n"
    )
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    workspace.chmod(0o777)
    for image, outside in ((writable, ["/opt/notes.txt", "/srv/cache/model.bin"]), (CONTRACT_IMAGE, [])):
        spec = spec_of(
            python(SERVER.replace("PATHS", repr(PATHS))),
            image=image,
            kind=Kind.INTERACTIVE,
            interface=Interface(),
            mounts=(Mount(str(workspace), "/media/user", read_only=False, volume="workspace"),),
        )
        runtime.start(spec, {})
        seen = wait_for(runtime, spec, Seen.RUNNING)
        assert b"200 OK" in ask(seen.address)
        assert "written" in printed(runtime, spec)
        assert runtime.ports(spec.id) == [5005, Interface().port]
        assert runtime.written(spec.id) == outside
        runtime.stop(spec.id, 0)
        wait_for(runtime, spec, Seen.EXITED)
        assert not runtime.ports(spec.id)
        runtime.forget(spec.id)
        assert runtime.written(spec.id) is None
