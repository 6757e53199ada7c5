"""What every runtime must do; a runtime's own test module subclasses this and provides the fixtures."""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import Runtime, RuntimeFault
from spacelab.workloads.rules import Interface, Kind, Network, Observation, Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.shared import probe

PATIENCE = 60.0
SERVER_CODE = """
import http.server, os
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ["IF_main_port"]), bind="127.0.0.1")
"""
SERVER = ("python3", "-u", "-c", SERVER_CODE)
WAIT_FOR_GO = (
    "import os, time; start = os.environ['SPACELAB_WORKSPACE'] + '/go'; any(os.path.exists(start) or time.sleep(0.02)"
    " for _ in iter(int, 1))"
)
"""Python that waits until the test puts a file `go` into the `workspace`."""
Made = Callable[..., WorkloadSpec]


def workspace(folder: Path) -> Mount:
    """Make a folder that workloads may write to, as their workspace."""
    mine = folder / "mine"
    mine.mkdir()
    return Mount(str(mine), "/media/user", read_only=False)


def python(code: str) -> tuple[str, ...]:
    """Return the command that runs a piece of Python."""
    return ("python3", "-u", "-c", code)


def look(runtime: Runtime, spec: WorkloadSpec) -> Observation:
    """Return what the runtime sees of one workload."""
    return runtime.observe()[spec.id]


def wait_for(runtime: Runtime, spec: WorkloadSpec, seen: Seen, patience: float = PATIENCE) -> Observation:
    """Observe until the workload is seen as wished, or fail with what was seen last."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        observation = look(runtime, spec)
        if observation.seen is seen:
            return observation
        assert observation.seen is not Seen.EXITED, (observation, printed(runtime, spec))
        time.sleep(0.02)
    raise AssertionError((look(runtime, spec), printed(runtime, spec)))


def printed(runtime: Runtime, spec: WorkloadSpec, since: int = 0) -> str:
    """Return a workload's output."""
    return b"".join(runtime.logs(spec.id, since)).decode()


def wait_until_printed(runtime: Runtime, spec: WorkloadSpec, text: str) -> None:
    """Observe until the workload has printed something: observing is what has it asked whether it is ready."""
    deadline = time.monotonic() + PATIENCE
    while text not in (said := printed(runtime, spec)):
        assert time.monotonic() < deadline, (look(runtime, spec), said)
        look(runtime, spec)
        time.sleep(0.02)


def outcome(runtime: Runtime, spec: WorkloadSpec, secret: dict[str, str] | None = None) -> tuple[Observation, str]:
    """Run a workload to its end; return what was seen of it and what it printed."""
    runtime.start(spec, secret or {})
    observation = wait_for(runtime, spec, Seen.EXITED)
    return observation, printed(runtime, spec)


def ask(address: str, path: str = "/") -> bytes:
    """Send one GET to a workload's address and return all of the answer."""
    assert address.startswith("unix/")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(address.removeprefix("unix/"))
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


