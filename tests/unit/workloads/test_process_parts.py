"""The process runtime's decisions: variables, sandbox arguments, control groups, cores."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacelab.volumes.rules import Mount
from spacelab.workloads.rules import Interface, Kind, Network, Resources, WorkloadSpec
from spacelab.workloads.runtimes.process import host, sandbox
from spacelab.workloads.runtimes.process.control import ControlFolder
from spacelab.workloads.runtimes.shared.limits import Group, Groups, cores_for, find_groups
from spacelab.workloads.runtimes.shared.variables import (
    expand,
    overlay_path,
    plain_places,
    sandbox_places,
    user_name,
    variables,
)


def spec_of(**changes: object) -> WorkloadSpec:
    values: dict[str, object] = {"id": "abc", "owner": "ada", "kind": Kind.INTERACTIVE, "command": ("true",)}
    return WorkloadSpec(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "expanded"),
    [
        ("--port=$PORT", "--port=8000"),
        ("${PORT}1", "80001"),
        ("$PORTS", "$PORTS"),
        ("$", "$"),
        ("${}", "${}"),
        ("a$$PORT", "a$8000"),
    ],
)
def test_words_expand(word: str, expanded: str) -> None:
    assert expand(word, {"PORT": "8000"}) == expanded


@pytest.mark.parametrize(
    ("owner", "name"),
    [("ada", "ada"), ("Ada.L", "adal"), ("Жанна", "scientist"), ("root", "scientist"), ("9x", "scientist")],
)
def test_every_owner_gets_a_unix_name(owner: str, name: str) -> None:
    assert user_name(spec_of(owner=owner)) == name


def test_the_platforms_variables_win_over_a_workloads_own_where_they_must() -> None:
    spec = spec_of(variables={"HOME": "/elsewhere", "OMP_NUM_THREADS": "7", "UID": "0"}, interface=Interface(port=9000))
    values = variables(spec, sandbox_places(spec, 1000), "", own_network=True)
    assert (values["HOME"], values["UID"], values["OMP_NUM_THREADS"]) == ("/home/ada", "1000", "7")
    assert (values["IF_main_port"], values["IF_main_id"], values["DATALAB_ID"]) == ("9000", "abc", "abc")
    assert "HTTP_PROXY" not in values


def test_the_way_out_is_announced_only_where_there_is_one() -> None:
    spec = spec_of(network=Network.OUTBOUND)
    places = sandbox_places(spec, 1000)
    assert variables(spec, places, "", own_network=True)["https_proxy"] == "http://127.0.0.1:3128"
    assert "https_proxy" not in variables(spec, places, "", own_network=False)


def test_the_overlay_comes_before_the_environment_on_the_path() -> None:
    spec = spec_of(environment="lab", variables={"DATALAB_NAME": "../my lab"})
    places = sandbox_places(spec, 1000)
    overlay = overlay_path(spec, places, "3.11.7")
    assert overlay == "/home/ada/.spacelab/environments/..-my-lab-py3.11"
    path = variables(spec, places, overlay, own_network=True)["PATH"].split(":")
    assert path[:3] == [f"{overlay}/bin", "/opt/environments/lab/bin", "/usr/local/bin"]


def test_without_a_sandbox_writable_places_are_the_real_ones(tmp_path: Path) -> None:
    spec = spec_of(mounts=(Mount("/srv/ada", "/media/user", read_only=False),), interface=Interface())
    places = plain_places(spec, tmp_path / "root", tmp_path / "env", 1000, 5555)
    assert places.workspace == "/srv/ada"
    assert places.data == str(tmp_path / "root" / "data")
    assert places.home == str(tmp_path / "root" / "media" / "home")
    assert variables(spec, places, "", own_network=False)["IF_main_port"] == "5555"


def sandbox_words(*, root: bool) -> list[str]:
    spec = spec_of(
        mounts=(
            Mount("/srv/archives/stars", "/data/stars"),
            Mount("/srv/ada", "/media/user", read_only=False),
        )
    )
    inside = sandbox.Host(Path("/inside"), Path("/usr/bin/python3"), (), Path("/env"), None, root=root)
    places = sandbox_places(spec, 1000)
    return sandbox.arguments(spec, inside, places, Group(0, {}), {})


def test_only_a_workloads_own_folders_are_bound() -> None:
    words = sandbox_words(root=False)
    bound = {words[index + 1] for index, word in enumerate(words) if word in {"--bind", "--ro-bind"}}
    outside = {path for path in bound if not path.startswith("/usr")}
    assert outside == {"/inside", "/srv/archives/stars", "/srv/ada"}
    assert [words[i + 1] for i, word in enumerate(words) if word == "--bind"] == ["/srv/ada"]
    assert words[-4:] == ["--remount-ro", "/", "--chdir", "/"]
    assert "/data/user/stars" in words


def test_an_ordinary_user_needs_a_user_namespace_and_root_keeps_three_capabilities() -> None:
    ordinary, root = sandbox_words(root=False), sandbox_words(root=True)
    assert "--unshare-user" in ordinary
    assert "--cap-add" not in ordinary
    assert "--unshare-user" not in root
    assert [root[i + 1] for i, word in enumerate(root) if word == "--cap-add"] == [
        "CAP_SETUID",
        "CAP_SETGID",
        "CAP_SETPCAP",
    ]


def test_folders_above_a_target_are_open_and_come_first() -> None:
    words = sandbox.folders(["--perms", "1777", "--tmpfs", "/a/b/c", "--ro-bind", "/x", "/usr/share/y"])
    assert words == ["--perms", "0755", "--dir", "/a", "--perms", "0755", "--dir", "/a/b"]


def version_2(tmp_path: Path, controllers: str) -> Path:
    own = tmp_path / "user.slice" / "spacelab.service"
    own.mkdir(parents=True)
    (own / "cgroup.controllers").write_text(controllers)
    (own / "cgroup.procs").write_text("")
    (own / "cgroup.subtree_control").write_text("cpu memory pids")
    (tmp_path / "self").write_text("0::/user.slice/spacelab.service\n")
    return own


def test_version_2_groups_are_found_and_limited(tmp_path: Path) -> None:
    own = version_2(tmp_path, "cpu io memory pids")
    groups = find_groups(tmp_path, tmp_path / "self")
    assert groups == Groups(2, {"": own})
    group = Group.of(groups, "abc")
    group.create(Resources(cpu=1.5, memory_mb=100, processes=50))
    folder = own / "spacelab-abc"
    assert (folder / "memory.max").read_text() == str(100 * 2**20)
    assert (folder / "cpu.max").read_text() == "150000 100000"
    assert (folder / "pids.max").read_text() == "54"
    assert group.oom_file() == folder / "memory.events"
    assert Group.from_json(group.to_json()) == group
    (folder / "memory.current").write_text("5000")
    (folder / "memory.stat").write_text("anon 1\ninactive_file 2000\n")
    (folder / "cpu.stat").write_text("usage_usec 2500000\n")
    (folder / "pids.current").write_text("3")
    usage = group.usage()
    assert (usage.cpu_seconds, usage.memory_bytes, usage.processes) == (2.5, 3000, 3)


def test_groups_that_cannot_limit_memory_are_of_no_use(tmp_path: Path) -> None:
    version_2(tmp_path, "cpu pids")
    assert not find_groups(tmp_path, tmp_path / "self").usable
    assert not find_groups(tmp_path, tmp_path / "missing").usable


def test_version_1_groups_need_memory_and_pids(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("4:memory:/own\n3:pids:/\n2:cpu,cpuacct:/\n0::/\n")
    for name in ("memory/own", "pids"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "cgroup.procs").write_text("")
    groups = find_groups(tmp_path, tmp_path / "self")
    assert groups == Groups(1, {"memory": tmp_path / "memory/own", "pids": tmp_path / "pids"})
    (tmp_path / "pids" / "cgroup.procs").unlink()
    assert not find_groups(tmp_path, tmp_path / "self").usable


def test_cores_are_as_many_as_the_share_needs_and_never_more_than_there_are() -> None:
    assert len(cores_for("abc", 0.5, [0, 1, 2, 3])) == 1
    assert len(cores_for("abc", 2.5, [0, 1, 2, 3])) == 3
    assert cores_for("abc", 64, [4, 5]) == [4, 5]
    assert len({tuple(cores_for(f"w{n}", 1, range(4))) for n in range(40)}) == 4


def test_the_doctor_hears_about_every_part_of_the_host() -> None:
    names = [fact.name for fact in host.facts()]
    assert names[0] == "Bubblewrap"
    assert "Control groups" in names
    assert ("Sandboxes in a sandbox" in names) == (not host.sandbox_trouble())
    assert all(fact.ok or fact.remedy for fact in host.facts())


def test_the_doctor_sees_where_no_sandbox_can_be_made_inside_one(monkeypatch: pytest.MonkeyPatch) -> None:
    if host.nested_trouble():
        pytest.skip("this host allows none to begin with")
    monkeypatch.setattr(host, "BASE", (*host.BASE, "--disable-userns"))
    host.nested_trouble.cache_clear()
    try:
        fact = next(one for one in host.facts() if one.name == "Sandboxes in a sandbox")
    finally:
        host.nested_trouble.cache_clear()
    assert not fact.ok
    assert "Allow unprivileged user namespaces" in fact.remedy


def test_the_doctor_explains_a_host_without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    host.bubblewrap_version.cache_clear()
    try:
        fact = host.facts()[0]
    finally:
        monkeypatch.undo()
        host.bubblewrap_version.cache_clear()
    assert (fact.ok, fact.detail, fact.remedy) == (False, "not installed", "sudo apt-get install bubblewrap")


@pytest.mark.parametrize("since", [7, 10**30])
def test_a_log_holds_nothing_behind_its_end(tmp_path: Path, since: int) -> None:
    (tmp_path / "log").write_bytes(b"printed")
    assert list(ControlFolder(tmp_path).log(since)) == []
    assert list(ControlFolder(tmp_path).log(-1)) == [b"printed"]
