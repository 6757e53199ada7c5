"""Bringing a run's outputs to where they shall stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from cwltool.mutation import MutationManager
from cwltool.process import relocateOutputs
from cwltool.stdfsaccess import StdFsAccess
from cwltool.utils import visit_files, visit_files_directories
from schema_salad.ref_resolver import uri_file_path


def deliver(outputs: dict[str, Any], outdir: Path) -> dict[str, Any]:
    """Copy output files into a folder and give the outputs with their new locations."""
    outdir.mkdir(parents=True, exist_ok=True)
    moved = relocateOutputs(cast("Any", outputs), str(outdir), set(), "copy", StdFsAccess(""), compute_checksum=True)
    visit_files_directories(moved, _tidy)
    visit_files(moved, MutationManager().unset_generation)
    return cast("dict[str, Any]", moved)


def _tidy(entry: Any) -> None:
    """Keep of a file what a reader of the outputs can use."""
    for name in ("path", "nameext", "nameroot", "dirname"):
        entry.pop(name, None)
    if entry["location"].startswith("file://"):
        entry["path"] = uri_file_path(entry["location"])
