"""What takes long when a process first uses cwltool: a parent does it once, and each run is forked from it.

`preload()` imports every module that a run needs, parses CWL's own schemas and loads a small document, so that a
child that is forked afterwards begins a run within milliseconds. It starts no thread and no process, opens no file
that stays open, and reads nothing of the run to come. A child calls `cwl_runner.cli.main(argv)` (once: cwltool's
registries grow with each document, so a process serves one run and ends).
"""

from __future__ import annotations

import gc
import logging
from pathlib import Path

VERSIONS = ("v1.0", "v1.1", "v1.2")


def preload() -> None:
    """Import and warm everything; takes a second or two, and about 120 MB that children share."""
    from cwltool.process import get_schema  # noqa: PLC0415 - the point is when this happens

    from cwl_runner import runs  # noqa: F401, PLC0415 - as above

    quiet()
    for version in VERSIONS:
        get_schema(version)
    practise()
    gc.collect()
    gc.freeze()


def practise() -> None:
    """Load a small document of this package's own."""
    from cwl_runner import documents, roots  # noqa: PLC0415 - as above

    here = Path(__file__).resolve().parent
    documents.load(str(here / "warm.cwl"), documents.plain_context(roots.Roots([here])))


def quiet() -> None:
    """Let cwltool's own log be silent: what it says comes as events."""
    for name in ("cwltool", "salad", "cwl_utils", "rdflib", "rdflib.term"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.handlers = [logging.NullHandler()]
