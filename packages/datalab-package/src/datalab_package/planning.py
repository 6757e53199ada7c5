"""Decides what becomes of a package: which kind it is, what has to be installed, how it starts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from datalab_package.budgets import Budget
from datalab_package.conda import CONDA_FILES, read_environment
from datalab_package.dockerfile_writing import shell_line, write_dockerfile
from datalab_package.imports import missing_imports, python_files
from datalab_package.known_names import BASE_PACKAGES, DESKTOP_PROGRAMS, JUPYTER_SERVER
from datalab_package.manifest import Manifest, meta_file, read_manifest
from datalab_package.names import KINDS
from datalab_package.own_dockerfiles import DOCKERFILE, read_own_dockerfile
from datalab_package.plans import Answers, Origin, Plan
from datalab_package.prefixes import PREFIX, find_prefix
from datalab_package.problems import PackageProblem
from datalab_package.requirements import Need, Needs, read_need, read_packages, read_pyproject, read_requirements
from datalab_package.setup import read_setup
from datalab_package.texts import read_text
from datalab_package.web_programs import WebProgram, find_web_programs, main_of

BASES = {"jupyter": "jl_base", "desktop": "x_base", "web": "web_base"}
JUPYTER_INTERFACE = {"port": 10000, "path": "/datalabs/{id}/lab", "health_path": "/datalabs/{id}/api"}
WEB_INTERFACE = {"port": 10000, "path": "/", "health_path": "/"}
WAYS = "Put in a notebook, a script of a web application, a Dockerfile, or a spacelab.yml with kind and command."


@dataclass
class _Findings:
    """What is known of a package while its plan is made."""

    folder: Path
    manifest: Manifest | None
    said: dict[str, Any]
    answers: Answers
    needs: Needs = field(default_factory=Needs)
    found: list[str] = field(default_factory=list)
    notebooks: list[str] = field(default_factory=list)
    programs: list[WebProgram] = field(default_factory=list)
    program: WebProgram | None = None
    kind: str = ""
    command: tuple[str, ...] = ()

    @property
    def builds_on(self) -> str:
        """The version whose image is built upon; empty where it is one of the bases."""
        based_on = self.said.get("based_on")
        return str(based_on) if based_on and self.answers.layered else ""

    @property
    def declared_kind(self) -> str:
        return self.answers.kind or str(self.said.get("declared_kind", ""))

    @property
    def declared_command(self) -> tuple[str, ...]:
        return self.answers.command or tuple(self.said.get("command", ()))


def make_plan(folder: Path, manifest: Manifest | None = None, *, answers: Answers | None = None) -> Plan:
    """Plan how the package in `folder` becomes a datalab; its metadata may still be missing.

    Raises `PackageProblem`, with file and line, for what can't be read, for two kinds in one package, for a
    Dockerfile that may not be built, and if there is nothing to start.
    """
    if manifest is None and not meta_file(folder):
        return plan_without_metadata(folder, answers)
    manifest = manifest or read_manifest(folder)
    return _plan(_Findings(folder, manifest, vars(manifest), answers or Answers()))


def plan_without_metadata(folder: Path, answers: Answers | None = None) -> Plan:
    """Plan as `make_plan` does, whatever `datalab-meta.yml` says, and whether there is one."""
    return _plan(_Findings(folder, None, read_setup(folder), answers or Answers()))


def _plan(findings: _Findings) -> Plan:
    folder = findings.folder
    if findings.answers.kind and findings.answers.kind not in KINDS:
        raise PackageProblem(f"“{findings.answers.kind}” is none of {', '.join(KINDS)}.", key="kind")
    findings.notebooks = [name for name in python_files(folder) if name.endswith(".ipynb")]
    if (folder / DOCKERFILE).is_file():
        return _own(findings)
    findings.needs = gather_needs(folder)
    for text in findings.answers.accepted:
        findings.needs.python.append(read_need(text, "", 0, findings.needs))
    findings.programs = find_web_programs(folder, findings.needs.names())
    _decide_kind(findings)
    _decide_command(findings)
    findings.needs.warnings.extend(_lost_files(findings))
    return _generated(findings)


def gather_needs(folder: Path) -> Needs:
    """Read all files of a package that say what has to be installed; raise `PackageProblem` with file and line."""
    needs = Needs()
    for name in CONDA_FILES:
        if (folder / name).is_file():
            read_environment(folder, name, needs)
    if (folder / "requirements.txt").is_file():
        read_requirements(folder, "requirements.txt", needs)
    if (folder / "pyproject.toml").is_file():
        read_pyproject(folder, needs)
    elif (folder / "setup.py").is_file():
        needs.project = True
        needs.sources.append("setup.py")
    for name in ("packages.txt", "apt.txt"):
        if (folder / name).is_file():
            read_packages(folder, needs, name)
    needs.python = list({need.text: need for need in reversed(needs.python)}.values())[::-1]
    return needs


def _lost_files(findings: _Findings) -> list[str]:
    """Warn of files of the package that the command names as if it started beside them."""
    words = [word for word in findings.declared_command if re.fullmatch(r"\w[\w./+-]{0,200}", word)]
    return [
        f"The command names `{word}`, but it starts in the workspace: write `$SPACELAB_PACKAGE/{word}` for the file"
        " of the package."
        for word in words
        if (findings.folder / word).is_file()
    ]


def _decide_kind(findings: _Findings) -> None:
    """Say what a person sees when the datalab opens, and by what that was recognised."""
    declared, program = findings.declared_kind, main_of(findings.programs)
    desktop = [need for need in findings.needs.debian if need.name in DESKTOP_PROGRAMS]
    names = [need.name for need in desktop]
    if declared:
        findings.kind = declared
        findings.found.append(f"It says that it is of the kind {declared}.")
    elif findings.declared_command:
        findings.kind = "web"
        findings.found.append("spacelab.yml names a command and no kind: a web application.")
    elif findings.programs:
        findings.kind = "web"
        shown = program or findings.programs[0]
        place = f"{shown.file}, line {shown.line}" if shown.line else shown.file
        findings.found.append(f"{place}: a {shown.framework} application.")
        if findings.notebooks and shown.file.endswith(".py"):
            findings.needs.warnings.append(
                f"There are notebooks too; {shown.file} is what opens. To open JupyterLab instead, write"
                " `kind: jupyter` into spacelab.yml."
            )
    elif findings.notebooks:
        findings.kind = "jupyter"
        count = len(findings.notebooks)
        findings.found.append(findings.notebooks[0] if count == 1 else f"{count} notebooks")
    elif names:
        findings.kind = "desktop"
        findings.found.append(f"{desktop[0].file}, line {desktop[0].line}: {names[0]} is a desktop program.")
    elif (findings.folder / "index.html").is_file():
        findings.kind = "web"
        findings.found.append("index.html: pages that are served as they are.")
    elif findings.needs.sources or python_files(findings.folder):
        findings.kind = "jupyter"
        findings.found.append("Python packages or scripts for JupyterLab.")
    else:
        raise PackageProblem("There is nothing in the package that could be started.", WAYS)


def _decide_command(findings: _Findings) -> None:
    findings.command = findings.declared_command
    starts_itself = (findings.folder / "start.sh").is_file()
    if findings.command or findings.kind == "jupyter" or starts_itself or findings.builds_on:
        return
    if findings.kind == "web":
        findings.program = main_of(findings.programs)
        if findings.program:
            findings.command = findings.program.command
        elif findings.programs:
            several = " and ".join(f"{one.file} ({one.framework})" for one in findings.programs)
            raise PackageProblem(
                f"There are several web applications: {several}.",
                "Name the one to start app.py, or write its command into spacelab.yml.",
                key="command",
            )
        elif not (findings.folder / "index.html").is_file():
            raise PackageProblem("A web datalab needs a command to start.", WAYS, "spacelab.yml", key="command")
    else:
        programs = [DESKTOP_PROGRAMS[need.name] for need in findings.needs.debian if need.name in DESKTOP_PROGRAMS]
        if len(set(programs)) != 1:
            what = f"There are several desktop programs: {', '.join(programs)}." if programs else "No program is named."
            raise PackageProblem(what, "Write its command into spacelab.yml.", "spacelab.yml", key="command")
        findings.command = (programs[0],)


def _generated(findings: _Findings) -> Plan:
    """Make the plan of a package without a Dockerfile."""
    base, needs = BASES[findings.kind], findings.needs
    _leave_out_the_server(findings)
    if program := findings.program:
        needed = {canonicalize_name(text.partition("[")[0]): text for text in program.needs}
        missing = [(text, name) for name, text in needed.items() if name not in needs.names()]
        needs.python.extend(Need(text, name, program.file, program.line) for text, name in missing)
    provided = BASE_PACKAGES[base] if findings.answers.provided is None else findings.answers.provided
    budget = Budget()
    proposals = tuple(missing_imports(findings.folder, provided={*provided, *needs.names()}, budget=budget))
    needs.warnings.extend([budget.warning] if budget.warning else [])
    overrides = (findings.folder / "overrides.txt").is_file()
    interface = _interface(findings)
    labels = _labels(findings)
    dockerfile, steps = write_dockerfile(
        base=base,
        reason=" ".join(findings.found[:1]),
        needs=needs,
        overrides=overrides,
        command=findings.command if findings.kind != "jupyter" else (),
        labels=labels,
        builds_on=findings.builds_on,
    )
    return Plan(
        kind=findings.kind,
        base=base,
        dockerfile=dockerfile,
        requirements=tuple(need.text for need in needs.python),
        debian_packages=tuple(need.text for need in needs.debian),
        command=findings.command,
        interface=interface,
        steps=steps,
        proposals=tuple(one for one in proposals if one.package),
        warnings=(*needs.warnings, *(one.reason for one in proposals if not one.package)),
        activity_probe=_probe(findings),
        found=tuple(findings.found),
        notebooks=tuple(findings.notebooks),
        labels=labels,
        constraints=tuple(need.text for need in needs.constraints),
        overrides=overrides,
        local=needs.local,
        project=needs.project,
        prerelease=needs.prerelease,
        origins=tuple(Origin(need.text, need.file, need.line) for need in needs.python),
        debian_origins=tuple(Origin(need.text, need.file, need.line) for need in needs.debian),
        builds_on=findings.builds_on,
    )


def _leave_out_the_server(findings: _Findings) -> None:
    """Keep the base's JupyterLab: a package's pin of an older one would take the base apart."""
    if findings.kind != "jupyter" or findings.command:
        return  # who names a command of her own knows which server it starts
    for need in findings.needs.python:
        if need.name in JUPYTER_SERVER:
            place = f"{need.file}, line {need.line}: " if need.file else ""
            findings.needs.warnings.append(f"{place}{need.text} is left out, because jl_base brings JupyterLab.")
    findings.needs.python = [need for need in findings.needs.python if need.name not in JUPYTER_SERVER]


def _own(findings: _Findings) -> Plan:
    """Make the plan of a package with a Dockerfile of its own."""
    text = read_text(findings.folder / DOCKERFILE)
    own = read_own_dockerfile(text, findings.answers.allowed_bases)
    usual = {base: kind for kind, base in BASES.items()}.get(own.base, "")
    declared = findings.declared_kind
    if {usual, declared} == {"jupyter", "desktop"}:
        raise PackageProblem(
            f"It is of two kinds: its Dockerfile builds on {own.base}, and spacelab.yml says kind: {declared}.",
            f"Write kind: {usual}, or build on {BASES[declared]}.",
            "spacelab.yml",
            key="kind",
        )
    findings.kind = declared or usual or "web"
    findings.command = findings.declared_command
    findings.found.append(f"A Dockerfile on {own.base or 'an image of its own'}.")
    shell_line(findings.command)
    interface = _interface(findings)
    return Plan(
        kind=findings.kind,
        base=own.base,
        dockerfile=own.text,
        own_dockerfile=True,
        command=findings.command,
        interface=interface,
        steps=own.steps,
        warnings=own.warnings,
        activity_probe=_probe(findings),
        found=tuple(findings.found),
        notebooks=tuple(findings.notebooks),
        labels=_labels(findings),
        added_lines=own.added_lines,
    )


def _interface(findings: _Findings) -> dict[str, Any]:
    """Say where the application begins and answers: as the author says, else as is usual for it or found in it."""
    said = findings.said.get("interface", {})
    if findings.kind == "jupyter" and not findings.command:
        return {**JUPYTER_INTERFACE, **said}
    usual = WEB_INTERFACE
    if findings.program:
        usual = {**usual, "health_path": findings.program.health_path}
    elif "path" not in said and (place := find_prefix(findings.folder)):
        usual = {**usual, "path": PREFIX, "health_path": PREFIX}
        findings.found.append(f"{place[0]}, line {place[1]}: it serves below /datalabs/$IF_main_id, and opens there.")
    elif "path" in said:
        usual = {**usual, "health_path": said["path"]}
    return {**usual, **said}


def _probe(findings: _Findings) -> str:
    usual = "jupyter" if findings.kind == "jupyter" and not findings.command else ""
    return str(findings.said.get("activity_probe", "")) or usual


def _labels(findings: _Findings) -> dict[str, str]:
    labels = {"org.spacelab.kind": findings.kind, "org.spacelab.root": str(findings.said.get("root", "read-only"))}
    if manifest := findings.manifest:
        labels |= {
            "org.opencontainers.image.title": manifest.title,
            "org.opencontainers.image.description": manifest.abstract,
            "org.opencontainers.image.version": manifest.version,
            "org.opencontainers.image.authors": manifest.author,
            "org.opencontainers.image.licenses": manifest.licence,
        }
    return {key: value for key, value in labels.items() if value}
