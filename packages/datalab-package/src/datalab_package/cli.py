"""The commands `check` and `new`, which need neither a platform nor a container engine."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from datalab_package.drafts import suggest_metadata
from datalab_package.intake import check_folder
from datalab_package.manifest import Manifest, meta_file, missing_terms, read_manifest
from datalab_package.names import KINDS
from datalab_package.new_packages import new_package
from datalab_package.planning import make_plan, plan_without_metadata
from datalab_package.plans import Plan
from datalab_package.problems import PackageProblem

T = TypeVar("T")


def parser(program: str = "datalab-package") -> argparse.ArgumentParser:
    """Return what reads the command line."""
    top = argparse.ArgumentParser(prog=program, description="Check packages of datalabs, and begin new ones.")
    commands = top.add_subparsers(dest="command", required=True, metavar="check|new")
    check = commands.add_parser("check", help="say what a package would become, and what is wrong with it")
    check.add_argument("folder", type=Path, metavar="DIR", help="the package's folder")
    check.add_argument("--json", action="store_true", help="as JSON, for programs")
    check.add_argument(
        "--dockerfile", action="store_true", help="print the Dockerfile that would be built, and no more"
    )
    new = commands.add_parser("new", help="write a starter into a new folder")
    new.add_argument("--kind", choices=KINDS, default="jupyter", help="what a person will see (%(default)s)")
    new.add_argument("--title", default="", help="its name; left out, it is made from the folder's")
    new.add_argument("folder", type=Path, metavar="DIR", help="the new folder")
    return top


def main(arguments: Sequence[str] | None = None, program: str = "datalab-package") -> int:
    """Do what the command line says; return 0, or 1 if the package can't be used."""
    options = parser(program).parse_args(arguments)
    if options.command == "new":
        return _new(options.folder, options.kind, options.title, program)
    return _check(options.folder, as_json=options.json, only_dockerfile=options.dockerfile)


def script() -> None:
    """Run as a program of its own."""
    sys.exit(main())


def say(text: str = "") -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")


def _tell(problem: PackageProblem) -> None:
    say(f"✗ {problem.message}")
    if problem.advice:
        say(f"  {problem.advice}")


def _new(folder: Path, kind: str, title: str, program: str) -> int:
    try:
        files = new_package(folder, kind, title)
    except PackageProblem as problem:
        _tell(problem)
        return 1
    say(f"{folder}: {', '.join(files)}")
    say(f"Next: put your name into datalab-meta.yml, then {program} check {folder}")
    return 0


class _Findings:
    """All that is known of a package, gathered although parts of it may be wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[PackageProblem] = []
        taken = self.look(lambda: check_folder(folder))
        self.notes = list(taken.notes) if taken else []
        self.manifest = self.look(lambda: read_manifest(folder) if meta_file(folder) else None)
        self.plan = self.look(lambda: _plan(folder, self.manifest))

    def look(self, at: Callable[[], T]) -> T | None:
        """Return what there is to see, or keep what is wrong with it, once."""
        try:
            return at()
        except PackageProblem as problem:
            told = {one.message for one in self.problems}
            self.problems += [problem] if problem.message not in told else []
            return None


def _check(folder: Path, *, as_json: bool, only_dockerfile: bool) -> int:
    if not folder.is_dir():
        _tell(PackageProblem(f"There is no folder {folder}."))
        return 1
    findings = _Findings(folder)
    if only_dockerfile and findings.plan and not findings.problems:
        sys.stdout.write(findings.plan.dockerfile)
    elif as_json:
        say(json.dumps(_as_data(findings), ensure_ascii=False, indent=2))
    else:
        _show(findings)
        for problem in findings.problems:
            _tell(problem)
    return 1 if findings.problems else 0


def _plan(folder: Path, manifest: Manifest | None) -> Plan:
    return make_plan(folder, manifest) if manifest else plan_without_metadata(folder)


def _show(findings: _Findings) -> None:
    manifest, plan, notes = findings.manifest, findings.plan, findings.notes
    if manifest:
        say(f"{manifest.title} {manifest.version} ({manifest.slug})")
        notes = [*notes, *(f"The metadata leave out {term}." for term in missing_terms(manifest))]
    elif not meta_file(findings.folder):
        draft = suggest_metadata(findings.folder)
        lines = "".join(f"\n      {key}: {value}" for key, value in draft.items())
        notes = [*notes, f"There is no datalab-meta.yml. A beginning could be:{lines}"]
    if plan:
        say(f"A {plan.kind} datalab{f' on {plan.base}' if plan.base else ''}: {' '.join(plan.found)}")
        for number, step in enumerate(plan.steps, 1):
            say(f"  {number}. {step.title} ({step.reason})")
        for proposal in plan.proposals:
            say(f"  ? {proposal.package} is not among its requirements: {proposal.reason}")
        notes = [*notes, *plan.warnings]
    for note in notes:
        say(f"  ! {note}")


def _as_data(findings: _Findings) -> dict[str, object]:
    manifest, plan = findings.manifest, findings.plan
    return {
        "usable": not findings.problems,
        "problems": [
            {"message": one.message, "advice": one.advice, "file": one.file, "line": one.line, "key": one.key}
            for one in findings.problems
        ],
        "notes": findings.notes,
        "metadata": manifest.metadata if manifest else {},
        "missing": missing_terms(manifest) if manifest else [],
        "plan": asdict(plan) if plan else None,
    }
