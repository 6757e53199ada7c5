"""Writes the Dockerfile of a package that has none: few layers, what changes most often last."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from datalab_package.plans import PlannedStep
from datalab_package.problems import PackageProblem
from datalab_package.requirements import Needs

DEFAULT_REGISTRY = "localhost"
DEFAULT_VERSION = "stable"
WITH_ENVIRONMENT = frozenset({"jl_base", "web_base"})
"""Bases with a Python environment of their own at `ENVIRONMENT`, and uv in it."""
DERIVED = "DERIVED_FROM"
"""The build argument that names the image of the version that a package is based on."""
ENVIRONMENT = "/opt/environments/base"
ASKED = "/opt/requirements"
"""Where the image keeps what was asked for."""
INSIDE = "/opt/datalab"
START = '["/sbin/tini", "--", "/.datalab/run.sh"]'

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:=,@%+*-]+")
_STRANGE = re.compile(r"[^\S \t]+|[\x00-\x08\x0e-\x1f\x7f]+")
"""Line ends, and blanks that are none to an engine."""
_VARIABLE = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})")


@dataclass
class _Text:
    """The lines so far, and the steps that they make."""

    lines: list[str] = field(default_factory=list)
    steps: list[PlannedStep] = field(default_factory=list)

    def step(self, title: str, reason: str, *lines: str) -> None:
        self.lines.append(" ".join(f"# {title}: {reason}".split()))
        first = len(self.lines) + 1
        self.lines += "\n".join(lines).split("\n")
        self.steps.append(PlannedStep(title, reason, (first, len(self.lines))))
        self.lines.append("")


def write_dockerfile(
    *,
    base: str,
    reason: str,
    needs: Needs,
    overrides: bool,
    command: tuple[str, ...],
    labels: dict[str, str],
    builds_on: str = "",
) -> tuple[str, tuple[PlannedStep, ...]]:
    """Return a Dockerfile and its steps. Its build context is what `write_context` makes.

    With `builds_on`, the name of a version, it starts from the image that the argument `DERIVED_FROM` names.
    """
    text = _Text()
    if builds_on:
        text.step(f"Start from {builds_on}", "with all that it has", f"ARG {DERIVED}=scratch", f"FROM ${{{DERIVED}}}")
    else:
        version = f"{base.upper()}_VERSION"
        text.step(
            f"Start from {base}",
            reason,
            f"ARG REGISTRY={DEFAULT_REGISTRY}",
            f"ARG {version}={DEFAULT_VERSION}",
            f"FROM ${{REGISTRY}}/datalabs/{base}:${{{version}}}",
        )
    if needs.debian:
        text.step("Install Debian packages", _from(needs, python=False), debian_install(needs))
    installs = [need for need in needs.python if need.name or not need.text.startswith("-")] or needs.local
    if installs and not needs.local:
        copied = " ".join(["requirements.txt", *_beside(needs, overrides=overrides)])
        text.step(
            "Install Python packages",
            _from(needs, python=True),
            f"COPY {copied} {ASKED}/",
            f"RUN {python_install(base, needs, overrides=overrides, derived=bool(builds_on))}",
        )
    text.step(
        "Say what it is and how it starts", "from its metadata", *_metadata(command, labels, derived=bool(builds_on))
    )
    text.step("Add the package's files", "last, so that a changed notebook repeats nothing else", "COPY tree/ /")
    if needs.local:
        install = python_install(base, needs, overrides=overrides, derived=bool(builds_on))
        text.step("Install Python packages", _from(needs, python=True), f"RUN cd {INSIDE} && {install}")
    if needs.project:
        install = f"uv pip install --no-cache --no-deps --python {ENVIRONMENT}/bin/python {INSIDE}"
        if base not in WITH_ENVIRONMENT:
            install = f"pip install --no-cache-dir --no-deps {INSIDE}"
        text.step("Install the package itself", "it is a Python project", f"RUN {install}")
    return "\n".join(text.lines).rstrip() + "\n", tuple(text.steps)


def debian_install(needs: Needs) -> str:
    """Return the RUN line that installs the Debian packages, and leaves no lists behind."""
    names = " ".join(sorted({need.text for need in needs.debian}))
    return (
        f"RUN apt-get update && \\\n    apt-get install -y --no-install-recommends {names} && \\\n"
        "    rm -rf /var/lib/apt/lists/*"
    )


def python_install(base: str, needs: Needs, *, overrides: bool, derived: bool = False) -> str:
    """Return the shell command that installs the requirements into a base's environment.

    What is `derived` may stand on an image that somebody made by a Dockerfile of her own, with no such environment.
    """
    if derived and base in WITH_ENVIRONMENT:
        usual = python_install(base, needs, overrides=overrides)
        plain = python_install("", needs, overrides=False)
        return f"if [ -x {ENVIRONMENT}/bin/python ]; then \\\n    {usual}; \\\n    else {plain}; fi"
    folder = f"{INSIDE}/.requirements" if needs.local else ASKED
    limits = [f"--constraint {folder}/constraints.txt"] if needs.constraints else []
    if base not in WITH_ENVIRONMENT:
        pre = ["--pre"] if needs.prerelease else []
        return " ".join(["pip install --no-cache-dir", *pre, f"-r {folder}/requirements.txt", *limits])
    pre = ["--prerelease=allow"] if needs.prerelease else []
    limits += [f"--overrides {folder}/overrides.txt"] if overrides else []
    python = f"uv pip install --no-cache --no-progress --python {ENVIRONMENT}/bin/python"
    install = " ".join([python, *pre, f"-r {folder}/requirements.txt", *limits])
    # What is compiled here need not be compiled at each start; a session can't write into the image.
    new = f"find {ENVIRONMENT}/lib -name '*.py' -newer {folder}/.begun"
    compiled = f"{new} | {ENVIRONMENT}/bin/python -m compileall -q -j 0 -i -"
    return f"touch {folder}/.begun && \\\n    {install} && \\\n    {{ {compiled} || true; }}"


def _beside(needs: Needs, *, overrides: bool) -> list[str]:
    return [*(["constraints.txt"] if needs.constraints else []), *(["overrides.txt"] if overrides else [])]


def _from(needs: Needs, *, python: bool) -> str:
    """Say in which files the packages are named."""
    files = dict.fromkeys(need.file for need in (needs.python if python else needs.debian) if need.file)
    return f"named in {', '.join(files)}" if files else "accepted proposals"


def _metadata(command: tuple[str, ...], labels: dict[str, str], *, derived: bool) -> list[str]:
    lines = []
    if command:
        lines.append(f"ENV DATALAB_COMMAND={quoted(shell_line(command))}")
    if labels:
        lines.append("LABEL " + " \\\n      ".join(f"{key}={quoted(value)}" for key, value in labels.items()))
    if command or not derived:  # else it starts as what it is derived from
        lines.append(f"CMD {START}")
    return lines


def quoted(text: str) -> str:
    """Write a text as one value of ENV or LABEL, in which nothing is replaced."""
    one_line = _STRANGE.sub(" ", text)
    return '"' + re.sub(r'(["\\$])', r"\\\1", one_line) + '"'


def shell_line(command: tuple[str, ...]) -> str:
    """Write a command as one shell line; `$NAME` stays a variable, everything else is taken as it is."""
    if any("\n" in word for word in command):
        raise PackageProblem(
            "spacelab.yml, command: a word holds several lines.",
            "Put them into a script, and name that.",
            key="command",
        )
    return " ".join(_shell_word(word) for word in command)


def _shell_word(word: str) -> str:
    if _PLAIN_WORD.fullmatch(word):
        return word
    parts, last = [], 0
    for found in _VARIABLE.finditer(word):
        parts += [re.sub(r'(["\\$`])', r"\\\1", word[last : found.start()]), found[0]]
        last = found.end()
    return '"' + "".join(parts) + re.sub(r'(["\\$`])', r"\\\1", word[last:]) + '"'
