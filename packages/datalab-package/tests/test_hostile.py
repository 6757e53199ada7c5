"""What somebody tries who means harm, or whose files are broken: a message each time, and nothing of the host."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from small_packages import package

from datalab_package import (
    PackageProblem,
    check_dockerfile,
    explain_failure,
    make_plan,
    read_manifest,
    suggest_metadata,
    write_context,
)

BASE = "ARG REGISTRY\nFROM ${REGISTRY}/datalabs/jl_base:1"


def notebook(text: str, kind: str = "code") -> str:
    cells = [{"cell_type": kind, "source": text}]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize("line", ["-r {}", "-r{}", "--requirement={}", "-c {}", "-r ../{}"])
def test_an_environment_file_reads_no_file_of_the_host(tmp_path: Path, line: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("topsecret==1\nthe key is here\n")
    where = os.path.relpath(secret, tmp_path / "p" / "x") if ".." in line else str(secret)
    text = f"dependencies:\n- pip:\n  - {line.format(where)}\n"
    folder = package(tmp_path / "p", {"environment.yml": text, "a.ipynb": notebook("1")})
    said = ""
    try:
        plan = make_plan(folder)
        said = " ".join([*plan.requirements, *plan.warnings])
    except PackageProblem as problem:
        said = problem.message
    assert "topsecret" not in said
    assert "the key" not in said
    assert "left out" in said or "is not in the package" in said


@pytest.mark.parametrize(
    "text",
    [
        f"{BASE} AS registry.of.the.platform/bob_x:v1-1\nFROM ${{REGISTRY}}/bob_x:v1-1\n",
        f"{BASE} AS x\nFROM ${{http_proxy:+localhost/bob_}}x${{http_proxy:+:v1-1}}\n",
        f"{BASE} AS x\nFROM x${{TARGETARCH}}\n",
        "ARG D=${JL_BASE_VERSION:+localhost/bob_x:v1-1}\nFROM ${D:-localhost/datalabs/jl_base:1}\n",
        f"{BASE} AS x\nFROM ${{REGISTRY}}/datalabs/jl_base\nCOPY --from=x --from=localhost/bob_x:v1-1 / /\n",
    ],
)
def test_no_trick_of_names_leads_to_another_person_s_image(text: str) -> None:
    assert [one for one in check_dockerfile(text) if not one.warning]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "-r a\0b"),
        ("requirements.txt", "-r " + "a" * 400),
        ("requirements.txt", "git+https://example.org/\0x"),
        ("environment.yml", "dependencies:\n- pip:\n  - -r nope.txt\n"),
        ("environment.yml", "dependencies:\n- pip:\n  - -r .\n"),
        ("pyproject.toml", "a=" + "[" * 3000 + "]" * 3000),
        ("pyproject.toml", '[tool.poetry.dependencies]\na={version="1",extras=[1]}\nb="^."\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\nb="^' + "9" * 5000 + '"\n'),
        ("pyproject.toml", '[project]\ndependencies=["git+https://x\\n-r /etc/passwd"]\n'),
        ("b.ipynb", '{"cells":[],"x":' + "1" * 10000 + "}"),
        ("spacelab.yml", 'variables: {A: "x\\0y"}\n'),
    ],
)
def test_broken_files_are_told_of(tmp_path: Path, name: str, text: str) -> None:
    folder = package(tmp_path / "p", {"a.ipynb": notebook("1"), name: text})
    with pytest.raises(PackageProblem):
        make_plan(folder)


def test_a_password_in_a_requirement_is_warned_of(tmp_path: Path) -> None:
    text = "--extra-index-url https://ann:secret@example.org/simple\nnumpy @ git+https://example.org/x@v1\n"
    plan = make_plan(package(tmp_path / "p", {"a.ipynb": notebook("1"), "requirements.txt": text}))
    (warning,) = plan.warnings
    assert "line 1 holds a password" in warning
    assert "secret" not in warning


def test_odd_notebooks_are_read_in_no_time(tmp_path: Path) -> None:
    texts = {
        "a.ipynb": notebook(" " * 100_000 + "x"),
        "b.ipynb": notebook("a," * 100_000),
        "c.ipynb": notebook("if " + "+".join(["1"] * 2000) + ": pass"),
        "d.ipynb": notebook("[" * 40_000 + "<" * 40_000 + "[a](" * 20_000, "markdown"),
        "e.ipynb": '{"worksheets": [{"cells": 5}]}',
    }
    folder = package(tmp_path / "p", texts)
    began = time.process_time()
    assert make_plan(folder).kind == "jupyter"
    suggest_metadata(folder)
    assert time.process_time() - began < 5


def test_magic_lines_are_no_python(tmp_path: Path) -> None:
    text = "%matplotlib inline\n  !ls\nfiles = !ls\nprint?\nimport humanize\nx = 5 % 3"
    plan = make_plan(package(tmp_path / "p", {"a.ipynb": notebook(text)}))
    assert [one.package for one in plan.proposals] == ["humanize"]


def test_blanks_of_all_kinds_never_reach_a_dockerfile(tmp_path: Path) -> None:
    meta = 'title: T\nalternateName: tee\nversion: "1"\nabstract: "10\u00a0km\u2028wide"\n'
    names = {"a\u2028RUN id\u00a0.ipynb": notebook("1"), "datalab-meta.yml": meta}
    plan = make_plan(read_manifest(package(tmp_path / "p", names)).folder)
    assert all(one.isprintable() or one == "\n" for one in plan.dockerfile)
    assert "10 km wide" in plan.dockerfile


def test_a_dockerfile_that_may_not_be_written_to_is_replaced_in_the_context(tmp_path: Path) -> None:
    folder = package(tmp_path / "p", {"Dockerfile": f"{BASE}\n"})
    (folder / "Dockerfile").chmod(0o444)
    plan = make_plan(folder)
    write_context(folder, plan, tmp_path / "context")
    assert (tmp_path / "context" / "Dockerfile").stat().st_mode & 0o200


@pytest.mark.parametrize("part", ["a", " ", "\n", "a" * 590 + "\n", "a b\n    "])
def test_no_log_keeps_the_platform_busy(tmp_path: Path, part: str) -> None:
    plan = make_plan(package(tmp_path / "p", {"a.ipynb": notebook("1")}))
    began = time.process_time()
    assert explain_failure(part * (200_000 // len(part)), plan).message
    assert time.process_time() - began < 8
