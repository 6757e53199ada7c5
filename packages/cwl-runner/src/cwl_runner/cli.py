"""The command `spacelab-cwl`: `run RUNFOLDER` for the platform, `DOCUMENT [JOB]` as any CWL runner.

A preloaded parent (see `warm.preload`) forks and lets the child call `main(argv)`; the child ends with what it
returns. `main` keeps nothing between calls, installs handlers for SIGTERM and SIGINT (both cancel the run) and never
raises: what goes wrong becomes an event, or a message on standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any


def script() -> None:
    """Serve as the entry point of the installed command."""
    sys.exit(main(sys.argv[1:]))


def main(argv: list[str]) -> int:
    """Carry out one command line and return its exit code."""
    if argv[:1] == ["run"] and len(argv) == 2:  # noqa: PLR2004 - the word and the folder
        from cwl_runner.runs import run_folder  # noqa: PLC0415 - imports cwltool, which takes a second

        return run_folder(Path(argv[1]))
    return plain(argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="spacelab-cwl", description="Runs a CWL document.")
    parser.add_argument("--outdir", default=".", help="where outputs go (default: here)")
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")
    parser.add_argument("--parallel", type=int, default=os.cpu_count() or 1, help="jobs at a time")
    parser.add_argument("--fetch", action="store_true", help="let documents be fetched from other machines")
    parser.add_argument("--version", action="version", version="spacelab-cwl 0.1.0")
    parser.add_argument("document")
    parser.add_argument("job", nargs="?")
    return parser


def plain(argv: list[str]) -> int:
    """Run a document as cwl-runner does: outputs as JSON on standard output; 0, 1 or 33 (unsupported)."""
    from cwl_runner import documents, removal, warm  # noqa: PLC0415 - as above
    from cwl_runner.backends.local import Local  # noqa: PLC0415 - as above
    from cwl_runner.control import Control  # noqa: PLC0415 - as above
    from cwl_runner.coordinator import FAILURES, Coordinator, Setting  # noqa: PLC0415 - as above
    from cwl_runner.delivery import deliver  # noqa: PLC0415 - as above
    from cwl_runner.events import Silent  # noqa: PLC0415 - as above
    from cwl_runner.problems import describe  # noqa: PLC0415 - as above
    from cwl_runner.roots import Roots  # noqa: PLC0415 - as above

    arguments = _parser().parse_args(argv)
    warm.quiet()
    roots = Roots(["/"])
    control = Control(None)
    control.listen()
    work = Path(tempfile.mkdtemp(prefix="spacelab-cwl-"))
    backend = None
    try:
        context = documents.plain_context(roots, network=arguments.fetch)
        process = documents.load(arguments.document, context)
        order: dict[str, Any] = documents.read_order_file(arguments.job, context) if arguments.job else {}
        complete = documents.complete_order(process, order, roots)
        backend = Local(work / "places", arguments.parallel)
        setting = Setting(backend, Silent(), control, roots, work, on_error="stop")
        result = Coordinator(setting).run(process, dict(complete))
        if result.outputs is not None:
            outputs = deliver(result.outputs, Path(arguments.outdir).resolve())
            sys.stdout.write(json.dumps(outputs, indent=4, default=str) + "\n")
            sys.stdout.flush()
        if result.problem:
            sys.stderr.write(f"{_told(result.problem)}\n")
        code = 33 if result.unsupported else int(result.state != "succeeded")
    except FAILURES as failure:
        from cwltool.errors import UnsupportedRequirement  # noqa: PLC0415 - as above

        sys.stderr.write(f"{_told(describe(failure))}\n")
        code = 33 if isinstance(failure, UnsupportedRequirement) else 1
    finally:
        if backend:
            backend.close()
        removal.remove(work)
    return code


def _told(problem: Any) -> str:
    """Put a problem into lines for a terminal."""
    at = f"{problem.file}:{problem.line}: " if problem.line else ""
    node = f"{problem.node}: " if problem.node else ""
    return f"{at}{node}{problem.message}" + (f"\n{problem.advice}" if problem.advice else "")
