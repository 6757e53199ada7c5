"""Images are built as workloads: shut in, followed, cached, cancelled, and found again after a crash."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from datalab_package import Answers, make_plan, write_context
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Network, Resources, Seen, Trouble
from spacelab.workloads.runtimes.container import ContainerRuntime, building_engine, building_network, building_proof
from spacelab.workloads.runtimes.container.engine import Engine as Client
from support.engine import Engine
from support.image_builds import RESOURCES, Bench, processes_in, wait_until_empty

pytestmark = pytest.mark.container
CGROUPS = Path("/sys/fs/cgroup")


@pytest.fixture(scope="module")
def shared(engine: Engine) -> Iterator[Bench]:
    """One runtime for all tests here, so that its engine is put to the proof once."""
    folder = Path(tempfile.mkdtemp(prefix="spl-"))
    yield Bench.on(engine, folder)
    shutil.rmtree(folder)


@pytest.fixture
def bench(shared: Bench) -> Iterator[Bench]:
    yield shared
    shared.clear()
    label = f"org.spacelab.platform={shared.options.platform}"
    assert not shared.engine.client.api.containers(all=True, filters={"label": [label]})
    left = {f"spacelab-{spec.id}" for spec in shared.ordered}
    assert not [place for place, groups, _ in os.walk(CGROUPS) if left & set(groups)]  # others' groups come and go
    shared.ordered.clear()


def builder_pid(bench: Bench, workload_id: str) -> int:
    return int(json.loads((bench.options.run_directory / workload_id / "built.json").read_text())["pid"])


def test_an_image_is_built_and_its_steps_are_shown(bench: Bench) -> None:
    spec = bench.spec(
        bench.context("COPY greeting /greeting", f"RUN sleep 100000 || echo {time.time()}", greeting="hello")
    )
    bench.runtime.start(spec, {})
    bench.runtime.start(spec, {})  # a second call changes nothing
    bench.until(spec, lambda seen: seen.seen is Seen.RUNNING and len(bench.runtime.build_steps(spec.id)) == 3)
    at_work = bench.runtime.build_steps(spec.id)[-1]
    assert (at_work.number, at_work.total, at_work.ended_at) == (3, 4, None)
    assert at_work.instruction.startswith("RUN sleep 100000")
    ended = ContainerRuntime(bench.options).observe()[spec.id]  # whoever comes later finds it again
    assert ended.seen is Seen.RUNNING
    bench.wake(spec)
    ended = bench.end(spec)
    assert (ended.exit_code, ended.trouble) == (0, ""), bench.log(spec)
    assert spec.build is not None
    image = bench.engine.client.images.get(spec.build.tag)
    assert ended.result == image.id
    assert image.labels["made.by"] == "a test"
    assert all(step.ended_at is not None for step in bench.runtime.build_steps(spec.id))
    assert "STEP 2/4: COPY greeting /greeting" in bench.log(spec)


def test_what_did_not_change_comes_from_the_cache(bench: Bench) -> None:
    lines = ("COPY first /first", f"RUN echo {time.time()} >/made", "COPY second /second")
    folder = bench.context(*lines, first="1", second="2")
    bench.runtime.start(before := bench.spec(folder), {})
    assert bench.end(before).exit_code == 0
    (folder / "first").write_text("1")
    os.utime(folder / "first", (1, 1))
    (folder / "second").write_text("changed")
    bench.runtime.start(after := bench.spec(folder), {})
    assert bench.end(after).exit_code == 0
    assert [step.cached for step in bench.runtime.build_steps(after.id)] == [False, True, True, False, False]


def test_a_step_that_fails_is_named(bench: Bench) -> None:
    spec = bench.start("RUN echo fine", "RUN echo oh no; exit 7", "RUN echo never")
    ended = bench.end(spec)
    assert ended.exit_code == 1
    assert ended.reason.startswith("Step 3 of 5 failed: its command ended with exit code 7. RUN echo oh no")
    assert "\noh no\n" in bench.log(spec)
    assert "never\n" not in bench.log(spec).replace("RUN echo never", "")
    last = bench.runtime.build_steps(spec.id)[-1]
    assert (last.number, last.ended_at) == (3, None)


def test_what_can_not_be_built_says_why(bench: Bench) -> None:
    reasons = {
        "FROM localhost/not/there:1": r"“localhost/not/there:1” to build on is not on this",
        "ADD http://127.0.0.1/x /x": "Line 2: ADD may not fetch",
        "RUN --mount=type=bind,source=/,target=/x id": "Line 2: RUN --mount would change",
        "COPY absent /x": "Step 2 of 3 failed: .*absent",
    }
    started = {line: bench.start(line) for line in reasons}
    ended = {line: bench.end(spec) for line, spec in started.items()}
    for line, seen in ended.items():
        assert seen.exit_code == 1
        assert re.search(reasons[line], seen.reason), seen.reason
        assert (seen.trouble == Trouble.IMAGE_MISSING) == line.startswith("FROM")


def test_the_outside_is_reached_by_the_proxy_alone_and_it_does_not_stay_in_the_image(bench: Bench) -> None:
    spec = bench.start("RUN env | sort; id -u", network=Network.OUTBOUND)
    assert bench.end(spec).exit_code == 0
    printed = bench.log(spec)
    assert "\nhttps_proxy=http://127.0.0.1:3128\n" in printed
    assert "SPACELAB" not in printed
    assert spec.build is not None
    image = bench.engine.client.api.inspect_image(spec.build.tag)  # type: ignore[no-untyped-call]
    assert "127.0.0.1:3128" not in json.dumps(image)


def test_a_build_can_be_cancelled_and_nothing_stays(bench: Bench) -> None:
    nohup = "(trap '' TERM INT HUP; setsid sh -c 'trap \"\" TERM; while :; do sleep 1000; done' &)"
    spec = bench.start(f"RUN echo {time.time()}", f"RUN {nohup}; trap '' TERM; echo here; sleep 100000")
    changes = bench.changes_at_work(spec)
    network = bench.network(spec)
    assert len(processes_in(network)) >= 3
    assert bench.layers(spec)
    bench.runtime.stop(spec.id, 10)
    ended = bench.end(spec)
    assert (ended.exit_code, ended.reason) == (143, "It was stopped.")
    wait_until_empty(network)
    assert not changes.exists()
    assert not bench.layers(spec)


def test_a_build_stops_at_its_time_limit(bench: Bench) -> None:
    spec = bench.start("RUN sleep 100000", deadline_seconds=3)
    assert "time limit of 3 s" in bench.end(spec).reason


def test_a_builder_that_is_killed_is_cleaned_up_after_and_may_start_again(bench: Bench) -> None:
    spec = bench.spec(bench.context(f"RUN echo {time.time()}", "RUN echo here; sleep ${SECONDS_TO_SLEEP:-100000}"))
    bench.runtime.start(spec, {})
    changes = bench.changes_at_work(spec)
    network = bench.network(spec)
    os.kill(builder_pid(bench, spec.id), signal.SIGKILL)
    later = ContainerRuntime(bench.options)  # the controller was killed as well
    deadline = time.monotonic() + 60
    while later.observe()[spec.id].seen is not Seen.EXITED and time.monotonic() < deadline:
        time.sleep(0.05)
    ended = later.observe()[spec.id]
    assert (ended.seen, ended.exit_code) == (Seen.EXITED, 137)
    assert "ended by force" in ended.reason
    wait_until_empty(network)
    assert not changes.exists()
    later.forget(spec.id)
    assert spec.id not in later.observe()
    assert spec.build is not None
    folder = Path(spec.build.context)
    text = (folder / "Dockerfile").read_text().replace("sleep ${SECONDS_TO_SLEEP:-100000}", "true")
    (folder / "Dockerfile").write_text(text)
    later.start(spec, {})
    assert bench.end(spec).exit_code == 0
    assert [step.cached for step in later.build_steps(spec.id)][1]


def test_an_engine_that_is_killed_leaves_nothing_at_work(bench: Bench) -> None:
    """A second service over the same images is killed; what its build left is ended through the first."""
    socket = bench.state / "second.sock"
    command = bench.engine.podman("system", "service", "--time=0", f"unix://{socket}")
    service = subprocess.Popen(command, env=bench.engine.variables, stdin=subprocess.DEVNULL, start_new_session=True)
    while not socket.exists():
        time.sleep(0.02)
    runtime = ContainerRuntime(replace(bench.options, engine=f"unix://{socket}"))
    spec = bench.spec(bench.context("RUN echo here; sleep 100000"))
    runtime.start(spec, {})
    changes = bench.changes_at_work(spec)
    network = bench.network(spec)
    service.kill()
    service.wait()
    ended = bench.end(spec)
    assert ended.trouble == Trouble.RUNTIME_AWAY
    assert "engine broke off" in ended.reason
    assert len(processes_in(network)) <= 1  # the companion, until it is forgotten
    assert bench.end(bench.start("RUN true")).exit_code == 0  # it also removes what could not be removed then
    assert not changes.exists()


def test_without_the_engine_the_start_is_tried_again(bench: Bench) -> None:
    elsewhere = replace(bench.options, engine="unix:///nowhere/engine.sock", run_directory=bench.state / "elsewhere")
    with pytest.raises(RuntimeFault) as raised:
        ContainerRuntime(elsewhere).start(bench.spec(bench.context("RUN true")), {})
    assert raised.value.retry


def test_an_engine_that_does_not_shut_builds_in_gets_none(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = bench.start("RUN sleep 100000")
    bench.until(spec, lambda _seen: len(bench.runtime.build_steps(spec.id)) == 2)
    orders = json.loads((bench.options.run_directory / spec.id / "build.json").read_text())
    network = building_network.Network.of(int(orders["pid"]))
    assert network is not None
    honest = building_engine.query

    def forgetful(*arguments: object, **named: object) -> dict[str, str]:
        found = honest(*arguments, **named)  # type: ignore[arg-type]
        return {name: value for name, value in found.items() if name not in {"nsoptions", "networkmode"}}

    monkeypatch.setattr(building_engine, "query", forgetful)
    client = Client(bench.engine.url, bench.options.run_directory)
    orders["proofs"] = str(bench.state / "other-proofs")
    with pytest.raises(RuntimeFault, match="does not shut builds in"):
        building_proof.prove(client, spec, network, building_network.Group("spacelab-none", None), orders)
    os.close(network.descriptor)


def test_what_fills_its_memory_is_ended_and_told(bench: Bench) -> None:
    hog = "perl -e '@a = map { \"x\" x 1000000 } 1 .. 2000'"
    small = Resources(cpu=1, memory_mb=100, scratch_mb=64, processes=32)
    started = [bench.start(line, resources=small) for line in (f"RUN {hog}", f"RUN {hog} || (sleep 1; exit 3)")]
    for spec in started:
        ended = bench.end(spec)
        assert ended.trouble == Trouble.OUT_OF_MEMORY, ended
        assert "100 MiB" in ended.reason


def test_what_fills_its_disk_is_ended_and_told(bench: Bench) -> None:
    filling = bench.start("RUN dd if=/dev/zero of=/big bs=1M count=20000", "RUN sleep 100000")
    assert "more than the 256 MiB of disk" in bench.end(filling).reason
    reserve = replace(bench.options, disk_reserve_mb=2**40)
    short = bench.spec(bench.context("RUN sleep 100000"))
    ContainerRuntime(reserve).start(short, {})
    assert "disk is nearly full" in bench.end(short).reason


def test_a_fork_bomb_hurts_only_itself(bench: Bench) -> None:
    spec = bench.start("RUN perl -e 'fork while 1'", resources=replace(RESOURCES, cpu=0.5))
    seen = bench.until(spec, lambda seen: seen.usage.processes > RESOURCES.processes // 2)
    assert seen.usage.processes <= RESOURCES.processes + 4
    network = bench.network(spec)
    bench.runtime.stop(spec.id, 10)
    assert bench.end(spec).exit_code == 143
    wait_until_empty(network)


def test_a_talkative_build_fills_no_disk(bench: Bench) -> None:
    spec = bench.start("RUN head -c 200000000 /dev/zero | tr '\\0' 'x' | fold -w 1000; echo; echo the end")
    assert bench.end(spec).exit_code == 0
    assert bench.log(spec).count("\nthe end\n") == 1
    log = bench.options.run_directory / spec.id / "io" / "log"
    assert log.stat().st_blocks * 512 < 10 * 2**20


SCAN = """
import os, socket
print("interfaces", sorted(os.listdir("/sys/class/net")))
print("routes", open("/proc/net/route").read().count(chr(10)) - 1)
found = []
for port in range(1, 65536):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        answered = probe.connect_ex(("127.0.0.1", port)) == 0
        if answered and probe.getsockname() != probe.getpeername():  # a socket may meet itself
            found.append(port)
