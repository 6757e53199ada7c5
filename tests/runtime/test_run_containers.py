"""Pipeline runs beside a container engine: the coordinator in a sandbox, steps as containers that a broker starts."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.contract import look, printed, wait_for
from runtime.run_contract import Prepared, RunContract, events, until
from spacelab.volumes.rules import Mount
from spacelab.workloads.rules import Resources, Seen, WorkloadSpec
from spacelab.workloads.runtimes.container import ContainerRuntime, Options
from spacelab.workloads.runtimes.process.host import groups
from spacelab.workloads.runtimes.shared import brokers
from support.base_images import contract_image
from support.engine import CONTRACT_IMAGE, Engine

pytestmark = pytest.mark.container

CLIENT = """
import json, os, socket, time
def connect():
    for _ in range(1000):
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect("/run/spacelab-broker/broker.sock")
            return connection
        except OSError: time.sleep(0.01)
def send(order, stdin="/dev/null", out="/run/spacelab-run/out", err="/run/spacelab-run/err"):
    data = order if isinstance(order, bytes) else json.dumps(order).encode()
    new = os.O_CREAT | os.O_TRUNC | os.O_WRONLY
    streams = [os.open(stdin, os.O_RDONLY), os.open(out, new), os.open(err, new)]
    connection = connect()
    socket.send_fds(connection, [len(data).to_bytes(4, "big")], streams)
    connection.sendall(data)
    return connection
def ask(order, **more):
    return json.loads(send(order, **more).makefile().readline())
def order(*argv, **more):
    return {"job": "a", "place": 0, "image": "python:3", "argv": list(argv), "environment": {"MARK": "x"},
            "folder": "/job", "cores": 1, "memory_mb": 128} | more
"""


MIXED = """
cwlVersion: v1.2
class: Workflow
inputs: {stars: File, note: File}
outputs: {out: {type: File, outputSource: copy/out}}
steps:
  shout:
    in: {stars: stars, note: note}
    out: [out]
    run:
      class: CommandLineTool
      requirements: {DockerRequirement: {dockerPull: "python:3"}}
      inputs:
        stars: {type: File, inputBinding: {position: 1}}
        note: {type: File, inputBinding: {position: 2}}
      outputs: {out: {type: File, outputBinding: {glob: "*.txt"}}}
      baseCommand: [python3, -c]
      arguments:
        - position: 0
          valueFrom: |
            import os, sys
            where = "sandbox" if any(one.startswith("job-starter") for one in os.listdir("/")) else "container"
            said = open(sys.argv[1]).read().upper() + open(sys.argv[2]).read()
            open("loud.txt", "w").write(where + ": " + said)
  copy:
    in: {loud: shout/out}
    out: [out]
    run:
      class: CommandLineTool
      inputs: {loud: File}
      outputs: {out: {type: stdout}}
      stdin: $(inputs.loud.path)
      stdout: here.txt
      baseCommand: cat
  fails:
    in: {loud: shout/out}
    out: []
    run:
      class: CommandLineTool
      requirements: {DockerRequirement: {dockerPull: "python:3"}}
      successCodes: [7]
      inputs: {loud: File}
      outputs: []
      baseCommand: [sh, -c, "exit 7"]
