"""The programs of the inside, compiled beforehand: compiling them at each start would take it ten milliseconds more."""

from __future__ import annotations

import functools
import hashlib
import logging
import py_compile
import shutil
import sys
import tempfile
from pathlib import Path

from spacelab.workloads.runtimes.process.sandbox import SUPERVISOR
from spacelab.workloads.runtimes.shared.places import INSIDE

logger = logging.getLogger(__name__)


@functools.cache
def prepared(run_directory: Path) -> Path | None:
    """Return a folder with the compiled programs, made once for each state of their sources; None if that fails.

    They are for the interpreter that runs this.
    """
    sources = sorted(INSIDE.glob("*.py"))
    state = hashlib.sha256(f"{sys.version} {sys.implementation.cache_tag}".encode())
    for source in sources:
        state.update(source.name.encode() + b"\0" + source.read_bytes())
    folder = run_directory / f".inside-{state.hexdigest()[:16]}"
    if folder.is_dir():
        return folder
    fresh = Path(tempfile.mkdtemp(prefix=".inside-", dir=run_directory))
    try:
        fresh.chmod(0o755)
        for source in sources:
            py_compile.compile(
                str(source),
                cfile=str(fresh / f"{source.stem}.pyc"),
                dfile=str(SUPERVISOR.with_name(source.name)),
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        fresh.rename(folder)
    except (OSError, py_compile.PyCompileError):
        shutil.rmtree(fresh, ignore_errors=True)
        if not folder.is_dir():
            logger.warning("the supervisor could not be compiled; workloads start more slowly", exc_info=True)
            return None
    return folder
