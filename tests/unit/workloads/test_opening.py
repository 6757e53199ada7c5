"""Files on a workload's command line: one word each, in a sandbox and without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacelab.workloads.rules import Kind, WorkloadSpec
from spacelab.workloads.runtimes.shared.variables import command_line, plain_places, sandbox_places, variables


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ("", ["topcat"]),
        ("/data/a b.fits", ["topcat", "/data/a b.fits", "--file=/data/a b.fits"]),
        ("/data/$HOME.fits", ["topcat", "/data/$HOME.fits", "--file=/data/$HOME.fits"]),
        ("/a\n/b", ["topcat", "/a", "/b", "--file=/a", "--file=/b"]),
    ],
)
def test_each_file_is_one_word(files: str, words: list[str]) -> None:
    known = {"HOME": "/home/ada"} | ({"SPACELAB_OPEN": files} if files else {})
    assert command_line(("topcat", "$SPACELAB_OPEN", "--file=${SPACELAB_OPEN}"), known) == words


def test_other_variables_stay_what_they_are() -> None:
    known = {"SPACELAB_OPENED": "x", "HOME": "/home/ada", "EMPTY": ""}
    assert command_line(("$SPACELAB_OPENED", "$HOME", "$EMPTY", "$OTHER"), known) == ["x", "/home/ada", "", "$OTHER"]


def test_paths_are_where_the_workload_finds_them(tmp_path: Path) -> None:
    given = {"SPACELAB_OPEN": "/data/a b\n/media/user/c", "INPUT_NOTE": "/etc/x", "OUTPUT_DIR": "/media/user/results/1"}
    spec = WorkloadSpec("s1", "ada", Kind.BATCH, ("true",), variables=given)
    inside = variables(spec, sandbox_places(spec, 1000), "", own_network=True)
    assert given.items() <= inside.items()
    root = tmp_path / "root"
    plain = variables(spec, plain_places(spec, root, tmp_path, 1000, 0), "", own_network=False)
    assert plain["SPACELAB_OPEN"] == f"{root}/data/a b\n{root}/media/user/c"
    assert plain["OUTPUT_DIR"] == f"{root}/media/user/results/1"
    assert plain["INPUT_NOTE"] == "/etc/x"
