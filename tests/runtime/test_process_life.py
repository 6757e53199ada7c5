"""What belongs to the process runtime alone: surviving crashes, the forwarder, the way out, personal packages."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import http.server
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from runtime.contract import SERVER, ask, outcome, printed, python, wait_for
from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Interface, Kind, Network, Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.process import Options, ProcessRuntime
from spacelab.workloads.runtimes.process.control import ControlFolder
from spacelab.workloads.runtimes.process.host import sandbox_trouble
from spacelab.workloads.runtimes.shared.egress import EgressPolicy, egress_server

pytestmark = pytest.mark.skipif(bool(sandbox_trouble()), reason=f"no sandbox here: {sandbox_trouble()}")


def spec_of(command: tuple[str, ...], **changes: object) -> WorkloadSpec:
    values: dict[str, object] = {"kind": Kind.BATCH, "owner": "ada", "resources": Resources(memory_mb=512)}
    return WorkloadSpec(id="t" + secrets.token_hex(5), command=command, **(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def options(state: Path) -> Options:
    return Options(state / "run", state / "env")


@pytest.fixture
def runtime(options: Options) -> Iterator[ProcessRuntime]:
    made = ProcessRuntime(options)
    yield made
    for workload_id in made.observe():
        made.stop(workload_id, 0)
    deadline = time.monotonic() + 60
    while any(seen.seen is not Seen.EXITED for seen in made.observe().values()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for workload_id in made.observe():
        made.forget(workload_id)
    assert made.observe() == {}


STARTER = """
import os, signal, sys
from pathlib import Path
from spacelab.workloads.rules import Interface, Kind, WorkloadSpec
from spacelab.workloads.runtimes.process import Options, ProcessRuntime
run, workload_id, step, *command = sys.argv[1:]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
runtime = ProcessRuntime(Options(Path(run), Path(run)))
runtime.capabilities()
if step != "end":
    owner, _, name = step.rpartition(".")
    module = __import__(owner, fromlist=["x"])
    holder = module
    original = getattr(holder, name)
    setattr(holder, name, die)
