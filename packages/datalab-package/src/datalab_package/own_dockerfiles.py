"""Plans a package that brings its own Dockerfile: which base it builds on, and its steps."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

from datalab_package.dockerfile_checking import REGISTRY, check_dockerfile
from datalab_package.dockerfile_reading import Instruction, expand, global_arguments, instructions, split_image
from datalab_package.dockerfile_writing import DEFAULT_REGISTRY, DEFAULT_VERSION
from datalab_package.plans import PlannedStep
from datalab_package.problems import PackageProblem

DOCKERFILE = "Dockerfile"
ESA_BASES = {
    "datalabs_base": "datalabs_base",
    "datalabs_ubuntu_base": "datalabs_base",
    "jl_base": "jl_base",
    "jupyterlab_base": "jl_base",
    "web_base": "web_base",
    "x_base": "x_base",
}
"""Names under which ESA Datalabs has published its bases, and which of ours stands in for each."""
ESA_FOLDERS = ("datalabs", "sepp")

_TITLES = {
    "RUN": "Run",
    "COPY": "Copy files",
    "ADD": "Add files",
    "FROM": "Start from",
}


@dataclass(frozen=True)
class OwnDockerfile:
    """A package's own Dockerfile, ready to be built here."""

    text: str
    base: str
    added_lines: int
    steps: tuple[PlannedStep, ...]
    warnings: tuple[str, ...]


def read_own_dockerfile(text: str, allowed_bases: Collection[str]) -> OwnDockerfile:
    """Put this platform's bases in the place of ESA's, and check the result; raise `PackageProblem` with the line."""
    text = text.replace("\r\n", "\n")
    adapted, added, notes = _with_our_bases(text)
    problems = check_dockerfile(adapted, allowed_bases)
    wrong = [problem for problem in problems if not problem.warning]
    if wrong:
        line = max(wrong[0].line - added, 1)
        more = f" There are {len(wrong) - 1} more such lines." if len(wrong) > 1 else ""
        raise PackageProblem(f"{DOCKERFILE}, line {line}: {wrong[0].message}{more}", wrong[0].advice, DOCKERFILE, line)
    warnings = [f"{DOCKERFILE}, line {one.line - added}: {one.message} {one.advice}" for one in problems]
    found = instructions(adapted)
    return OwnDockerfile(adapted, _base_of(found), added, _steps(found, added), (*notes, *warnings))


def _with_our_bases(text: str) -> tuple[str, int, list[str]]:
    """Return the text with ESA's bases replaced, how many lines were put above it, and what there is to say."""
    found = instructions(text)
    known = {**global_arguments(found), "REGISTRY": REGISTRY}
    declared = set(global_arguments(found))
    lines, notes, missing = text.split("\n"), list[str](), list[str]()
    for one in found:
        words = one.rest.split()
        base = _esa_base(expand(words[0], known)) if one.word == "FROM" and words else ""
        if not base:
            continue
        version = f"{base.upper()}_VERSION"
        ours = f"${{REGISTRY}}/datalabs/{base}:${{{version}}}"
        missing += [name for name in ("REGISTRY", version) if name not in declared and name not in missing]
        if words[0] == ours or one.end != one.line:
            continue
        lines[one.line - 1] = lines[one.line - 1].replace(words[0], ours, 1)
        if not re.fullmatch(r"\$\{?REGISTRY\}?/datalabs/\w+:\$\{?\w+\}?", words[0]):
            notes.append(f"{DOCKERFILE}, line {one.line}: {words[0]} is this platform's own {base} here.")
    defaults = {"REGISTRY": DEFAULT_REGISTRY}
    above = [f"ARG {name}={defaults.get(name, DEFAULT_VERSION)}" for name in missing]
    return "\n".join([*above, *lines]), len(above), notes


def _esa_base(image: str) -> str:
    """Return which of our bases stands in for an image, or an empty text."""
    name, _ = split_image(image)
    parts = PurePosixPath(name).parts
    if len(parts) < 2 or parts[-2] not in ESA_FOLDERS:  # noqa: PLR2004  a folder and a name
        return ""
    return ESA_BASES.get(parts[-1], "")


def _base_of(found: list[Instruction]) -> str:
    """Return the base that the last stage begins with, through the stages before it; empty for another image."""
    known = {**global_arguments(found), "REGISTRY": REGISTRY}
    stages: dict[str, str] = {}
    image = ""
    for one in found:
        if one.word == "FROM":
            words = one.rest.split()
            image = expand(words[0], known)
            image = stages.get(image.lower(), image)
            if len(words) == 3:  # noqa: PLR2004  FROM image AS name
                stages[words[2].lower()] = image
    return _esa_base(image)


def _steps(found: list[Instruction], added: int) -> tuple[PlannedStep, ...]:
    """Describe the instructions that take time, by the author's own lines."""
    return tuple(
        PlannedStep(
            f"{_TITLES[one.word]} {one.rest}"[:80], "from the package's Dockerfile", (one.line - added, one.end - added)
        )
        for one in found
        if one.word in _TITLES
    )
