"""What a container can't do, found out by trying: reach others, read what is not its own, hurt anybody but itself."""

from __future__ import annotations

import json
import secrets
import socket
from pathlib import Path

import psutil
import pytest

from runtime.container_bench import name_of, options, runtime, spec_of
from runtime.contract import SERVER, ask, outcome, printed, python, wait_for
from runtime.test_container_life import made_image
from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Interface, Kind, Network, Resources, Seen, Trouble
from spacelab.workloads.runtimes.container import ContainerRuntime, Options
from support.engine import CONTRACT_IMAGE, Engine

__all__ = ["options", "runtime"]
pytestmark = pytest.mark.container

SCAN = """
import json, os, socket, threading
own = socket.create_server(("127.0.0.1", int(os.environ["IF_main_port"])))
found = {"ports": [], "hosts": [], "names": []}
for port in range(1, 65536):
    with socket.socket() as probe:
        reached = probe.connect_ex(("127.0.0.1", port)) == 0
        if reached and probe.getsockname() != probe.getpeername(): found["ports"].append(port)
def knock(host, port):
    try: socket.create_connection((host, port), 2).close(); found["hosts"].append(host)
    except OSError: pass
knocks = [threading.Thread(target=knock, args=where) for where in WHERE]
for one in knocks: one.start()
for one in knocks: one.join()
for name in NAMES:
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex("\\0" + name) == 0: found["names"].append(name)
found["interfaces"] = os.listdir("/sys/class/net")
found["routes"] = len(open("/proc/net/route").readlines()) - 1
found["sockets"] = [line.split()[-1] for line in open("/proc/net/unix") if "@" in line]
print(json.dumps(found))
"""
NAMED_SERVER = """
import os, socket
abstract = socket.socket(socket.AF_UNIX); abstract.bind("\\0" + os.environ["NAME"]); abstract.listen()
"""