runtime.start(
    WorkloadSpec(id=workload_id, owner="ada", kind=Kind.INTERACTIVE, command=tuple(command), interface=Interface()), {}
)
die()
"""


@pytest.mark.parametrize("step", ["os.mkfifo", "os.memfd_create", "subprocess.Popen", "select.select", "end"])
def test_a_starter_killed_at_any_step_leaves_one_copy_or_none(
    runtime: ProcessRuntime, options: Options, step: str
) -> None:
    mark = f"# {secrets.token_hex(8)}"  # other tests run the same server at the same time
    server = (*SERVER[:3], SERVER[3] + mark)
    spec = spec_of(server, interface=Interface(), kind=Kind.INTERACTIVE)
    command = [sys.executable, "-c", STARTER, str(options.run_directory), spec.id, step, *server]
    source = Path(__file__).parents[2] / "src"
    variables = {**os.environ, "PYTHONPATH": str(source), "DJANGO_SETTINGS_MODULE": "spacelab.site.settings"}
    done = subprocess.run(command, env=variables, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    runtime.start(spec, {})
    assert b"200 OK" in ask(wait_for(runtime, spec, Seen.RUNNING).address)
    running = [line for line in _cmdlines() if mark.encode() in line and b"os.kill" not in line]
    assert len(running) == 1


def _cmdlines() -> list[bytes]:
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(process.read_bytes())
    return lines


def test_a_killed_supervisor_is_seen_as_an_end_with_a_reason(runtime: ProcessRuntime, options: Options) -> None:
    spec = spec_of(python("import time; time.sleep(60)"))
    runtime.start(spec, {})
    pid = ControlFolder(options.run_directory / spec.id).pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    seen = wait_for(runtime, spec, Seen.EXITED)
    assert seen.reason == "It was ended by force, or with the machine it ran on."
    runtime.start(spec, {})
    assert runtime.observe()[spec.id].seen is Seen.EXITED


def test_a_frozen_supervisor_is_ended_by_whoever_observes_after_the_grace(
    runtime: ProcessRuntime, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spacelab.workloads.runtimes.process.runtime.KILL_MARGIN", 0.2)
    spec = spec_of(python("import time; time.sleep(60)"))
    runtime.start(spec, {})
    pid = ControlFolder(options.run_directory / spec.id).pid()
    assert pid
    os.kill(pid, signal.SIGSTOP)
    runtime.stop(spec.id, 0.1)
    later = ProcessRuntime(options)
    seen = wait_for(later, spec, Seen.EXITED)
    assert seen.reason == "It was stopped by force: it did not end by itself in time."


def test_an_environment_that_is_not_there_is_named(runtime: ProcessRuntime) -> None:
    with pytest.raises(RuntimeFault, match="The environment “gone” is not on this machine"):
        runtime.start(spec_of(python("pass"), environment="gone"), {})
    assert runtime.observe() == {}


def test_a_broken_sandbox_says_why(runtime: ProcessRuntime, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    mounts = (Mount(str(tmp_path / "file"), "/usr/bin/python3/below", volume="odd"),)
    with pytest.raises(RuntimeFault, match="The sandbox could not be set up: bwrap"):
        runtime.start(spec_of(python("pass"), mounts=mounts), {})


@pytest.mark.parametrize("bad", ["../x", "A", "", "a/b", "a.b"])
def test_an_id_that_is_no_folder_name_is_refused(runtime: ProcessRuntime, bad: str) -> None:
    with pytest.raises(RuntimeFault):
        runtime.stop(bad, 1)


ECHO = """
import os, socket, threading
server = socket.create_server(("127.0.0.1", int(os.environ["IF_main_port"])))
def serve(connection):
    first = connection.recv(4)
    if first == b"GET ":
        connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n"); connection.close(); return
    total = len(first)
    while part := connection.recv(65536):
        total += len(part)
    for _ in range(64): connection.sendall(b"x" * 2**20)
    connection.sendall(b"%d" % total); connection.close()
while True:
    threading.Thread(target=serve, args=(server.accept()[0],)).start()
"""


def test_the_forwarder_carries_half_closed_connections_and_slow_readers(runtime: ProcessRuntime) -> None:
    spec = spec_of(python(ECHO), interface=Interface(), kind=Kind.INTERACTIVE)
    runtime.start(spec, {})
    address = wait_for(runtime, spec, Seen.RUNNING).address.removeprefix("unix/")
    with socket.socket(socket.AF_UNIX) as slow, socket.socket(socket.AF_UNIX) as quick:
        for connection in (slow, quick):
            connection.settimeout(120)
            connection.connect(address)
            connection.sendall(b"y" * (5 * 2**20))
            connection.shutdown(socket.SHUT_WR)
        time.sleep(0.3)
        for connection in (quick, slow):
            received, tail = 0, b""
            while part := connection.recv(65536):
                received += len(part)
                tail = (tail + part)[-10:]
            assert received == 64 * 2**20 + 7
            assert tail.endswith(b"5242880")
    assert ask(f"unix/{address}").startswith(b"HTTP/1.0 200")


class Hello(http.server.BaseHTTPRequestHandler):
    """A server of the outside world."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers.get('Proxy-Connection')}".encode())

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
async def way_out(options: Options) -> AsyncIterator[int]:
    policy = EgressPolicy.of(["127.0.0.0/8", "::1/128"], ["127.0.0.3"])
    server = http.server.ThreadingHTTPServer(("127.0.0.3", 0), Hello)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    async with egress_server(options.egress_socket, policy):
        yield server.server_address[1]
    server.shutdown()
    server.server_close()


