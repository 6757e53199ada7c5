"""The container runtime's plain decisions: what the engine is asked for, as whom, and how ends are told."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from spacelab.volumes.rules import Mount
from spacelab.workloads.rules import Kind, Network, Resources, Trouble, WorkloadSpec
from spacelab.workloads.runtimes.container import ends, seccomp, specification, writes
from spacelab.workloads.runtimes.container.companions import Report, read_report
from spacelab.workloads.runtimes.container.engine import Facts, read_facts
from spacelab.workloads.runtimes.container.folder import Folder
from spacelab.workloads.runtimes.container.images import read_image
from spacelab.workloads.runtimes.container.options import Options
from spacelab.workloads.runtimes.container.runtime import warnings_of
from spacelab.workloads.runtimes.container.specification import Parts
from spacelab.workloads.runtimes.container.users import User, passwd, workload_user
from spacelab.workloads.runtimes.shared.variables import sandbox_places

ALL = Facts("Podman", "4.3.1", rootless=False, cgroup_version="2", memory=True, swap=True, processes=True, cpu=True,
            cpuset=True, seccomp=True, selinux=False)  # fmt: skip
ITSELF = "It ended by itself with exit code 1 after 2.0 s."
SPEC = WorkloadSpec("t1", "ada", Kind.BATCH, ("echo", "$COLOUR"), image="lab", resources=Resources(memory_mb=256))
IMAGE = read_image(
    {
        "Id": "sha256:1",
        "Config": {
            "Entrypoint": ["/sbin/tini", "--"],
            "Cmd": ["/.datalab/run.sh"],
            "Env": ["PATH=/opt/bin:/bin", "COLOUR=red", "EMPTY="],
            "WorkingDir": "/work",
            "Labels": None,
        },
    }
)


def parts(**changes: Any) -> Parts:
    options = Options(Path("/run/of/mine"), companion_image="base")
    made = Parts(options, ALL, Folder(Path("/run/of/mine/t1")), SPEC, User(64200, 64200), IMAGE)
    return replace(made, **changes)


@pytest.fixture
def client() -> docker.APIClient:
    return docker.APIClient(base_url="unix:///nowhere", version="1.41")


def application(client: docker.APIClient, **changes: Any) -> dict[str, Any]:
    return specification.application(client, parts(**changes))


def test_an_application_gets_the_companions_network_and_no_rights(client: docker.APIClient) -> None:
    made = application(client)
    host = made["host_config"]
    assert host["NetworkMode"] == f"container:{made['name']}.companion"
    assert (host["CapDrop"], host["SecurityOpt"], host["ReadonlyRootfs"]) == (["ALL"], ["no-new-privileges"], True)
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (2**28, 2**28, 10**9)
    assert made["command"] == ["/.datalab/enter.sh", "echo", "red"]
    assert made["environment"]["HOME"] == "/home/ada"
    assert "PATH" not in made["environment"], "the image's own holds"


def test_limits_that_an_engine_lacks_are_left_out_and_told(client: docker.APIClient) -> None:
    less = replace(ALL, memory=False, processes=False, cpu=False, cpuset=False, seccomp=False)
    host = application(client, facts=less)["host_config"]
    assert not {"Memory", "MemorySwap", "PidsLimit", "NanoCpus", "CpusetCpus"} & set(host)
    assert len(warnings_of(less)) == 4
    assert warnings_of(ALL) == []
    assert "swap" in warnings_of(replace(ALL, swap=False))[0]


def test_an_image_may_bring_its_command_its_folder_and_a_writable_root(client: docker.APIClient) -> None:
    image = replace(IMAGE, labels={"org.spacelab.root": "writable"})
    made = application(client, spec=replace(SPEC, command=()), image=image)
    assert made["command"][1:] == ["/sbin/tini", "--", "/.datalab/run.sh"]
    assert not made["host_config"].get("ReadonlyRootfs")
    assert "SPACELAB_DIRECTORY=/work\n" in specification.orders(parts(spec=replace(SPEC, command=())))
    assert "SPACELAB_DIRECTORY=/media/user\n" in specification.orders(parts())


def test_what_an_image_puts_before_its_command_stays() -> None:
    assert specification.known_variables(parts())["ENVIRONMENT"] == "production"
    older = replace(parts().image, variables={"ENVIRONMENT": "SIMPUT=/opt/simput"})
    assert specification.known_variables(parts(image=older))["ENVIRONMENT"] == "SIMPUT=/opt/simput"


def test_archives_and_the_home_go_by_two_names(client: docker.APIClient) -> None:
    volumes = (Mount("/vol/gaia", "/data/gaia"), Mount("/vol/home", "/media/home", read_only=False))
    host = application(client, spec=replace(SPEC, mounts=volumes))["host_config"]
    binds = {one["Target"]: (one["Source"], one["ReadOnly"]) for one in host["Mounts"]}
    assert binds["/data/gaia"] == binds["/data/user/gaia"] == ("/vol/gaia", True)
    assert binds["/media/home"] == binds["/home/ada"] == ("/vol/home", False)
    assert "/media/home" not in host["Tmpfs"]
    assert "/data" not in binds


def test_gpus_are_asked_for_by_their_names(client: docker.APIClient) -> None:
    host = application(client, gpus=("nvidia.com/gpu=1",))["host_config"]
    assert host["DeviceRequests"][0]["DeviceIDs"] == ["nvidia.com/gpu=1"]
    spec = replace(SPEC, resources=Resources(gpu=2))
    assert specification.gpus(spec, ["a", "b", "c"], ["b"]) == ("a", "c")


def test_only_an_outbound_companion_sees_the_way_out(client: docker.APIClient) -> None:
    def targets(network: Network) -> set[str]:
        made = specification.companion(client, parts(spec=replace(SPEC, network=network)))
        assert made["host_config"]["NetworkMode"] == "none"
        return {one["Target"] for one in made["host_config"]["Mounts"]}

    assert targets(Network.OUTBOUND) - targets(Network.NONE) == {"/egress"}


def test_rootless_podman_shares_the_companions_user_namespace(client: docker.APIClient) -> None:
    user = User(1000, None, "keep-id")
    made = application(client, user=user)
    assert specification.companion(client, parts(user=user))["host_config"]["UsernsMode"] == "keep-id"
    assert made["host_config"]["UsernsMode"] == made["host_config"]["NetworkMode"]


def test_files_belong_to_whom_the_volumes_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert workload_user(ALL, 64200) == User(64200, 64200)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert workload_user(ALL, 64200) == User(1000, None)
    assert workload_user(replace(ALL, rootless=True), 64200) == User(1000, None, "keep-id")
    assert workload_user(replace(ALL, rootless=True, name="Docker"), 64200) == User(0, None)


def test_the_person_comes_first_in_the_images_own_users() -> None:
    text = passwd(
        sandbox_places(SPEC, 64200), {"/etc/passwd": "root:x:0:0::/root:/bin/sh\njovyan:x:1000:100::/h:/bin/sh"}
    )
    assert text.splitlines()[0] == "ada:x:64200:64200:ada:/home/ada:/bin/bash"
    assert text.endswith("jovyan:x:1000:100::/h:/bin/sh\n")


def test_secrets_survive_the_shell() -> None:
    assert specification.secret_text({"TOKEN": "it's\n#end"}) == "export TOKEN='it'\"'\"'s\n#end'\n#end\n"


@pytest.mark.parametrize(
    ("how", "reason", "trouble"),
    [
        ({"exit_code": 0}, "It finished.", ""),
        ({"exit_code": 0, "stopped": "It was stopped."}, "It was stopped.", ""),
        ({"exit_code": 3}, "It ended by itself with exit code 3 after 2.0 s.", ""),
        ({"exit_code": 139}, "It was ended by SIGSEGV after 2.0 s.", ""),
        (
            {"exit_code": 137, "out_of_memory": True},
            "It used more than its 256 MiB of memory, so the system ended it.",
            Trouble.OUT_OF_MEMORY,
        ),
        (
            {"exit_code": 1, "out_of_memory": True},
            f"{ITSELF} One of its processes had used up the memory, and the system had ended that.",
            Trouble.OUT_OF_MEMORY,
        ),
        ({"exit_code": 127, "not_started": "The command “x” was not found."}, "The command “x” was not found.", ""),
        (
            {"exit_code": 1, "ready": False},
            f"{ITSELF} Its interface had not answered by then; the log says more.",
            "",
        ),
    ],
)
def test_ends_are_told_apart(how: dict[str, Any], reason: str, trouble: str) -> None:
    end = ends.end_of(SPEC, ends.Circumstances(seconds=2.0, **how))
    assert (end.exit_code, end.reason, end.trouble) == (how["exit_code"], reason, trouble)


def test_a_report_is_read_and_nonsense_in_it_is_left() -> None:
    answer = b"done\noom_kill 1\noom_kill x\ntrouble The command is gone.\n\xff\noom_kill 3\n"
    assert read_report(answer) == Report(3, "The command is gone.")
    assert read_report(b"") == Report()


def test_a_report_that_an_application_wrote_to_do_harm_is_a_report() -> None:
    answer = f"done\noom_kill \u00b2\noom_kill {'9' * 5000}\ntrouble Bad\0\x1b[2J\u2028 end\n".encode()
    assert read_report(answer) == Report(0, "Bad[2J end")


def test_labels_that_an_image_brings_make_no_container_the_platforms() -> None:
    options = Options(Path("/run/of/mine"))
    forged = {**specification.labels(options, "t1", "application"), specification.GPU_LABEL: "gpu=0"}
    listed: dict[str, dict[str, Any]] = {"eager_noether": {"Labels": forged}, "bare": {"Labels": None}}
    assert specification.ours(options, listed) == {}
    mine = {name: {"Labels": forged} for name in specification.names(options, "t1")}
    assert specification.ours(options, {**listed, **mine}) == mine


def test_an_images_own_volumes_are_in_memory_but_for_what_the_platform_puts_there(client: docker.APIClient) -> None:
    described = {"Id": "1", "Config": {"Volumes": {"/vol/": {}, "/media/user": {}, "/scratch": {}, "/a/../b": {}}}}
    mine = replace(SPEC, mounts=(Mount("/on/host", "/media/user", read_only=False),))
    made = application(client, spec=mine, image=read_image(described))
    folders = made["host_config"]["Tmpfs"]
    assert {"/vol", "/b"} == set(folders) - set(application(client)["host_config"]["Tmpfs"])
    assert "/media/user" not in folders
    assert folders["/vol"] == folders["/scratch"]


def test_neither_the_image_nor_the_platforms_user_adds_to_a_container(client: docker.APIClient) -> None:
    looked_after = application(client, image=replace(IMAGE, checks_health=True))
    assert looked_after["healthcheck"] == {"test": ["NONE"]}
    for made in (application(client), specification.companion(client, parts())):
        assert made["use_config_proxy"] is False


def test_an_engine_without_a_filter_in_a_file_keeps_its_own(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"syscalls": [{}]}')
    assert seccomp.write(tmp_path / "made.json", (tmp_path / "none.json", broken)) == ""
    assert not (tmp_path / "made.json").exists()


def test_engines_are_told_apart_by_what_they_say() -> None:
    podman = read_facts({"BuildahVersion": "1.28", "ServerVersion": "4.3.1", "SecurityOptions": ["name=seccomp"]})
    docker_ = read_facts(
        {"ServerVersion": "27.0", "SecurityOptions": ["name=rootless", "name=selinux"], "CPUSet": True}
    )
    assert (podman.podman, podman.seccomp, podman.rootless) == (True, True, False)
    assert (docker_.podman, docker_.selinux, docker_.rootless, docker_.cpuset) == (False, True, True, True)


def test_writes_are_told_without_what_is_mounted_and_what_engines_make() -> None:
    found = {"Mounts": [{"Destination": "/media/user"}], "HostConfig": {"Tmpfs": {"/tmp": "", "/scratch": ""}}}  # noqa: S108  inside
    changed = ["/media", "/media/user", "/media/user/a", "/tmp/b", "/etc", "/etc/hosts", "/run/c", "/srv", "/srv/d"]  # noqa: S108  as above
    changes = [{"Path": path, "Kind": 1} for path in changed] + [{"Path": "/opt/gone", "Kind": 2}, {"Path": "/x"}]
    assert writes.outside(changes, found) == ["/srv/d", "/x"]
    many = [{"Path": f"/srv/{number}", "Kind": 1} for number in range(1000)]
    assert len(writes.outside(many, found)) == writes.MOST_TOLD
