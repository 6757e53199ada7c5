"""Outputs that are links: none may lead out of what the run may read, and none is followed there.

A job sees its folder under another path than this process does, so a link that it made to one of its inputs means
nothing here until it is translated. A link to anything else than the job's own files or what the run may read is
refused when it is collected as an output; where it is merely left lying about, nobody follows it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

from cwltool.stdfsaccess import StdFsAccess
from cwltool.utils import visit_files_directories
from schema_salad.ref_resolver import uri_file_path

from cwl_runner.problems import Refusal
from cwl_runner.roots import Roots, local_path

LIST = "cwl.output.json"
"""What a command may name its outputs in."""
ADVICE = "Let the tool copy the file into its output folder instead of linking to it."


def settle(folder: str, translate: Callable[[str], str]) -> bool:
    """Make the links below a job's output folder right for this process; says whether there are any."""
    linked = False
    for entry in os.scandir(folder):
        if entry.is_symlink():
            linked = True
            target = os.readlink(entry.path)  # noqa: PTH115 - the text as it is
            right = translate(target)
            if right != target:
                os.unlink(entry.path)  # noqa: PTH108 - as above
                os.symlink(right, entry.path)  # noqa: PTH211 - as above
        elif entry.is_dir(follow_symlinks=False):
            linked |= settle(entry.path, translate)
    return linked


def refuse_detour(path: str, folder: str) -> None:
    """Raise Refusal when a command put a link where a folder above one of its files was: nothing is changed there."""
    above, real = os.path.realpath(os.path.dirname(path)), os.path.realpath(folder)  # noqa: PTH120 - as above
    if above != real and not above.startswith(f"{real}/"):
        name = os.path.relpath(path, folder)
        raise Refusal(f"The command put a link in the place of a folder above {name}: refused.", ADVICE)


def refuse_pipe(folder: str) -> None:
    """Raise Refusal when a command's list of its outputs is no file: reading a pipe would never end."""
    try:
        found = os.stat(f"{folder}/{LIST}")  # noqa: PTH116 - for every job
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise Refusal(f"{LIST} isn't a file: refused.", "Let the tool write its outputs as JSON there, or nothing.")


def check(path: str, folder: str, roots: Roots) -> None:
    """Raise Refusal when a path, links followed, is neither below a job's folder nor readable for the run."""
    real = os.path.realpath(path)
    if not (real == folder or real.startswith(f"{folder}/") or roots.allows(real)):
        name = os.path.relpath(path, folder)
        raise Refusal(f"The output {name} is a link to {real}, outside of the job's folder: refused.", ADVICE)


def verify(outputs: Any, kept: str, roots: Roots, *, linked: bool) -> None:
    """Check every file and folder of collected outputs, and what lies in the folders."""

    def one(entry: Any) -> None:
        location = str(entry.get("location", ""))
        if location.startswith("_:"):
            return
        path = local_path(location)
        if not path:
            raise Refusal(f"The output {location} isn't a file.")
        if linked or not os.path.normpath(path).startswith(f"{kept}/"):
            real_kept = os.path.realpath(kept)
            check(path, real_kept, roots)
            if entry["class"] == "Directory":
                for top, folders, names in os.walk(path):
                    for name in (*folders, *names):
                        check(f"{top}/{name}", real_kept, roots)

    visit_files_directories(outputs, one)


class Access(StdFsAccess):
    """Finds outputs, and refuses matches that lead out; a run makes a subclass with its `roots`."""

    roots: Roots

    def glob(self, pattern: str) -> list[str]:
        """Give the matches of a pattern."""
        found = super().glob(pattern)
        if found and self.basedir in self.roots.linked:
            folder = os.path.realpath(self.basedir)
            for match in found:
                check(uri_file_path(match), folder, self.roots)
        return found
