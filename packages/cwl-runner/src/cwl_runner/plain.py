"""`spacelab-cwl DOCUMENT [JOB]`: what any CWL runner's command does, with no run folder and no cache."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from cwltool.errors import UnsupportedRequirement

from cwl_runner import backends, documents, expressions, removal, warm
from cwl_runner.control import Control
from cwl_runner.coordinator import FAILURES, Coordinator, Setting
from cwl_runner.delivery import Delivery
from cwl_runner.digests import Digests
from cwl_runner.events import Silent
from cwl_runner.problems import Problem, describe
from cwl_runner.roots import Roots, named_in

UNSUPPORTED = 33


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="spacelab-cwl", description="Runs a CWL document.")
    parser.add_argument("--outdir", default=".", help="where outputs go (default: here)")
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")
    parser.add_argument("--parallel", type=int, default=os.cpu_count() or 1, help="jobs at a time")
    parser.add_argument("--backend", default="local", help="local, bubblewrap or auto (default: local)")
    parser.add_argument("--fetch", action="store_true", help="let documents be fetched from other machines")
    parser.add_argument("--network", action="store_true", help="let steps that ask for it use the network")
    parser.add_argument("--no-plans", action="store_true", help="take cwltool's own way for every job")
    parser.add_argument("--version", action="version", version="spacelab-cwl 0.1.0")
    parser.add_argument("document")
    parser.add_argument("job", nargs="?")
    return parser


def run_document(argv: list[str]) -> int:
    """Run a document: outputs as JSON on standard output; returns 0, 1 or 33 (unsupported)."""
    arguments = _parser().parse_args(argv)
    warm.quiet()
    work = Path(tempfile.mkdtemp(prefix="spacelab-cwl-"))
    try:
        return _run(arguments, work)
    except FAILURES as failure:
        _tell(describe(failure))
        return UNSUPPORTED if isinstance(failure, UnsupportedRequirement) else 1
    finally:
        removal.remove(work)


def _run(arguments: argparse.Namespace, work: Path) -> int:
    roots = Roots(["/"])
    control = Control(None)
    control.listen()
    context = documents.plain_context(roots, network=arguments.fetch)
    process = documents.load(arguments.document, context)
    order: dict[str, Any] = documents.read_order_file(arguments.job, context) if arguments.job else {}
    complete = documents.complete_order(process, order, roots)
    (work / "kept").mkdir()
    here: list[str | Path] = [
        Path.cwd(),
        Path(arguments.document.partition("#")[0]).parent,
        work / "kept",
        *named_in(complete),
        *filter(None, os.environ.get("PATH", "").split(":")),
    ]
    backend = backends.choose(arguments.backend, work / "places", arguments.parallel + 1, here)
    engine = expressions.Engine(isolated=backend.isolated)
    expressions.install(engine)
    try:
        setting = Setting(
            backend,
            Silent(),
            control,
            roots,
            work,
            Digests(),
            max(1, arguments.parallel),
            engine,
            base=str(Path(arguments.document).resolve().parent),
            on_error="stop",
            network=arguments.network,
            plans=not arguments.no_plans,
        )
        result = Coordinator(setting).run(process, dict(complete))
        if result.outputs is not None:
            delivery = Delivery(Path(arguments.outdir).resolve(), roots, setting.digests, movable=str(work))
            sys.stdout.write(json.dumps(delivery.deliver(result.outputs), indent=4, default=str) + "\n")
            sys.stdout.flush()
        if result.problem:
            _tell(result.problem)
        return UNSUPPORTED if result.unsupported else int(result.state != "succeeded")
    finally:
        engine.close()
        backend.close()


def _tell(problem: Problem) -> None:
    """Put a problem on standard error."""
    at = f"{problem.file}:{problem.line}: " if problem.line else ""
    node = f"{problem.node}: " if problem.node else ""
    advice = f"\n{problem.advice}" if problem.advice else ""
    sys.stderr.write(f"{at}{node}{problem.message}{advice}\n")