async def test_outbound_requests_go_through_the_policy(runtime: ProcessRuntime, way_out: int) -> None:
    code = f"""
import http.client, urllib.request, urllib.error
for host in ("127.0.0.3", "127.0.0.2", "127.0.0.1.nip.invalid"):
    try: print(urllib.request.urlopen(f"http://{{host}}:{way_out}/stars?a=1", timeout=30).read().decode())
    except urllib.error.HTTPError as e: print(e.code, e.read().decode().strip())
for host in ("127.0.0.3", "127.0.0.2"):
    connection = http.client.HTTPConnection("127.0.0.1", 3128)
    connection.set_tunnel(host, {way_out})
    try:
        connection.request("GET", "/tunnel"); print(connection.getresponse().read().decode())
    except OSError as e: print(e)
"""
    spec = spec_of(python(code), network=Network.OUTBOUND)
    _, text = await asyncio.to_thread(outcome, runtime, spec)
    lines = text.splitlines()
    assert lines, text
    assert lines[0] == "/stars?a=1 None"
    assert lines[1].startswith("403 “127.0.0.2” lies in a network that sessions may not reach.")
    assert lines[2] == "502 The name “127.0.0.1.nip.invalid” is not known."
    assert lines[3] == "/tunnel None"
    assert "403 Forbidden" in lines[4]


async def test_the_way_out_survives_a_restart_of_the_controller(
    runtime: ProcessRuntime, options: Options, way_out: int
) -> None:
    code = f"""
import time, urllib.request
while True:
    try: print(urllib.request.urlopen("http://127.0.0.3:{way_out}/again", timeout=30).read().decode()); break
    except OSError: time.sleep(0.05)
"""
    options.egress_socket.unlink()
    spec = spec_of(python(code), network=Network.OUTBOUND)
    await asyncio.to_thread(runtime.start, spec, {})
    await asyncio.sleep(0.3)
    assert printed(runtime, spec) == ""
    async with egress_server(options.egress_socket, EgressPolicy.of(["127.0.0.0/8"], ["127.0.0.3"])):
        await asyncio.to_thread(wait_for, runtime, spec, Seen.EXITED)
    assert printed(runtime, spec) == "/again None\n"


def make_wheel(folder: Path, name: str, version: str) -> None:
    """Write a tiny pure-Python wheel, by hand: nothing here needs a network."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            wheel.writestr(path, text)


def test_packages_a_person_installs_shadow_the_environment_and_are_kept(
    runtime: ProcessRuntime, options: Options, tmp_path: Path
) -> None:
    environment = options.environments / "lab"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    packages = next((environment / "lib").glob("python3*/site-packages"))
    (packages / "tinystar.py").write_text("VERSION = '1.0'\n")
    (packages / "onlybase.py").write_text("NAME = 'base'\n")
    home, wheels = tmp_path / "home", tmp_path / "wheels"
    for folder in (home, wheels):
        folder.mkdir()
    make_wheel(wheels, "tinystar", "2.0")
    mounts = (Mount(str(home), "/media/home", read_only=False), Mount(str(wheels), "/data/wheels"))
    show = "python -c 'import tinystar, onlybase; print(tinystar.VERSION, onlybase.NAME)'"
    install = "pip install -q --no-index --disable-pip-version-check /data/wheels/tinystar-2.0-py3-none-any.whl"
    before, text = outcome(
        runtime, spec_of(("sh", "-c", f"{show}; {install} && {show}"), environment="lab", mounts=mounts)
    )
    assert (before.exit_code, text) == (0, "1.0 base\n2.0 base\n")
    _, later = outcome(runtime, spec_of(("sh", "-c", show), environment="lab", mounts=mounts))
    assert later == "2.0 base\n"
    assert (packages / "tinystar.py").read_text() == "VERSION = '1.0'\n"
    _, other = outcome(
        runtime, spec_of(("sh", "-c", show), environment="lab", mounts=mounts, variables={"DATALAB_NAME": "another"})
    )
    assert other == "1.0 base\n"
