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

DEEPEST = 400
"""Folders above each other in a path: this process and those who read results could follow no more."""
LONGEST = 3000
"""Characters of a folder's path, of the 4095 bytes that the system takes."""
CHAIN = 8
"""Links to folders that one path may lead through."""
THROUGH = 100_000
"""Files and folders that links to folders may stand for: links that lead round about would stand for any number."""
LIST = "cwl.output.json"
"""What a command may name its outputs in."""
ADVICE = "Let the tool copy the file into its output folder instead of linking to it."


def settle(folder: str, translate: Callable[[str], str]) -> bool:
    """Make the links below a job's output folder right for this process; says whether there are any."""
    linked = False
    if folder.count("/") > DEEPEST or len(folder) > LONGEST:
        raise Refusal("The command nested its folders too deeply.", "Let it write fewer folders inside each other.")
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


def refuse_staged(path: str, folder: str) -> None:
    """Raise Refusal when a command's output would be written where a link to an input is, or below one."""
    name = path[len(folder) + 1 :]
    if "/" not in name and not os.path.islink(path):  # noqa: PTH114 - for every job
        return
    above, real = os.path.realpath(os.path.dirname(path)), os.path.realpath(folder)  # noqa: PTH120 - as above
    if os.path.islink(path) or not (above == real or above.startswith(f"{real}/")):  # noqa: PTH114 - for every job
        raise Refusal(f"{name} would be written through an input.", "Give files and folders different names.")


def refuse_pipe(folder: str) -> None:
    """Raise Refusal when a command's list of its outputs is no file: reading a pipe would never end."""
    try:
        found = os.stat(f"{folder}/{LIST}")  # noqa: PTH116 - for every job
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise Refusal(f"{LIST} isn't a file: refused.", "Let the tool write its outputs as JSON there, or nothing.")


def refuse_many(count: int, links: int) -> None:
    """Raise Refusal when links to folders stand for too many files, or a path leads through too many of them."""
    if count > THROUGH or links > CHAIN:
        raise Refusal("Links to folders lead round about, or stand for too many files: refused.", ADVICE)


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
    _through = 0

    def listdir(self, fn: str) -> list[str]:
        """List a folder; what links to folders stand for is counted, and bounded."""
        found = super().listdir(fn)
        path, links = self._abs(fn), 0
        while len(path) > 1 and links <= CHAIN:
            links += os.path.islink(path)  # noqa: PTH114 - for every folder of an input or output
            path = os.path.dirname(path)  # noqa: PTH120 - as above
        self._through += len(found) if links else 0
        refuse_many(self._through, links)
        return found

    def glob(self, pattern: str) -> list[str]:
        """Give the matches of a pattern."""
        found = super().glob(pattern)
        if found and self.basedir in self.roots.linked:
            folder = os.path.realpath(self.basedir)
            for match in found:
                check(uri_file_path(match), folder, self.roots)
        return found
