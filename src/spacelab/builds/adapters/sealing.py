"""Takes over an environment that a build's sandbox made: nothing in it may lead the platform astray afterwards."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from spacelab.builds.clearing import remove
from spacelab.kit.refusals import Invalid, Unavailable

MARK = ".complete"
"""The file that a finished environment holds."""
MOST_FILES = 400_000


def base_interpreter() -> str:
    """Return the interpreter below the platform's own virtual environment, the one that sandboxes see too."""
    return str(getattr(sys, "_base_executable", sys.executable))


def python_version() -> str:
    """Return that interpreter's version."""
    return platform.python_version()


def is_sealed(folder: Path) -> bool:
    """Say whether the folder is a finished environment."""
    return (folder / MARK).exists()


def size_of(folder: Path) -> int:
    """Return the bytes that were counted when the environment was sealed; 0 where nobody counted."""
    try:
        return int((folder / MARK).read_text() or 0)
    except (OSError, ValueError):
        return 0


def clone(base: Path, target: Path, uid: int) -> bool:
    """Make a tree of the base's files without copying them, in folders that the user `uid` may change; say if done.

    Only where the platform is root: the files then stay root's, and a build can replace them and not change them.
    """
    if os.geteuid() != 0:
        return False
    try:
        shutil.copytree(base, target, symlinks=True, copy_function=os.link)
    except (OSError, shutil.Error):
        shutil.rmtree(target, ignore_errors=True)
        return False
    for parent, _, _ in os.walk(target):
        os.chown(parent, uid, uid)
    (target / MARK).unlink(missing_ok=True)
    return True


def seal(folder: Path, *, largest: int) -> None:
    """Make the tree the platform's own: plain files, folders and links; no odd rights; the known interpreter.

    What names the interpreter is written anew, since the runtime shows a session the folders that it leads to. The
    workload has ended before, so nothing changes meanwhile. Raises `Invalid` on what no environment has.
    """
    if not stat.S_ISDIR(_mode(folder)) or not stat.S_ISDIR(_mode(folder / "bin")):
        raise Invalid("The build left no environment behind.", advice="Look at the end of its log.")
    total = count = 0
    try:
        for parent, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False, onerror=_raise):
            _own(descriptor, None)
            os.fchmod(descriptor, 0o755)
            for name in (*folders, *files):
                count += 1
                total += _settle(name, descriptor, Path(parent, name), folder)
    except (OSError, RecursionError) as error:
        raise Invalid(
            "The environment can't be taken over: it has folders in each other without end, or odd names.",
            advice="Look at what the package's own set-up does.",
        ) from error
    if count > MOST_FILES or total > largest:
        raise Invalid(
            f"The environment has {count} files and {total // 2**20} MiB, more than a build may make.",
            advice="Ask for fewer packages, or an operator for a larger limit (SPACELAB_BUILD_DISK_MB).",
        )
    _name_interpreter(folder)
    remove(folder / MARK)
    (folder / MARK).write_text(str(total))


def _raise(error: OSError) -> None:
    """Pass over nothing, as no descriptor left would, but the links that were just removed."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except OSError:
        return 0


def _own(descriptor: int, name: str | None) -> None:
    """Give a file to the platform; without a name, the folder that the descriptor is."""
    if os.geteuid() != 0:
        return
    if name is None:
        os.fchown(descriptor, 0, 0)
    else:
        os.chown(name, 0, 0, dir_fd=descriptor, follow_symlinks=False)


def _settle(name: str, descriptor: int, path: Path, root: Path) -> int:
    """Make one entry harmless, and return its bytes; a link that leads out of the environment goes."""
    found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    mode = found.st_mode
    if stat.S_ISDIR(mode):
        os.chmod(name, 0o755, dir_fd=descriptor)  # noqa: S103  sessions of all people look into it
    elif stat.S_ISREG(mode):
        _own(descriptor, name)
        os.chmod(name, 0o755 if mode & 0o111 else 0o644, dir_fd=descriptor)
        return found.st_size
    elif stat.S_ISLNK(mode) and path.resolve().is_relative_to(root.resolve()):
        _own(descriptor, name)
    else:
        os.unlink(name, dir_fd=descriptor)
    return 0


def _name_interpreter(folder: Path) -> None:
    """Write `pyvenv.cfg` and the links in `bin` that lead to the interpreter."""
    interpreter = Path(base_interpreter())
    minor = "python{}.{}".format(*sys.version_info[:2])
    for name in ("python", "python3", minor):
        remove(folder / "bin" / name)
    (folder / "bin" / "python").symlink_to(interpreter)
    for name in ("python3", minor):
        (folder / "bin" / name).symlink_to("python")
    config = folder / "pyvenv.cfg"
    remove(config)
    config.write_text(
        f"home = {interpreter.parent}\nimplementation = CPython\nversion_info = {python_version()}\n"
        "include-system-site-packages = false\nrelocatable = true\n"
    )


def add(folder: Path, into: str, sources: Mapping[str, Path]) -> None:
    """Put the platform's own files, by their names there, into the folder `into` of a sealed environment."""
    target = folder
    for part in Path(into).parts:
        target = target / part
        if not stat.S_ISDIR(_mode(target)):
            target.unlink(missing_ok=True)
            target.mkdir()
    remove(target)
    for name, source in sources.items():
        copied = target / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, copied)


def move(made: Path, target: Path) -> None:
    """Bring a sealed environment to its place, whole or not at all; one that is there already stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if target.exists() and not is_sealed(target):
            shutil.rmtree(target)
        made.rename(target)
    except OSError as error:
        if is_sealed(target):
            return
        raise Unavailable(f"The environment can't be kept: {error.strerror}.", advice="Tell an operator.") from error
