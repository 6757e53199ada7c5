"""How containers come and go: interrupted starts, missing images, an engine that is away, ends told apart."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from runtime.container_bench import containers_of, end_all, name_of, options, runtime, spec_of
from runtime.contract import SERVER, ask, outcome, printed, python, wait_for
from runtime.test_process_life import Hello, make_wheel
from spacelab.volumes.rules import Mount
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Interface, Kind, Network, Resources, Seen, Trouble
from spacelab.workloads.runtimes.container import ContainerRuntime, Options
from spacelab.workloads.runtimes.shared.egress import EgressPolicy, egress_server
from support.engine import CONTRACT_IMAGE, Engine, running_engine

__all__ = ["options", "runtime"]
pytestmark = pytest.mark.container

STARTER = """
import os, signal, sys
from pathlib import Path
from spacelab.workloads.rules import Interface, Kind, WorkloadSpec
from spacelab.workloads.runtimes.container import ContainerRuntime, Options
run, engine, image, workload_id, step, *command = sys.argv[1:]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
runtime = ContainerRuntime(Options(Path(run), engine, companion_image=image))
owner, _, name = step.rpartition(".")
module = __import__(f"spacelab.workloads.runtimes.container.{owner}", fromlist=["x"])
setattr(module.Companions if name in ("create", "start", "hand_over") else module, name, die)
spec = WorkloadSpec(id=workload_id, owner="ada", kind=Kind.INTERACTIVE, command=tuple(command), interface=Interface(),
                    image=image)
runtime.start(spec, {"TOKEN": "first"})
die()
"""


@pytest.mark.parametrize(
    "step",
    [
        "companions.create",
        "companions.start",
        "specification.application",
        "companions.hand_over",
        "runtime.write_started",
    ],
)
def test_a_starter_killed_at_any_step_leaves_one_copy_or_none(
    runtime: ContainerRuntime, options: Options, engine: Engine, step: str
) -> None:
    spec = spec_of(SERVER, interface=Interface(), kind=Kind.INTERACTIVE)
    arguments = [str(options.run_directory), options.engine, CONTRACT_IMAGE, spec.id, step, *SERVER]
    variables = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "DJANGO_SETTINGS_MODULE": "spacelab.site.settings",
    }
    done = subprocess.run([sys.executable, "-c", STARTER, *arguments], env=variables, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    seen = runtime.observe().get(spec.id)
    assert seen is None or step == "runtime.write_started"
    runtime.start(spec, {"TOKEN": "second"})
    assert b"200 OK" in ask(wait_for(runtime, spec, Seen.RUNNING).address)
    assert len(containers_of(engine, options)) == 2


def test_an_image_that_is_not_there_is_named(runtime: ContainerRuntime, options: Options, engine: Engine) -> None:
    with pytest.raises(RuntimeFault, match="The image “localhost/none:1” is not on this machine") as caught:
        runtime.start(spec_of(python("pass"), image="localhost/none:1"), {})
    assert (caught.value.trouble, caught.value.retry) == (Trouble.IMAGE_MISSING, False)
    assert containers_of(engine, options) == []


def test_a_missing_image_of_the_platforms_own_is_named(options: Options, state: Path) -> None:
    lacking = ContainerRuntime(Options(options.run_directory, options.engine, companion_image="localhost/none:2"))
    with pytest.raises(RuntimeFault, match="The platform's own image “localhost/none:2” is not on this machine"):
        lacking.start(spec_of(python("pass")), {})
    assert lacking.observe() == {}


def made_image(engine: Engine, name: str, dockerfile: str) -> str:
    """Build a small image for one test, once per machine and content."""
    tag = f"localhost/spacelab-test/{name}:{hashlib.sha256(dockerfile.encode()).hexdigest()[:12]}"
    if engine.client.images.list(tag):
        return tag
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Dockerfile").write_text(dockerfile)
        command = engine.podman("build", "--quiet", "--network=none", "-t", tag, folder)
        subprocess.run(command, check=True, env=engine.variables, stdout=subprocess.DEVNULL)
    return tag


def test_an_image_without_a_shell_is_refused(runtime: ContainerRuntime, options: Options, engine: Engine) -> None:
    image = made_image(engine, "empty", 'FROM scratch\nCOPY Dockerfile /\nCMD ["/Dockerfile"]\n')
    with pytest.raises(RuntimeFault, match="This image has no shell at /bin/sh"):
        runtime.start(spec_of((), image=image), {})
    assert containers_of(engine, options) == []


def test_an_image_runs_what_it_was_made_for_in_its_own_way(runtime: ContainerRuntime, engine: Engine) -> None:
    image = made_image(
        engine,
        "own-command",
        f"FROM {CONTRACT_IMAGE}\nRUN rm -f /usr/bin/tini && mkdir -p /work /media/home\n"
        "ENV COLOUR=red PATH=/opt/own:/usr/bin:/bin\n"
        "WORKDIR /work\nLABEL org.spacelab.root=writable\n"
        'ENTRYPOINT ["/sbin/tini", "-v", "--"]\n'
        """CMD ["python3", "-c", "import os,signal; open(os.environ['HOME'] + '/x', 'w'); """
        """print(os.getcwd(), os.environ['COLOUR'], os.environ['PATH']); """
        """print(signal.getsignal(2) is signal.default_int_handler); raise SystemExit(5)"]\n""",
    )
    seen, text = outcome(runtime, spec_of((), image=image))
    assert text == "/work red /opt/own:/usr/bin:/bin\nTrue\n"
    assert seen.exit_code == 5
    code = "import signal,time\nsignal.signal(15, lambda *_: exit(0)); print('it listens')\ntime.sleep(60)"
    asleep = spec_of(python(code), image=image)
    runtime.start(asleep, {})
    while "it listens" not in printed(runtime, asleep):
        wait_for(runtime, asleep, Seen.RUNNING)
    runtime.stop(asleep.id, 10)
    assert wait_for(runtime, asleep, Seen.EXITED).exit_code == 0