class RuntimeContract:
    """Behaviour of any runtime. Fixtures to provide: `again`, which makes a runtime over the same state each time."""

    first_process_is_the_platforms = True
    """Whether a workload's first process belongs to the platform and is closed to the workload; else it is its own."""

    processes_are_counted_by_user = False
    """Whether this runtime, as tested, can only limit the processes of all its workloads together."""

    @pytest.fixture
    def runtime(self, again: Callable[[], Runtime]) -> Runtime:
        return again()

    @pytest.fixture
    def running(self) -> dict[str, object]:
        """Fields of a specification that say in what a command runs: an image, where the runtime takes images."""
        return {}

    @pytest.fixture
    def make(self, runtime: Runtime, running: dict[str, object]) -> Iterator[Made]:
        made: list[str] = []

        def spec(command: tuple[str, ...], **changes: object) -> WorkloadSpec:
            made.append("t" + secrets.token_hex(5))
            values: dict[str, object] = {"kind": Kind.BATCH, "owner": "ada", "resources": Resources(memory_mb=256)}
            return WorkloadSpec(id=made[-1], command=command, **(values | running | changes))  # type: ignore[arg-type]

        yield spec
        for workload_id in made:
            runtime.stop(workload_id, 0)
        deadline = time.monotonic() + PATIENCE
        while any(seen.seen is not Seen.EXITED for seen in runtime.observe().values()):
            assert time.monotonic() < deadline, runtime.observe()
            time.sleep(0.02)
        for workload_id in made:
            runtime.forget(workload_id)
        assert runtime.observe() == {}

    @pytest.fixture
    def isolated(self, runtime: Runtime) -> None:
        if runtime.capabilities().isolation == "none":
            pytest.skip("this runtime says that it doesn't isolate")

    def test_a_workload_runs_to_its_end(self, runtime: Runtime, make: Made) -> None:
        seen, text = outcome(runtime, make(python("print('hello')")))
        assert (seen.exit_code, seen.reason, text) == (0, "It finished.", "hello\n")

    def test_starting_twice_makes_one_copy(self, runtime: Runtime, make: Made) -> None:
        spec = make(python("print('once'); import time; time.sleep(60)"))
        starts = [threading.Thread(target=runtime.start, args=(spec, {})) for _ in range(6)]
        for start in starts:
            start.start()
        for start in starts:
            start.join()
        wait_for(runtime, spec, Seen.RUNNING)
        wait_until_printed(runtime, spec, "once\n")
        time.sleep(0.3)
        assert printed(runtime, spec) == "once\n"

    def test_an_ended_workload_is_not_started_again(self, runtime: Runtime, make: Made) -> None:
        spec = make(python("print('once')"))
        outcome(runtime, spec)
        runtime.start(spec, {})
        assert outcome(runtime, spec)[1] == "once\n"

    def test_a_new_runtime_finds_what_an_earlier_one_started(
        self, runtime: Runtime, again: Callable[[], Runtime], make: Made
    ) -> None:
        spec = make(SERVER, interface=Interface(), kind=Kind.INTERACTIVE)
        runtime.start(spec, {})
        address = wait_for(runtime, spec, Seen.RUNNING).address
        later = again()
        later.start(spec, {})
        assert wait_for(later, spec, Seen.RUNNING).address == address
        assert b"200 OK" in ask(address)

    def test_an_interface_is_ready_only_when_it_answers(self, runtime: Runtime, make: Made, tmp_path: Path) -> None:
        mine = workspace(tmp_path)
        late = python(f"print('up')\n{WAIT_FOR_GO}\n{SERVER_CODE}")
        spec = make(late, interface=Interface(), kind=Kind.INTERACTIVE, mounts=(mine,))
        runtime.start(spec, {})
        wait_until_printed(runtime, spec, "up\n")
        assert look(runtime, spec).seen is Seen.STARTING
        Path(mine.source, "go").touch()
        assert b"200 OK" in ask(wait_for(runtime, spec, Seen.RUNNING).address)

    def test_an_interface_that_answers_with_an_error_is_not_ready(self, runtime: Runtime, make: Made) -> None:
        code = (
            "import http.server,os\nclass H(http.server.BaseHTTPRequestHandler):\n"
            " def do_GET(self): self.send_response(503 if self.path.endswith('warming') else 200); self.end_headers()\n"
            "http.server.HTTPServer(('127.0.0.1',int(os.environ['IF_main_port'])),H).serve_forever()"
        )
        spec = make(python(code), interface=Interface(health_path="/{id}/warming"), kind=Kind.INTERACTIVE)
        runtime.start(spec, {})
        wait_until_printed(runtime, spec, " 503 ")
        assert look(runtime, spec).seen is Seen.STARTING

    def test_a_hung_interface_does_not_hold_up_the_others(
        self, runtime: Runtime, make: Made, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code = (
            "import os,socket,time; a=('127.0.0.1',int(os.environ['IF_main_port']))\n"
            "s=socket.create_server(a)\nc=[]\nwhile True: c.append(s.accept()); print('asked')"
        )
        monkeypatch.setattr(probe, "TIMEOUT", 2 * PATIENCE)
        hung = make(python(code), interface=Interface(), kind=Kind.INTERACTIVE)
        runtime.start(hung, {})
        wait_until_printed(runtime, hung, "asked\n")
        other = make(SERVER, interface=Interface(), kind=Kind.INTERACTIVE)
        runtime.start(other, {})
        assert b"200 OK" in ask(wait_for(runtime, other, Seen.RUNNING).address)
        assert look(runtime, hung).seen is Seen.STARTING

    def test_stop_lets_the_application_end_by_itself(self, runtime: Runtime, make: Made, tmp_path: Path) -> None:
        mine = workspace(tmp_path)
        code = (
            "import signal,sys,time\ndef end(*_):\n"
            f" print('asked')\n {WAIT_FOR_GO}\n print('tidied'); sys.exit(0)\n"
            "signal.signal(15, end); print('up'); time.sleep(600)"
        )
        spec = make(python(code), mounts=(mine,))
        runtime.start(spec, {})
        wait_until_printed(runtime, spec, "up\n")
        runtime.stop(spec.id, PATIENCE)
        wait_until_printed(runtime, spec, "asked\n")
        assert look(runtime, spec).seen is not Seen.EXITED, "it waits for its end in the background"
        Path(mine.source, "go").touch()
        seen = wait_for(runtime, spec, Seen.EXITED)
        assert (seen.exit_code, seen.reason) == (0, "It was stopped.")
        assert "tidied" in printed(runtime, spec)

    def test_stop_ends_by_force_after_the_grace_with_all_children(self, runtime: Runtime, make: Made) -> None:
        code = (
            "import os,signal,time; signal.signal(15, signal.SIG_IGN); os.fork() or os.setsid();"
            "print('up')\nwhile True: time.sleep(1)"
        )
        spec = make(python(code))
        runtime.start(spec, {})
        wait_until_printed(runtime, spec, "up\nup\n")
        started = time.monotonic()
        runtime.stop(spec.id, 0.6)
        seen = wait_for(runtime, spec, Seen.EXITED)
        assert (seen.exit_code, seen.reason) == (137, "It was stopped.")
        assert time.monotonic() - started >= 0.5

    def test_stopping_and_forgetting_what_is_not_there_does_nothing(self, runtime: Runtime, make: Made) -> None:
        runtime.stop("t000000000", 1)
        runtime.forget("t000000000")
        spec = make(python("import time; time.sleep(60)"))
        runtime.start(spec, {})
        runtime.forget(spec.id)
        assert look(runtime, spec).seen is Seen.RUNNING

    def test_exit_codes_and_reasons_tell_the_ends_apart(self, runtime: Runtime, make: Made) -> None:
        own, _ = outcome(runtime, make(python("raise SystemExit(3)")))
        missing, _ = outcome(runtime, make(("no-such-program",)))
        signalled, _ = outcome(runtime, make(python("import os; os.kill(os.getpid(), 11)")))
        early, text = outcome(runtime, make(python("import nonsense"), interface=Interface(), kind=Kind.INTERACTIVE))
        assert own.exit_code == 3
        assert own.reason.startswith("It ended by itself with exit code 3 after")
        assert (missing.exit_code, missing.reason) == (
            127,
            "The command “no-such-program” was not found in this datalab.",
        )
        assert signalled.exit_code == 139
        assert signalled.reason.startswith("It was ended by SIGSEGV")
        assert "Its interface had not answered by then; the log says more." in early.reason
        assert "No module named 'nonsense'" in text

    def test_a_batch_workload_ends_at_its_time_limit(self, runtime: Runtime, make: Made) -> None:
        seen, _ = outcome(runtime, make(python("import time; time.sleep(60)"), deadline_seconds=1))
        assert seen.reason == "It reached its time limit of 1 s."

    def test_logs_continue_from_an_offset(self, runtime: Runtime, make: Made) -> None:
        spec = make(python("print('0123456789')"))
        outcome(runtime, spec)
        assert printed(runtime, spec, 4) == "456789\n"
        assert printed(runtime, spec, 400) == ""

    def test_a_talkative_workload_keeps_only_its_latest_output(self, runtime: Runtime, make: Made) -> None:
        code = "for n in range(20000): print('x' * 1000)\nprint('last')"
        spec = make(python(code))
        outcome(runtime, spec)
        kept = sum(len(part) for part in runtime.logs(spec.id))
        assert 3 * 2**20 < kept <= 9 * 2**20
        assert printed(runtime, spec, 20000 * 1001) == "last\n"

    def test_a_memory_hog_is_ended_and_says_why(self, runtime: Runtime, make: Made) -> None:
        seen, text = outcome(runtime, make(python("b=[]\nwhile True: b.append(bytearray(2**24))")))
        if runtime.capabilities().limits == "rlimit":
            assert "MemoryError" in text
        else:
            assert seen.reason == "It used more than its 256 MiB of memory, so the system ended it."

    def test_a_fork_bomb_stays_small(self, runtime: Runtime, make: Made) -> None:
        code = (
            "import os,time\nn=0\ntry:\n"
            " while n < 200:\n  if os.fork() == 0: time.sleep(60)\n  n += 1\n"
            "except OSError as e: print('refused', n, e)\nelse: print('unbounded')\nos._exit(0)"
        )
        limits = Resources(memory_mb=512, processes=30)
        if self.processes_are_counted_by_user:
            pytest.skip("without control groups the kernel counts all of a user's processes together")
        _, text = outcome(runtime, make(python(code), resources=limits))
        assert text.startswith("refused")
        assert int(text.split()[1]) <= 34

    def test_the_share_of_the_machine_is_visible(self, runtime: Runtime, make: Made) -> None:
        code = "import os; print(len(os.sched_getaffinity(0)), os.environ['OMP_NUM_THREADS'], os.environ['MEM_LIMIT'])"
        _, text = outcome(runtime, make(python(code)))
        assert text.split() == ["1", "1", str(256 * 2**20)]

    def test_usage_is_measured(self, runtime: Runtime, make: Made) -> None:
        spec = make(python("b = bytearray(60 * 2**20)\nwhile True: pass"))
        runtime.start(spec, {})
        deadline = time.monotonic() + PATIENCE
        while (usage := look(runtime, spec).usage).cpu_seconds <= 0.2 or usage.memory_bytes <= 60 * 2**20:
            assert time.monotonic() < deadline, usage
            time.sleep(0.2)
        assert usage.cpu_seconds < PATIENCE
        assert usage.memory_bytes < 256 * 2**20
        assert usage.processes >= 1

    def test_arguments_and_variables(self, runtime: Runtime, make: Made) -> None:
        code = "import sys,os; print(sys.argv[1:], os.environ['TOKEN'], os.environ['IF_main_id'])"
        spec = make(
            (*python(code), "--base=/datalabs/$IF_main_id", "${GREETING}!", "$UNKNOWN"),
            variables={"GREETING": "grüß"},
            interface=Interface(),
        )
        _, text = outcome(runtime, spec, {"TOKEN": "hush"})
        assert text == f"['--base=/datalabs/{spec.id}', 'grüß!', '$UNKNOWN'] hush {spec.id}\n"

    def test_mounts(self, runtime: Runtime, make: Made, tmp_path: Path) -> None:
        archive, mine = tmp_path / "archive", tmp_path / "mine"
        for folder in (archive, mine):
            folder.mkdir()
        (archive / "star.txt").write_text("Vega")
        mounts = (Mount(str(archive), "/data/stars"), Mount(str(mine), "/media/user", read_only=False))
        code = (
            "import os; d=os.environ['SPACELAB_DATA']; print(os.getcwd() == os.environ['SPACELAB_WORKSPACE'])\n"
            "open('result.txt','w').write(open(d + '/stars/star.txt').read())"
        )
        seen, text = outcome(runtime, make(python(code), mounts=mounts))
        assert (seen.exit_code, text) == (0, "True\n")
        assert (mine / "result.txt").read_text() == "Vega"

    def test_a_missing_volume_is_refused_and_leaves_nothing(self, runtime: Runtime, make: Made) -> None:
        spec = make(python("pass"), mounts=(Mount("/nowhere", "/data/gone", volume="gone"),))
        with pytest.raises(RuntimeFault, match="The files of the volume “gone” are not there"):
            runtime.start(spec, {})
        assert spec.id not in runtime.observe()

    @pytest.mark.usefixtures("isolated")
    def test_archives_cannot_be_written(self, runtime: Runtime, make: Made, tmp_path: Path) -> None:
        (tmp_path / "star.txt").write_text("Vega")
        tmp_path.chmod(0o777)
        code = (
            "for path in ('/data/new', '/data/stars/new', '/data/stars/star.txt', '/usr/new', '/new', '/etc/passwd'):\n"
            " try: open(path, 'a'); print('wrote', path)\n except OSError as e: pass\nprint('done')"
        )
        _, text = outcome(runtime, make(python(code), mounts=(Mount(str(tmp_path), "/data/stars"),)))
        assert text == "done\n"

    @pytest.mark.usefixtures("isolated")
    def test_files_of_the_host_are_out_of_sight(
        self, runtime: Runtime, make: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mine = tmp_path / "mine"
        mine.mkdir()
        secret = tmp_path / "secret-key"
        secret.write_text("hush")
        secret.chmod(0o644)
        (mine / "link").symlink_to(secret)
        (mine / "relative").symlink_to("../secret-key")
        monkeypatch.setenv("A_SECRET_OF_THE_HOST", "hush")
        closed = ["/proc/1/environ", "/proc/1/fd"] if self.first_process_is_the_platforms else []
        code = (
            f"import os\nfor path in ({str(secret)!r}, '../secret-key', '../../secret-key', 'link', 'relative',\n"
            f" '/proc/1/root{secret}', '/proc/1/cwd/x', *{closed}):\n"
            " try: print(path, os.listdir(path) if path.endswith('fd') else open(path).read())\n"
            " except OSError: pass\n"
            "seen = []\ntry: seen = [open('/proc/1/environ').read(), *map(os.readlink, os.scandir('/proc/1/fd'))]\n"
            f"except OSError: pass\nprint([one for one in seen if 'hush' in one or {str(tmp_path.parent)!r} in one])\n"
            "print(sorted(os.listdir('/media')), sorted(os.listdir('/home')))"
        )
        spec = make(python(code), mounts=(Mount(str(mine), "/media/user", read_only=False),))
        _, text = outcome(runtime, spec)
        assert text == "[]\n['home', 'team_workspaces', 'user'] ['ada']\n"

    @pytest.mark.usefixtures("isolated")
    def test_processes_of_the_host_are_out_of_reach(self, runtime: Runtime, make: Made) -> None:
        other = make(python("import time; time.sleep(60)"))
        runtime.start(other, {})
        code = (
            "import ctypes,os\npids=[int(p) for p in os.listdir('/proc') if p.isdigit()]; print(max(pids) < 20)\n"
            "libc=ctypes.CDLL(None, use_errno=True)\n"
            "mounted=libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)\n"
            f"ptraced=libc.ptrace(16, 1, 0, 0) if {self.first_process_is_the_platforms} else -1\n"
            "print([ptraced, mounted, libc.umount2(b'/data', 0)])\n"
            "try: os.kill(1, 9)\nexcept PermissionError: pass\n"
            f"try: {self.first_process_is_the_platforms} and os.kill(-1, 9)\nexcept OSError: pass\n"
            "print('alive', [l for l in open('/proc/self/status') if l.startswith(('CapEff', 'CapBnd', 'NoNew'))])\n"
            "os.kill(-1, 9)  # at most the end of its own"
        )
        _, text = outcome(runtime, make(python(code)))
        lines = text.splitlines()
        assert lines[:2] == ["True", "[-1, -1, -1]"]
        assert lines[2].startswith("alive")
        assert lines[2].count("0000000000000000") == 2
        assert look(runtime, other).seen is Seen.RUNNING

    @pytest.mark.usefixtures("isolated")
    @pytest.mark.parametrize("network", list(Network))
    def test_the_hosts_loopback_is_out_of_reach(self, runtime: Runtime, make: Made, network: Network) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            code = (
                f"import socket\ntry: socket.create_connection(('127.0.0.1', {port}), 2); print('reached')\n"
                "except OSError: print('refused')"
            )
            _, text = outcome(runtime, make(python(code), network=network))
        assert text == "refused\n"

    @pytest.mark.usefixtures("isolated")
    def test_two_workloads_do_not_see_each_other(self, runtime: Runtime, make: Made) -> None:
        first = make(SERVER, interface=Interface(), kind=Kind.INTERACTIVE)
        runtime.start(first, {})
        wait_for(runtime, first, Seen.RUNNING)
        code = (
            "import os,socket\ntry: socket.create_connection(('127.0.0.1', 10000), 2); print('reached')\n"
            "except OSError: print('refused')\n"
            "print([p for p in os.listdir('/proc') if p.isdigit() and int(p) > 20])"
        )
        _, text = outcome(runtime, make(python(code)))
        assert text == "refused\n[]\n"

    def test_secrets_are_nowhere_to_be_read(self, runtime: Runtime, make: Made, tmp_path: Path) -> None:
        spec = make(python("import time; time.sleep(60)"))
        secret = "hush-" + secrets.token_hex(8)
        runtime.start(spec, {"TOKEN": secret})
        wait_for(runtime, spec, Seen.RUNNING)
        lines = []
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(process.read_bytes())
            except OSError:
                continue
        assert any(b"time.sleep(60)" in line for line in lines)
        assert not any(secret.encode() in line for line in lines)
        stored = [file.read_text(errors="replace") for file in tmp_path.parent.rglob("*.json")]
        assert any(json.loads(text).get("id") == spec.id for text in stored)
        assert not any(secret in text for text in stored)
