"""The command `spacelab-cwl`: `run RUNFOLDER` for the platform, `DOCUMENT [JOB]` as any CWL runner, `serve SOCKET`.

A preloaded parent (see `warm.preload`) forks and lets the child call `main(argv)`; the child ends with what it
returns. `main` keeps nothing between calls, installs handlers for SIGTERM and SIGINT (both cancel the run) and never
raises: what goes wrong becomes an event, or a message on standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path


def script() -> None:
    """Serve as the entry point of the installed command."""
    sys.exit(main(sys.argv[1:]))


def main(argv: list[str]) -> int:
    """Carry out one command line and return its exit code."""
    if argv[:1] == ["run"] and len(argv) == 2:  # noqa: PLR2004 - the word and the folder
        from cwl_runner.runs import run_folder  # noqa: PLC0415 - imports cwltool, which takes a second

        return run_folder(Path(argv[1]))
    if argv[:1] == ["serve"] and len(argv) == 2:  # noqa: PLR2004 - as above
        from cwl_runner.serving import serve  # noqa: PLC0415 - as above

        serve(Path(argv[1]))
    from cwl_runner.plain import run_document  # noqa: PLC0415 - as above

    return run_document(argv)