@pytest.mark.parametrize("bad", [{"environment": "lab", "image": ""}, {"image": ""}])
def test_what_names_no_image_is_refused(runtime: ContainerRuntime, bad: dict[str, str]) -> None:
    with pytest.raises(RuntimeFault, match="image"):
        runtime.start(spec_of(python("pass"), **bad), {})
    assert runtime.observe() == {}


def test_gpus_that_are_not_there_are_refused(runtime: ContainerRuntime) -> None:
    with pytest.raises(RuntimeFault, match="It asks for 1 GPUs, and this platform has 0"):
        runtime.start(spec_of(python("pass"), resources=Resources(gpu=1)), {})


def test_a_container_removed_from_outside_is_told(runtime: ContainerRuntime, engine: Engine) -> None:
    spec = spec_of(python("import time; time.sleep(60)"))
    runtime.start(spec, {})
    engine.client.api.remove_container(name_of(runtime, spec), force=True)
    assert wait_for(runtime, spec, Seen.EXITED).reason == "Its container was removed from outside the platform."
    runtime.start(spec, {})
    assert runtime.observe()[spec.id].seen is Seen.EXITED


def test_a_session_whose_companion_is_gone_is_ended_and_says_so(runtime: ContainerRuntime, engine: Engine) -> None:
    spec = spec_of(SERVER, interface=Interface(), kind=Kind.INTERACTIVE)
    runtime.start(spec, {})
    wait_for(runtime, spec, Seen.RUNNING)
    engine.client.api.kill(f"{name_of(runtime, spec)}.companion")
    seen = wait_for(runtime, spec, Seen.EXITED)
    assert seen.reason == "The platform's part of it ended, so it could not be reached any more."


def test_a_container_without_its_folder_can_be_ended(
    runtime: ContainerRuntime, options: Options, engine: Engine
) -> None:
    spec = spec_of(python("import time; time.sleep(60)"))
    runtime.start(spec, {})
    shutil.rmtree(options.run_directory / spec.id)
    later = ContainerRuntime(options)
    assert later.observe()[spec.id].seen is Seen.RUNNING
    later.stop(spec.id, 1)
    deadline = time.monotonic() + 60
    while later.observe()[spec.id].seen is not Seen.EXITED:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    later.forget(spec.id)
    assert later.observe() == {}
    assert containers_of(engine, options) == []


@pytest.fixture
def mortal(engine: Engine) -> Iterator[Engine]:
    """Run another service over the same images, which a test may end."""
    with running_engine(engine.cache) as made:
        yield made