@pytest.mark.parametrize("network", list(Network))
def test_a_session_that_scans_its_network_finds_only_itself(runtime: ContainerRuntime, network: Network) -> None:
    name = f"spacelab-test-{secrets.token_hex(4)}"
    other = spec_of(
        python(NAMED_SERVER + SERVER[3]),
        kind=Kind.INTERACTIVE,
        interface=Interface(port=10007),
        variables={"NAME": f"{name}-other"},
    )
    runtime.start(other, {})
    wait_for(runtime, other, Seen.RUNNING)
    addresses = [one.address for some in psutil.net_if_addrs().values() for one in some if one.family == socket.AF_INET]
    with socket.create_server(("0.0.0.0", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0{name}")
        abstract.listen()
        port = server.getsockname()[1]
        where = [(host, port) for host in {*addresses, "10.88.0.1", "172.17.0.1", "host.containers.internal"}]
        where += [("169.254.169.254", 80), ("192.0.2.1", 80), ("127.0.0.1", 10007)]
        code = SCAN.replace("WHERE", repr(where)).replace("NAMES", repr([name, f"{name}-other"]))
        spec = spec_of(python(code), interface=Interface(), network=network)
        _, text = outcome(runtime, spec)
    found = json.loads(text)
    proxy = [3128] if network is Network.OUTBOUND else []
    assert found == {
        "ports": [*proxy, 10000],
        "hosts": [],
        "names": [],
        "interfaces": ["lo"],
        "routes": 0,
        "sockets": [],
    }


RIGHTS = """
import json, os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
found = {name: status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")}
found["ids"] = [os.getuid(), os.getgid(), os.getgroups()]
found["wrote"] = []
for path in ("/new", "/usr/new", "/etc/new", "/etc/passwd", "/.datalab/new", "/.datalab/enter.sh", "/dev/new",
             "/proc/sys/kernel/hostname", "/sys/fs/cgroup/memory/cgroup.procs", "/home/new", "/media/new"):
    try: open(path, "a"); found["wrote"].append(path)
    except OSError: pass
for path in ("/tmp", "/var/tmp", "/scratch", "/dev/shm", "/media/user"):
    open(path + "/new", "w").write("x")
print(json.dumps(found))
"""


def test_a_session_has_no_rights_and_its_files_belong_to_the_person(runtime: ContainerRuntime, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    mounts = (Mount(str(tmp_path / "mine"), "/media/user", read_only=False),)
    seen, text = outcome(runtime, spec_of(python(RIGHTS), mounts=mounts))
    assert seen.exit_code == 0, text
    found = json.loads(text)
    owner = (tmp_path / "mine").stat().st_uid
    assert (tmp_path / "mine" / "new").stat().st_uid == owner == runtime.options.workload_uid
    assert found.pop("ids") in ([owner, owner, []], [owner, owner, [owner]])
    assert {found.pop(name) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0000000000000000"}
    assert found == {
        "NoNewPrivs": "1",
        "Seccomp": "2",
        "wrote": [],
    }


BOMB = """
import os, time
while True:
    try: os.fork()
    except OSError: time.sleep(0.01)
"""


def test_a_fork_bomb_and_a_memory_hog_hurt_only_themselves(runtime: ContainerRuntime) -> None:
    bystander = spec_of(SERVER, kind=Kind.INTERACTIVE, interface=Interface())
    runtime.start(bystander, {})
    address = wait_for(runtime, bystander, Seen.RUNNING).address
    bomb = spec_of(python(BOMB), resources=Resources(cpu=0.5, memory_mb=256, processes=60))
    hog = spec_of(
        python("import time; time.sleep(0.5); b=[]\nwhile True: b.append(bytearray(2**24))"),
        kind=Kind.INTERACTIVE,
        interface=Interface(),
    )
    runtime.start(bomb, {})
    runtime.start(hog, {})
    seen = wait_for(runtime, hog, Seen.EXITED)
    assert seen.trouble == Trouble.OUT_OF_MEMORY
    assert seen.reason.startswith("It used more than its 256 MiB of memory, so the system ended it.")
    assert b"200 OK" in ask(address)
    assert runtime.observe()[bystander.id].seen is Seen.RUNNING
    assert runtime.observe()[bomb.id].usage.processes <= 70
    runtime.stop(bomb.id, 0)
    assert wait_for(runtime, bomb, Seen.EXITED, 5).reason == "It was stopped."
    assert b"200 OK" in ask(address)


def test_memory_that_one_process_used_up_is_told_while_the_session_goes_on(runtime: ContainerRuntime) -> None:
    code = "import subprocess\nsubprocess.run(['python3','-c','b=[]\\nwhile True: b.append(bytearray(2**24))'])\n"
    spec = spec_of(python(code + SERVER[3]), kind=Kind.INTERACTIVE, interface=Interface())
    runtime.start(spec, {})
    wait_for(runtime, spec, Seen.RUNNING)
    later = ContainerRuntime(runtime.options)
    seen = wait_for(later, spec, Seen.RUNNING)
    assert seen.trouble == Trouble.OUT_OF_MEMORY
    assert seen.reason == "One of its processes used up the memory, and the system ended that one."
    assert b"200 OK" in ask(seen.address)


def test_secrets_are_neither_in_what_the_engine_shows_nor_in_any_file(
    runtime: ContainerRuntime, engine: Engine, options: Options
) -> None:
    secret = f'it\'s a "secret"\n$(id) `id` \\ {secrets.token_hex(8)}'
    spec = spec_of(python("import os,time; print(repr(os.environ['TOKEN']), flush=True); time.sleep(60)"))
    runtime.start(spec, {"TOKEN": secret})
    while not printed(runtime, spec):
        wait_for(runtime, spec, Seen.RUNNING)
    assert printed(runtime, spec) == f"{secret!r}\n"
    mark = secret.rsplit(maxsplit=1)[-1]
    for name in (name_of(runtime, spec), f"{name_of(runtime, spec)}.companion"):
        assert mark not in json.dumps(engine.client.api.inspect_container(name))
        assert mark.encode() not in engine.client.api.logs(name)
    files = [path for path in options.run_directory.rglob("*") if path.is_file() and path.name != "log"]
    assert any(path.name == "spec.json" for path in files)
    assert not [path for path in files if mark.encode() in path.read_bytes()]
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark.encode() in _read(path)]


def test_secrets_are_taken_once(runtime: ContainerRuntime) -> None:
    code = (
        "import os,select\nend = os.open('/.datalab/secrets', os.O_RDONLY | os.O_NONBLOCK)\n"
        "print(select.select([end], [], [], 0.3)[0])"
    )
    _, text = outcome(runtime, spec_of(python(code)), {"TOKEN": "hush"})
    assert text == "[]\n"


def test_platforms_on_one_engine_see_only_their_own(runtime: ContainerRuntime, options: Options, state: Path) -> None:
    spec = spec_of(python("import time; time.sleep(60)"))
    runtime.start(spec, {})
    other = ContainerRuntime(Options(state / "other", options.engine, companion_image=options.companion_image))
    assert other.observe() == {}
    other.stop(spec.id, 0)
    other.forget(spec.id)
    assert wait_for(runtime, spec, Seen.RUNNING)


KERNEL = """
import ctypes, os, subprocess, threading
calls = ctypes.CDLL(None, use_errno=True)
thread = threading.Thread(target=print, args=("a thread",))
thread.start(); thread.join()
print(subprocess.run(["unshare", "-U", "true"], capture_output=True, text=True).stderr.strip())
keyctl = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
print(calls.syscall(keyctl, 0, -4, 1), os.strerror(ctypes.get_errno()))
"""


def test_a_session_makes_no_user_namespace_and_shares_no_keyring(runtime: ContainerRuntime) -> None:
    _, text = outcome(runtime, spec_of(python(KERNEL)))
    refused = "Operation not permitted"
    assert text == f"a thread\nunshare: unshare failed: {refused}\n-1 {refused}\n"


HOSTILE = f"""FROM {CONTRACT_IMAGE}
RUN mkdir -m 777 /vol && echo kept >/vol/content && chmod 666 /vol/content
VOLUME /vol
LABEL org.spacelab.platform=forged org.spacelab.workload=../forged org.spacelab.gpus=all
WORKDIR /nowhere
STOPSIGNAL SIGUSR1
"""
MISCHIEF = """
open("/vol/new", "w").write("x")
kinds = [line.split(" - ")[1].split()[0] for line in open("/proc/self/mountinfo") if line.split()[4] == "/vol"]
print(kinds, open("/etc/passwd").readline().split(":")[0])
open("/.datalab/report", "w").write("oom_kill \u00b2\\n")
raise SystemExit(3)
"""


def test_an_image_made_to_do_harm_fills_no_disk(runtime: ContainerRuntime, engine: Engine) -> None:
    seen, text = outcome(runtime, spec_of(python(MISCHIEF), image=made_image(engine, "hostile", HOSTILE)))
    assert (seen.exit_code, text) == (3, "['tmpfs'] ada\n")


@pytest.mark.parametrize("how", ["mkfifo /etc/passwd", "truncate -s 2M /etc/passwd", "ln -s /etc/x /etc/passwd"])
def test_an_image_whose_users_can_not_be_read_holds_nobody_up(
    runtime: ContainerRuntime, engine: Engine, how: str
) -> None:
    image = made_image(
        engine, "users", f"FROM {CONTRACT_IMAGE}\nRUN mkfifo /etc/x && rm /etc/passwd && {how}\nVOLUME /vol\n"
    )
    with pytest.raises(RuntimeFault, match="its /etc/passwd is no ordinary file") as caught:
        runtime.start(spec_of(python("pass"), image=image), {})
    assert not caught.value.retry


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
