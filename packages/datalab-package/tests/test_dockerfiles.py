"""A Dockerfile of one's own: on an allowed base, with nothing that reaches out, each problem at its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_packages import package

from datalab_package import check_dockerfile, make_plan, write_context
from datalab_package.dockerfile_reading import instructions

BASE = "FROM ${REGISTRY}/datalabs/jl_base:${JL_BASE_VERSION}\n"
ESA = "ARG JL_BASE_VERSION=stable\nARG REGISTRY=registry.example.org:62530\n" + BASE


def test_a_dockerfile_in_esa_s_form_is_in_order() -> None:
    text = ESA + (
        "COPY *.* /media/\nRUN pip3 install --no-cache-dir -r /media/requirements.txt && \\\n"
        "    # a comment in between\n\n    echo $((1<<2)) --mount\n"
        'COPY --chown=user:user run.sh /opt/\nENTRYPOINT ["/sbin/tini"]\nCMD ["--", "/.datalab/run.sh"]\nexpose 10000\n'
    )
    assert check_dockerfile(text) == []
    run = instructions(text)[4]
    assert (run.word, run.line, run.end) == ("RUN", 5, 8)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, ("no FROM",)),
        ("FROM debian:bookworm\n", 1, ("debian:bookworm", "build on")),
        ("FROM evil.example.org/datalabs/jl_base\n", 1, ("evil.example.org",)),
        ("ARG BASE=evil/x\nFROM ${BASE}\n", 2, ("${BASE}",)),
        ("FROM $UNKNOWN\n", 1, ("unknown argument",)),
        ("ARG A=datalabs\nFROM ${A:+evil}/jl_base\n", 2, ("evil",)),
        (ESA + "FROM scratch\nCOPY --from=0 / /\n", 4, ("scratch",)),
        (ESA + "COPY --from=docker.io/library/alpine /bin /bin\n", 4, ("alpine",)),
        (ESA + "COPY --from=3 /bin /bin\n", 4, ("stage 3",)),
        (ESA + "COPY --link a b\n", 4, ("--link",)),
        (ESA + "COPY ../secret /\n", 4, ("../secret", "outside")),
        (ESA + "ADD https://example.org/x.sh /x.sh\n", 4, ("ADD",)),
        (ESA + 'ADD ["git@example.org:a/b.git", "/x"]\n', 4, ("ADD",)),
        (ESA + "ARG URL=x\nADD ${URL} /x\n", 5, ("ADD",)),
        (ESA + "RUN --mount=type=bind,source=/,target=/host cat /host/etc/shadow\n", 4, ("--mount",)),
        (ESA + "RUN --network=host curl x\n", 4, ("--network",)),
        (ESA + "RUN --security=insecure x\n", 4, ("--security",)),
        (ESA + "RUN \\\n  --mount=type=ssh x\n", 4, ("--mount",)),
        (ESA + "run <<EOF\nFROM x\nEOF\n", 4, ("<<",)),
        (ESA + "COPY <<EOF /x\nhello\nEOF\n", 4, ("<<",)),
        ("# syntax=docker/dockerfile:1\n" + ESA, 1, ("syntax",)),
        ("# escape=`\n" + ESA, 1, ("escape",)),
        ("#  Syntax = evil/frontend\n" + ESA, 1, ("syntax",)),
        (ESA + "VOLUME /data\n", 4, ("/data",)),
        (ESA + 'VOLUME ["/media/user"]\n', 4, ("/media/user",)),
        (ESA + "ONBUILD RUN evil\n", 4, ("ONBUILD",)),
        (ESA + "RNU ls\n", 4, ("RNU",)),
        (ESA + "RUN a\n  && b\n", 5, ("&&",)),
        (ESA + "RUN a\u00a0b\n", 4, ("blank",)),
        ("FROM --platform=linux/arm64 datalabs/jl_base\n", 1, ("--platform",)),
        ("RUN a\n" + ESA, 1, ("before",)),
    ],
)
def test_what_is_not_built_is_named_with_its_line(text: str, line: int, words: tuple[str, ...]) -> None:
    problem = check_dockerfile(text)[0]
    assert (problem.line, problem.warning) == (line, False)
    for word in words:
        assert word in problem.message


def test_some_habits_are_only_warned_of() -> None:
    problems = check_dockerfile(ESA + "USER user\nVOLUME /cache\nRUN sudo ls\nENV HOME=/x IF_main_port=1\n")
    assert all(problem.warning for problem in problems)
    assert [problem.line for problem in problems] == [4, 5, 6, 7, 7]


def test_stages_and_further_bases_are_followed() -> None:
    text = (
        ESA.replace(BASE, BASE.strip() + " AS build\n") + "FROM build\nCOPY --from=build /a /a\nCOPY --from=0 /a /a\n"
    )
    assert check_dockerfile(text) == []
    other = "FROM ${REGISTRY}/ada_heasoft:v1-3\nCOPY --from=docker.io/library/alpine:3 /a /a\n"
    assert len(check_dockerfile("ARG REGISTRY\n" + other)) == 2
    assert check_dockerfile("ARG REGISTRY\n" + other, ["ada_heasoft", "docker.io/library/alpine"]) == []


def test_a_word_is_suggested_for_a_slip() -> None:
    assert check_dockerfile(ESA + "RNU ls\n")[0].advice == "Did you mean RUN?"


@pytest.mark.parametrize(
    ("first", "base", "added", "said"),
    [
        (
            ESA.strip(),
            "jl_base",
            0,
            0,
        ),
        ("FROM repos.example.org:62100/datalabs/jl_base:0.8.0-stable-24.04", "jl_base", 2, 1),
        ("FROM registry.example.org:5020/sepp/jl_base:v9.1915", "jl_base", 2, 1),
        ("FROM sepp/jupyterlab_base:latest", "jl_base", 2, 1),
        ("ARG REGISTRY=r\nFROM $REGISTRY/datalabs/x_base:stable AS x\nFROM x", "x_base", 1, 1),
        ("ARG V=0.8\nARG REGISTRY=r:1\nFROM ${REGISTRY}/datalabs/datalabs_base:${V}-20.04", "datalabs_base", 1, 1),
        ("ARG REGISTRY=r\nARG U=20.04\nFROM ${REGISTRY}/datalabs/datalabs_ubuntu_base:${U}", "datalabs_base", 1, 0),
    ],
)
def test_the_bases_of_every_era_become_this_platform_s(
    tmp_path: Path, first: str, base: str, added: int, said: int
) -> None:
    folder = package(tmp_path / "p", {"Dockerfile": f"{first}\nRUN true\n", "a/b.txt": "x"})
    plan = make_plan(folder)
    assert (plan.own_dockerfile, plan.base, plan.added_lines, len(plan.warnings)) == (True, base, added, said)
    assert f"FROM ${{REGISTRY}}/datalabs/{base}:${{{base.upper()}_VERSION}}" in plan.dockerfile
    assert plan.steps[-1].title == "Run true"
    assert plan.steps[-1].lines == (len(first.splitlines()) + 1,) * 2
    write_context(folder, plan, tmp_path / "context")
    assert (tmp_path / "context" / "Dockerfile").read_text() == plan.dockerfile
    assert (tmp_path / "context" / "a" / "b.txt").is_file()
    arguments = plan.build_arguments("localhost", {base: "1.0.0"})
    assert arguments == {"REGISTRY": "localhost", f"{base.upper()}_VERSION": "1.0.0"}