def test_an_engine_that_is_away_loses_no_session(mortal: Engine, options: Options, engine: Engine) -> None:
    mine = ContainerRuntime(Options(options.run_directory, mortal.url, companion_image=CONTRACT_IMAGE))
    spec = spec_of(SERVER, interface=Interface(), kind=Kind.INTERACTIVE)
    mine.start(spec, {})
    address = wait_for(mine, spec, Seen.RUNNING).address
    assert mortal.service
    mortal.service.terminate()
    mortal.service.wait()
    time.sleep(2.1)  # until the next list is due
    seen = mine.observe()[spec.id]
    assert (seen.seen, seen.address, seen.trouble) == (Seen.RUNNING, address, Trouble.RUNTIME_AWAY)
    assert seen.reason == "The container engine does not answer; this is what was seen last."
    assert b"200 OK" in ask(address)
    with pytest.raises(RuntimeFault, match="does not answer") as caught:
        mine.start(spec_of(python("pass")), {})
    assert (caught.value.retry, caught.value.trouble) == (True, Trouble.RUNTIME_AWAY)
    with pytest.raises(RuntimeFault, match="does not answer"):
        ContainerRuntime(mine.options).observe()
    assert "does not answer" in ContainerRuntime(mine.options).capabilities().warnings[0]
    back = ContainerRuntime(options)
    assert wait_for(back, spec, Seen.RUNNING).address == address
    end_all(back)


@pytest.fixture
async def way_out(options: Options) -> AsyncIterator[int]:
    policy = EgressPolicy.of(["127.0.0.0/8", "::1/128"], ["127.0.0.3"])
    server = ThreadingHTTPServer(("127.0.0.3", 0), Hello)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    async with egress_server(options.egress_socket, policy):
        yield server.server_address[1]
    server.shutdown()
    server.server_close()


async def test_outbound_requests_go_through_the_policy(runtime: ContainerRuntime, way_out: int) -> None:
    code = f"""
import urllib.request, urllib.error
for host in ("127.0.0.3", "127.0.0.2", "169.254.169.254"):
    try: print(urllib.request.urlopen(f"http://{{host}}:{way_out}/stars?a=1", timeout=30).read().decode())
    except urllib.error.HTTPError as e: print(e.code, e.read().decode().strip())
    except OSError as e: print(e)
"""
    for network in (Network.OUTBOUND, Network.NONE):
        spec = spec_of(python(code), network=network)
        _, text = await asyncio.to_thread(outcome, runtime, spec)
        lines = text.splitlines()
        if network is Network.NONE:
            assert not any("stars" in line for line in lines)
            continue
        assert lines[0] == "/stars?a=1 None"
        assert lines[1].startswith("403 “127.0.0.2” lies in a network that sessions may not reach.")
        assert "169.254.169.254" not in lines[2] or "504" in lines[2] or "403" in lines[2]


LAB = f"""FROM {CONTRACT_IMAGE}
RUN rm -rf /home/user
RUN python3 -m venv --without-pip /opt/environments/base && cd /opt/environments/base/lib/python3*/site-packages && \\
    python3 -m zipfile -e /usr/share/python-wheels/pip-*.whl . && \\
    echo "VERSION = '1.0'" >tinystar.py && echo "NAME = 'base'" >onlybase.py
ENV SPACELAB_ENVIRONMENT=/opt/environments/base PATH=/opt/environments/base/bin:/usr/bin:/bin
"""


def test_packages_a_person_installs_shadow_the_image_and_are_kept(
    runtime: ContainerRuntime, engine: Engine, tmp_path: Path
) -> None:
    image = made_image(engine, "lab", LAB)
    home, wheels = tmp_path / "home", tmp_path / "wheels"
    for folder in (home, wheels):
        folder.mkdir()
    make_wheel(wheels, "tinystar", "2.0")
    mounts = (Mount(str(home), "/media/home", read_only=False), Mount(str(wheels), "/data/wheels"))
    show = "python -c 'import tinystar, onlybase; print(tinystar.VERSION, onlybase.NAME)'"
    install = "pip install -q --no-index --disable-pip-version-check /data/user/wheels/tinystar-2.0-py3-none-any.whl"
    command = ("sh", "-c", f"{show}; {install} && {show}")
    before, text = outcome(runtime, spec_of(command, image=image, mounts=mounts))
    assert (before.exit_code, text) == (0, "1.0 base\n2.0 base\n")
    _, later = outcome(runtime, spec_of(("sh", "-c", f"cd ~ && {show}; ls /home; pwd"), image=image, mounts=mounts))
    assert later == "2.0 base\nada\n/home/ada\n"
    other = {"DATALAB_NAME": "another"}
    _, text = outcome(runtime, spec_of(("sh", "-c", show), image=image, mounts=mounts, variables=other))
    assert text == "1.0 base\n"