print("ports", found)
for address in ("10.88.0.1", "169.254.169.254", "192.168.0.1", "1.1.1.1"):
    try:
        socket.create_connection((address, 80), 1)
        print("reached", address)
    except OSError:
        pass
names = [line.split()[7] for line in open("/proc/net/unix").read().splitlines()[1:] if len(line.split()) > 7]
print("sockets", [name for name in names if name.startswith("@")])
"""


def test_a_build_finds_nothing_but_the_proxy_and_has_no_rights(bench: Bench) -> None:
    folder = bench.context(
        "COPY scan.py /scan.py",
        "RUN python3 /scan.py",
        "RUN exec 2>&1; mount -t tmpfs none /mnt || echo no mount; mknod /tmp/disk b 8 0 || echo no device",
        "RUN grep CapBnd /proc/self/status; ls /dev; cat /proc/1/cmdline | tr '\\0' ' '",
        "RUN exec 2>&1; echo b >/proc/sysrq-trigger || echo no sysrq",
        "RUN exec 2>&1; echo 1 >/proc/sys/kernel/panic || echo no sysctl",
        **{"scan.py": SCAN},
    )
    bench.runtime.start(spec := bench.spec(folder, network=Network.OUTBOUND), {})
    ended = bench.end(spec)
    printed = bench.log(spec)
    assert ended.exit_code == 0, printed
    assert "interfaces ['lo']\nroutes 0\nports [3128]\nsockets []\n" in printed
    for refusal in ("no mount", "no device", "no sysrq", "no sysctl"):
        assert f"\n{refusal}\n" in printed
    rights = int(re.search(r"CapBnd:\s+([0-9a-f]+)", printed)[1], 16)  # type: ignore[index]
    assert not rights & sum(1 << number for number in (8, 10, 12, 13, 16, 17, 18, 19, 21, 23, 27, 29))


def test_links_in_the_package_lead_nowhere_on_the_host(bench: Bench) -> None:
    secret = bench.state / "secret"
    secret.write_text("a secret of the host")
    folder = bench.context("COPY all /all", "RUN cat /all/secret* /all/top/etc/hostname-of-host || echo nothing")
    (folder / "all").mkdir()
    (folder / "all" / "top").symlink_to("/")
    (folder / "all" / "secret").symlink_to(secret)
    bench.runtime.start(spec := bench.spec(folder), {})
    ended = bench.end(spec)
    assert "a secret of the host" not in bench.log(spec)
    assert ended.exit_code == 0, bench.log(spec)
    for name, line in {"top": f"COPY top{secret} /x", "secret": "COPY secret /x", "Dockerfile": "RUN true"}.items():
        other = bench.context(line)
        (other / name).unlink(missing_ok=True)
        (other / name).symlink_to("/" if name == "top" else secret)
        bench.runtime.start(bench.spec(other), {})
    for spec in bench.ordered[1:]:
        assert bench.end(spec).exit_code == 1
        assert "a secret of the host" not in bench.log(spec)


def test_a_derived_package_is_built_upon_the_image_that_its_argument_names(bench: Bench, tmp_path: Path) -> None:
    package, context = tmp_path / "package", tmp_path / "context"
    package.mkdir()
    (package / "spacelab.yml").write_text("kind: web\nbase: {datalab: spectra, version: 1.0}\n")
    (package / "datalab-meta.yml").write_text("title: Mine\nalternateName: mine\nabstract: Of spectra.\n")
    (package / "note.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    plan = make_plan(package, answers=Answers(layered=True))
    made = ("RUN mkdir -p /opt/datalab && echo old > /opt/datalab/kept.txt", 'CMD ["/start"]')
    origin = bench.spec(bench.context(*made))
    bench.runtime.start(origin, {})
    assert bench.end(origin).exit_code == 0, bench.log(origin)
    assert origin.build is not None
    for round_ in ("first", "again, upon what was derived before"):
        write_context(package, plan, context / round_[:5])
        spec = bench.spec(context / round_[:5])
        assert spec.build is not None
        build = replace(spec.build, arguments={"DERIVED_FROM": origin.build.tag})
        spec = replace(spec, build=build)
        bench.runtime.start(spec, {})
        assert bench.end(spec).exit_code == 0, (round_, bench.log(spec))
        image = bench.engine.client.images.get(build.tag)
        assert image.attrs["Config"]["Cmd"] == ["/start"], "it starts as its origin does"
        said = bench.engine.run(build.tag, ["/bin/cat", "/opt/datalab/kept.txt", "/media/notebooks/note.ipynb"])
        assert said.startswith("old\n")
        assert "nbformat" in said
        origin = spec