"""

MIXED_ORDER = {
    "stars": {"class": "File", "location": "/data/stars/vega.txt"},
    "note": {"class": "File", "contents": "Blue.\n"},  # given by its contents: no folder of hers has it
}


class TestRuns(RunContract):
    """The contract of runs, and what only containers have."""

    grouped = groups().usable

    @pytest.fixture
    def again(self, state: Path, engine: Engine) -> Iterator[Callable[[], ContainerRuntime]]:
        image = contract_image(engine)
        options = Options(state / "run", engine.url, companion_image=image, environments=state / "env")
        yield lambda: ContainerRuntime(options)
        left = engine.client.api.containers(all=True, filters={"label": [f"org.spacelab.platform={options.platform}"]})
        for container in left:
            engine.client.api.remove_container(container["Id"], force=True, v=True)
        assert not left
        assert not list((state / "run" / ".brokers").glob("*"))

    @pytest.fixture
    def brokered(self, make: Prepared, tmp_path: Path) -> Callable[[str], WorkloadSpec]:
        """Prepare a run that may use one image, with an archive and a workspace, whose coordinator is a script."""
        for name in ("archive", "mine"):
            (tmp_path / name).mkdir()
        (tmp_path / "archive" / "star").write_text("Vega\n")

        def spec(script: str, **changes: object) -> WorkloadSpec:
            mounts = (
                Mount(str(tmp_path / "archive"), "/data/stars"),
                Mount(str(tmp_path / "mine"), "/media/user", read_only=False),
            )
            made = make(CLIENT + script, mounts=mounts, **changes)
            assert made.run
            return replace(made, run=replace(made.run, images={"python:3": CONTRACT_IMAGE}))

        return spec

    def test_a_workflow_runs_partly_in_containers(
        self, runtime: ContainerRuntime, workflow: Prepared, tmp_path: Path
    ) -> None:
        spec = workflow(MIXED, MIXED_ORDER)
        assert spec.run
        spec = replace(spec, run=replace(spec.run, images={"python:3": CONTRACT_IMAGE}))
        options = Path(spec.run.folder, "options.json") if spec.run else Path()
        options.write_text(json.dumps(json.loads(options.read_text()) | {"images": ["python:3"]}))
        seen, text = self.outcome(runtime, spec)
        told = events(spec)
        assert seen.exit_code == 0, (text, told)
        assert (tmp_path / "mine" / "results" / "r" / "here.txt").read_text() == "container: VEGA\nVEGA\nVEGA\nBlue.\n"
        ended = {one["job"]: one for one in told if one["event"] == "job-ended"}
        assert {name: one["state"] for name, one in ended.items()} == {
            "shout": "succeeded",
            "copy": "succeeded",
            "fails": "succeeded",
        }, told
        assert ended["fails"]["exit_code"] == 7

    def test_an_image_that_is_not_allowed_is_a_problem_of_its_step(
        self, runtime: ContainerRuntime, workflow: Prepared
    ) -> None:
        spec = workflow(MIXED, MIXED_ORDER)
        seen, _ = self.outcome(runtime, spec)
        assert seen.exit_code == 33
        assert any("python:3 needs a container runtime" in str(one.get("reason")) for one in events(spec))

    @pytest.mark.usefixtures("stand_in")
    def test_a_step_runs_in_a_container_of_its_image(
        self, runtime: ContainerRuntime, brokered: Callable[[str], WorkloadSpec]
    ) -> None:
        code = (
            "import os,sys; print(sys.stdin.read(), os.environ['MARK'], os.getcwd(), os.getuid() != 0); "
            "print('oops', file=sys.stderr); open('made', 'w').write('x'); sys.exit(3)"
        )
        spec = brokered(
            f"os.makedirs('/var/spool/spacelab-run/0/out')\n"
            f"print(ask(order('python3', '-c', {code!r}, folder='/job/out'), stdin='/data/stars/star'))\n"
            "print(open('/run/spacelab-run/out').read(), open('/run/spacelab-run/err').read())\n"
            "place = '/var/spool/spacelab-run/0/out'\n"
            "print(os.listdir(place), os.stat(place + '/made').st_uid == os.getuid())"
        )
        seen, text = self.outcome(runtime, spec)
        lines = text.splitlines()
        assert seen.exit_code == 0, text
        assert eval(lines[0])["exit_code"] == 3, text  # noqa: S307  our own words
        assert lines[1:] == ["Vega", " x /job/out True", " oops", "", "['made'] True"]

    @pytest.mark.usefixtures("stand_in")
    def test_a_container_sees_the_runs_volumes_read_only_and_has_no_rights(
        self, runtime: ContainerRuntime, brokered: Callable[[str], WorkloadSpec]
    ) -> None:
        code = (
            "import os,socket\n"
            "for path in ('/data/stars', '/media/user', '/var/cache/spacelab-run', '', '/etc', '/usr',\n"
            " '/run/spacelab-run/bundle'):\n"
            " try: open(path + '/x', 'w'); print('wrote', path)\n except OSError: pass\n"
            "print(open('/data/stars/star').read().strip(), open('/tmp/x', 'w') and 'tmp')\n"
            "print([l.split()[1] for l in open('/proc/self/status') if l.startswith(('CapEff', 'CapBnd', 'NoNew'))])\n"
            "print(os.path.exists('/run/spacelab-broker'), os.listdir('/sys/class/net'))\n"
        )
        spec = brokered(
            f"print(ask(order('python3', '-c', {code!r}))['exit_code'])\n"
            "print(open('/run/spacelab-run/out').read(), open('/run/spacelab-run/err').read())"
        )
        _, text = self.outcome(runtime, spec)
        assert text.split("\n")[:4] == [
            "0",
            "Vega tmp",
            "['0000000000000000', '0000000000000000', '1']",
            "False ['lo']",
        ], text

    @pytest.mark.usefixtures("stand_in")
    def test_an_attackers_orders_are_refused(
        self, runtime: ContainerRuntime, brokered: Callable[[str], WorkloadSpec], tmp_path: Path
    ) -> None:
        (tmp_path / "secret").write_text("hush")
        spec = brokered(
            "tried = [order('true', image='localhost/debian:bookworm'), order('true', image='../x'),\n"
            " order('true', place=99), order('true', place=-1), order('true', folder='/etc'),\n"
            " order('true', folder='/job/../etc'), order(),\n"
            " order('true', job='../../x\\n'), order('true', network=True), order('a\\0b'), b'[]',\n"
            " b'{', b'[' * 100000, order('true', argv=7), order('true', environment=[1]),\n"
            " order('true', memory_mb='inf')]\n"
            "for one in tried: print(ask(one)['trouble'])\n"
            "for path in ('/proc/self/oom_score_adj', '/scratch/out'): print(ask(order('true'), out=path)['trouble'])\n"
            # what would be mounted can't be replaced, nor what leads to it
            "for path in ('/var/spool/spacelab-run', '/var/spool/spacelab-run/0'):\n"
            " try: os.rename(path, path + '-moved'); print('moved', path)\n except OSError: pass\n"
            # other fields are none of its business
            "more = {'privileged': True, 'mounts': ['/:/host'], 'user': '0:0', 'binds': [['/', '/host']]}\n"
            f"print(ask(order('cat', {str(tmp_path / 'secret')!r}, **more))['exit_code'])\n"
            "code = ask(order('sh', '-c', 'id -u; ls /host', **more))['exit_code']\n"
            "print(code, open('/run/spacelab-run/out').read())"
        )
        seen, text = self.outcome(runtime, spec)
        lines = text.splitlines()
        assert seen.exit_code == 0, text
        assert lines[:2] == [
            "The image localhost/debian:bookworm is none of those that this run may use.",
            "The image ../x is none of those that this run may use.",
        ]
        assert lines[2:10] == [
            *["The order names a place that this run does not have."] * 2,
            *["The order names a folder outside of its place."] * 2,
            *["The order names no job, or no command."] * 2,
            "This run has no network.",
            "The order holds a character that no command can.",
        ], text
        assert lines[10:16] == ["The order can't be read."] * 6, text
        assert lines[16:18] == ["The order's streams are no files of this run."] * 2, text
        assert lines[18] == "1"
        assert lines[19].startswith("2 ")
        assert lines[19] != "2 0"

    @pytest.mark.usefixtures("stand_in")
    def test_a_link_to_the_host_as_an_output_leads_nowhere(
        self, runtime: ContainerRuntime, brokered: Callable[[str], WorkloadSpec], tmp_path: Path
    ) -> None:
        (tmp_path / "secret").write_text("hush")
        spec = brokered(
            f"ask(order('ln', '-s', {str(tmp_path / 'secret')!r}, '/job/made'))\n"
            "try: print(open('/var/spool/spacelab-run/0/made').read())\nexcept OSError as error: print(error.strerror)"
        )
        assert self.outcome(runtime, spec)[1] == "No such file or directory\n"

    @pytest.mark.usefixtures("stand_in")
    def test_limits_of_the_run_bind_its_steps(
        self, runtime: ContainerRuntime, brokered: Callable[..., WorkloadSpec], engine: Engine
    ) -> None:
        spec = brokered(
            "one = send(order('sleep', '600', memory_mb=900), out='/run/spacelab-run/1')\n"
            "while not os.path.exists('/media/user/on'): time.sleep(0.02)\n"
            "print(ask(order('sleep', '600', place=0))['trouble'], flush=True)\n"
            "one.close()",
            resources=Resources(memory_mb=200, processes=40, cpu=1),
        )
        runtime.start(spec, {})
        until(lambda: engine.client.api.containers(filters={"label": [f"org.spacelab.workload={spec.id}"]}))
        name = f"spacelab-{runtime.options.platform}-{spec.id}.job0"
        host = engine.client.api.inspect_container(name)["HostConfig"]
        Path(spec.mounts[1].source, "on").touch()
        assert host["Memory"] == 200 * 2**20
        assert host["PidsLimit"] == 40
        assert (host["Privileged"], host["ReadonlyRootfs"], host["NetworkMode"]) == (False, True, "none")
        wait_for(runtime, spec, Seen.EXITED)
        assert "A job is at work in this place." in printed(runtime, spec)

    @pytest.mark.usefixtures("stand_in")
    def test_containers_end_with_their_connection_with_the_run_and_after_a_killed_broker(
        self, runtime: ContainerRuntime, brokered: Callable[[str], WorkloadSpec], engine: Engine
    ) -> None:
        def at_work() -> int:
            return len(engine.client.api.containers(filters={"label": [f"org.spacelab.workload={spec.id}"]}))

        spec = brokered(
            "one = send(order('sleep', '60'))\nprint('one', flush=True)\n"
            "while not os.path.exists('/media/user/on'): time.sleep(0.05)\n"
            "one.close()\nprint('closed', flush=True)\ntwo = send(order('sleep', '60', place=1))\n"
            "print(two.makefile().readline() or 'gone', flush=True)\n"
            "three = send(order('sleep', '60', place=0))\nprint('three', flush=True)\ntime.sleep(60)"
        )
        runtime.start(spec, {})
        until(lambda: at_work() == 1)
        Path(spec.mounts[1].source, "on").touch()
        until(lambda: "closed" in printed(runtime, spec))
        until(lambda: at_work() == 1 and "job1" in str(engine.client.api.containers()))
        folder = brokers.folder_of(runtime.options.run_directory, spec.id)
        killed = _broker_pid(folder)
        os.kill(killed, signal.SIGKILL)
        until(lambda: look(runtime, spec) and "three" in printed(runtime, spec) and at_work() == 1)
        assert _broker_pid(folder) != killed
        runtime.stop(spec.id, 0)
        wait_for(runtime, spec, Seen.EXITED)
        until(lambda: at_work() == 0)


def _broker_pid(folder: Path) -> int:
    """Find a broker by its command line."""
    until(lambda: brokers.alive(folder))
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(folder).encode() in words:
            return int(process.name)
    raise AssertionError("no broker")
