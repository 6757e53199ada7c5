"""What a build is checked and packed by, and how the engine's words are read; no engine is needed."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.runtimes.container import building_checks as checks
from spacelab.workloads.runtimes.container import building_context as packing
from spacelab.workloads.runtimes.container.building_steps import Steps

BASE = "localhost/base"
ROOM = 2**20


def check(text: str, **arguments: str) -> int:
    return checks.check(text, arguments, {BASE: list[str](), "localhost/trap": ["RUN rm -rf /"]}.get)


@pytest.mark.parametrize(
    "text",
    [
        "FROM localhost/base\nADD http://example.org/x /x",
        'FROM localhost/base\nADD ["https://example.org/x", "/x"]',
        'FROM localhost/base\nadd ht"tp"://example.org/x /x',
        "FROM localhost/base\nADD ht\\\ntp://example.org/x /x",
        'FROM localhost/base\nADD ["ht\\u0074p\\u003a//example.org/x", "/x"]',
        "FROM localhost/base\nARG U=http://example.org/x\nADD $U /x",
        "FROM localhost/base\nADD git@example.org:some/thing.git /x",
        "FROM localhost/base\nADD --keep-git-dir=true x /x",
        "FROM localhost/base\nRUN --network=host id",
        "FROM localhost/base\nRUN \\\n  --mount=type=bind,source=/,target=/x id",
        "FROM localhost/base\n  run --security=insecure id",
        "FROM localhost/base\nRUN\t--mount=type=secret,id=x id",
        "# syntax=example.org/frontend\nFROM localhost/base",
        "# escape=`\nFROM localhost/base",
        "FROM localhost/base\nONBUILD ADD http://example.org /x",
        "FROM localhost/trap",
        "FROM localhost/base\nCOPY --from=localhost/other /etc/shadow /x",
        "FROM localhost/base\nCOPY --from=0 /etc/shadow /x",
        "FROM localhost/base\nCOPY --parents x /x",
        "FROM $NOWHERE",
        "FROM",
        "RUN id",
        "",
        "FROM localhost/base\nFETCH x",
        "# a\x0cFROM localhost/base AS other\nFROM localhost/base",
        "FROM\u2003localhost/base",
    ],
)
def test_a_dockerfile_that_reaches_out_of_its_build_is_refused(text: str) -> None:
    with pytest.raises(checks.Refused):
        check(text)


def test_an_image_that_is_not_there_is_told_apart() -> None:
    with pytest.raises(checks.ImageMissing, match="localhost/gone:2"):
        check("ARG V=1\nFROM localhost/gone:${V}", V="2")


def test_ordinary_dockerfiles_pass() -> None:
    text = """# a comment
ARG REGISTRY=localhost
FROM ${REGISTRY}/base AS made
RUN apt-get update && \\
    # why
    apt-get install -y thing
FROM ${NOTHING:-localhost/base}
COPY --from=made --chown=1:1 /a /b
COPY --from=0 /a /b
ADD --chown=1:1 data.tar.gz /data/
ENV A=b
CMD ["run"]
"""
    assert check(text) == 9
    assert checks.adds(text)


def packed(folder: Path, limit: int = ROOM) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(b"".join(packing.pack(folder, "Dockerfile", limit))))


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM localhost/base\n")
    return folder


def test_the_same_content_is_the_same_bytes(context: Path) -> None:
    (context / "deep" / "er").mkdir(parents=True)
    (context / "deep" / "er" / ("n" * 200)).write_bytes(b"x" * 700_001)
    program = context / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (context / "link").symlink_to("/etc")
    before = b"".join(packing.pack(context, "Dockerfile", ROOM))
    os.utime(program, (1, 1))
    program.chmod(0o755)
    assert b"".join(packing.pack(context, "Dockerfile", ROOM)) == before
    members = {member.name: member for member in packed(context)}
    assert {member.uid for member in members.values()} == {0}
    assert members["link"].issym()
    assert members["link"].linkname == "/etc"
    assert not [name for name in members if name.startswith("link/")]
    assert members["program"].mode == 0o755
    assert members["deep/er/" + "n" * 200].size == 700_001


def test_what_is_no_file_is_refused(context: Path) -> None:
    os.mkfifo(context / "pipe")
    with pytest.raises(RuntimeFault, match="pipe"):
        packed(context)


def test_too_much_is_refused(context: Path) -> None:
    (context / "large").write_bytes(b"x" * ROOM)
    with pytest.raises(RuntimeFault, match="larger than the 1 MiB"):
        packed(context)


@pytest.mark.parametrize("dockerfile", ["../outside", "/etc/passwd", "link", "folder/passwd", "", "absent"])
def test_the_dockerfile_is_a_file_of_the_context(context: Path, dockerfile: str) -> None:
    (context.parent / "outside").write_text("FROM localhost/base\n")
    (context / "link").symlink_to("/etc/passwd")
    (context / "folder").symlink_to("/etc")
    with pytest.raises(RuntimeFault, match="no file"):
        packing.check_dockerfile_place(context, dockerfile)


def test_lists_of_what_to_ignore_are_no_links(context: Path) -> None:
    (context / ".dockerignore").symlink_to("/etc/passwd")
    with pytest.raises(RuntimeFault, match=r"\.dockerignore"):
        packed(context)


def test_a_bomb_that_add_would_unpack_is_measured(context: Path) -> None:
    (context / "bomb.tar.gz").write_bytes(gzip.compress(b"\0" * (3 * ROOM)))
    assert packing.largest_archive(context, ROOM)[0] == "bomb.tar.gz"
    assert packing.largest_archive(context, ROOM)[1] > ROOM
    assert packing.largest_archive(context, 4 * ROOM)[1] == 3 * ROOM


def streams(*lines: str) -> Steps:
    steps = Steps(3)
    for line in lines:
        steps.take({"stream": line})
    return steps


def test_steps_are_read_from_podman() -> None:
    steps = streams(
        "[1/2] STEP 1/2: FROM localhost/base AS one\n",
        "[1/2] STEP 2/2: RUN true\n",
        "--> Using cache 73ce768bf52d7f500fcc54e6a18b640bf422aeb34c6da26a3e3cb7ab259c484f\n",
        "--> 73ce768bf52\n",
        "[2/2] STEP 1/2: FROM 73ce768bf52\n",
        "[2/2] STEP 2/2: COPY a \\\n b\n",
        "[2/2] STEP 2/2: RUN echo two;    echo three\n",
        "--> f3d3a586760\n",
    )
    assert [(one.number, one.instruction, one.cached) for one in steps.seen] == [
        (1, "FROM localhost/base AS one", False),
        (2, "RUN true", True),
        (3, "FROM 73ce768bf52", False),
        (4, "RUN echo two;    echo three", False),
    ]
    assert [one.ended_at is None for one in steps.seen] == [False, False, False, True]
    assert steps.layers == ["f3d3a586760"]


def test_steps_are_read_from_docker() -> None:
    steps = streams("Step 1/2 : FROM localhost/base\n", " ---> 73ce768bf52d\n", "Step 2/2 : RUN true\n")
    steps.take({"error": "The command '/bin/sh -c true' returned a non-zero code: 3"})
    assert [(one.number, one.total) for one in steps.seen] == [(1, 2), (2, 2)]
    assert steps.exit_status == 3


def test_what_a_command_prints_is_no_step() -> None:
    steps = streams("STEP 1/2: FROM localhost/base\n", "STEP 2/2: RUN x\n", "STEP 9/9: mine\n", "a\nSTEP 3/2: b\n")
    assert len(steps.seen) == 2
