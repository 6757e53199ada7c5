"""Saving and bringing back all state: one tar file with the database, settings, secrets and people's areas."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sqlite3
import stat
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from spacelab import __version__
from spacelab.kit.refusals import Conflict, Invalid, Unavailable
from spacelab.site.configuration import Configuration

MANIFEST = "spacelab-backup.json"
FORMAT = 1
"""The backup's layout; a reader refuses a higher number."""

AREAS = (
    "secret-key",
    "spacelab.toml",
    "volumes.d",
    "volumes",
    "packages",
    "sboms",
    "builds",
    "runs",
    "vocabularies",
    "evidence",
)
"""What a backup holds beside the database; archives, environments, images and static files are made again.

Of runs it holds their folders, and not what their steps left for reuse.
"""

LEFT_OUT = re.compile(r"builds/(work|cache)|packages/\.incoming-[^/]*|sboms/\.[^/]*")
"""Below the areas: what builds at work write, what was fetched for them, and what is only half there."""

SQLITE_NAME = "database.sqlite3"
POSTGRES_NAME = "database.pgdump"

WHOLE_FILE = 1024 * 1024
"""Bytes up to which a file is read at once, so that its size can't change between its header and its content."""

DEEPEST = 100
"""Folders one in another below an area; each holds a file open during the walk."""

LONGEST_PATH = 2000
"""Bytes of a path below the state directory: with that one's own it has to stay below Linux's 4096."""

HOLLOW_FROM, HOLLOW_PARTS = 2**30, 64
"""A file from this size on, of which less than one part in so many is on the disk, would swell beyond all measure."""

CHANGED_MEANWHILE = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EISDIR}
"""What opening or reading says of an entry that became another kind of thing since it was listed."""


def _dump_database(configuration: Configuration, folder: Path) -> Path:
    if configuration.database_url:
        target = folder / POSTGRES_NAME
        _run_postgres(configuration, "pg_dump", "--format=custom", f"--file={target}")
        return target
    target = folder / SQLITE_NAME
    source = sqlite3.connect(configuration.state / "spacelab.sqlite3", timeout=30)
    copy = sqlite3.connect(target)
    try:
        source.backup(copy, pages=2000)  # SQLite's online backup: consistent while others write
    except sqlite3.Error as error:
        raise Unavailable(
            f"The database can't be copied to {folder.parent}: {error}.", advice="Is there room for it?"
        ) from error
    finally:
        copy.close()
        source.close()
    return target


def _run_postgres(configuration: Configuration, *argv: str) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, never by the command line."""
    url = urlsplit(configuration.database_url)
    variables = {
        "PGHOST": url.hostname,
        "PGPORT": url.port,
        "PGUSER": unquote(url.username or ""),
        "PGPASSWORD": unquote(url.password or ""),
        "PGDATABASE": url.path.lstrip("/"),
    }
    environment = {**os.environ, **{name: str(value) for name, value in variables.items() if value}}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    except FileNotFoundError as error:
        raise Unavailable(f"{argv[0]} is not on this machine.", advice="Install postgresql-client.") from error
    if done.returncode:
        raise Unavailable(f"{argv[0]} failed: {done.stderr.strip()}", advice="Mend that and run the command again.")


def _manifest(configuration: Configuration) -> bytes:
    body = {
        "format": FORMAT,
        "version": __version__,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "database": "postgresql" if configuration.database_url else "sqlite",
    }
    return json.dumps(body, indent=1).encode()


def save(configuration: Configuration, target: Path, progress: Callable[[str], None]) -> int:
    """Write a backup to `target` (a tar file compressed with gzip, mode 0600) and return its size in bytes.

    The file appears under its name only when it is whole. Raises `Conflict` if it exists already.
    """
    if target.exists():
        raise Conflict(f"{target} exists already.", advice="Choose another name; a backup never overwrites.")
    if not target.parent.is_dir():
        raise Invalid(f"There is no folder {target.parent}.", advice="Create it first.")
    partial = target.with_name(f".{target.name}.partial")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            progress("database")
            database = _dump_database(configuration, Path(folder))
            partial.touch(mode=0o600)
            with tarfile.open(partial, "w:gz", compresslevel=3) as tar:
                note = tarfile.TarInfo(MANIFEST)
                content = _manifest(configuration)
                note.size = len(content)
                tar.addfile(note, io.BytesIO(content))
                tar.add(database, arcname=database.name)
                for name in AREAS:
                    if (configuration.state / name).exists():
                        progress(name)
                        _add_area(tar, configuration.state / name, name, progress)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


def _add_area(tar: tarfile.TarFile, path: Path, name: str, progress: Callable[[str], None]) -> None:
    """Add a file, or a folder with all below it.

    People change their areas meanwhile, so everything is opened relative to its folder's descriptor and without
    following links: nobody can swap a folder for a link and have the platform's own files read for her.
    """
    if path.is_file():
        tar.add(path, arcname=name, recursive=False)
        return
    root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _add_folder(tar, root, name, progress, depth=0)
    finally:
        os.close(root)


def _add_folder(tar: tarfile.TarFile, folder: int, name: str, progress: Callable[[str], None], *, depth: int) -> None:
    """Add the folder with descriptor `folder` and all below it; what can't be saved is said and left out.

    Nothing that a person puts into her area may keep others' areas from being saved, or from being restored.
    """
    tar.addfile(_tar_information(tar, os.fstat(folder), name))
    for entry in sorted(os.listdir(folder)):
        inside = f"{name}/{entry}"
        if LEFT_OUT.fullmatch(inside):
            continue
        try:
            if depth >= DEEPEST or len(os.fsencode(inside)) > LONGEST_PATH:
                progress(f"{inside!a} lies too deep; left out")
            elif stat.S_ISDIR(os.stat(entry, dir_fd=folder, follow_symlinks=False).st_mode):
                inner = os.open(entry, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                try:
                    _add_folder(tar, inner, inside, progress, depth=depth + 1)
                finally:
                    os.close(inner)
            else:
                _add_entry(tar, entry, folder, inside, progress)
        except OSError as error:
            if error.errno not in CHANGED_MEANWHILE:
                raise
            progress(f"{inside!a} changed while it was read; left out")


def _tar_information(tar: tarfile.TarFile, status: os.stat_result, name: str) -> tarfile.TarInfo:
    information = tar.tarinfo(name)
    information.mode, information.uid, information.gid = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
    information.mtime = status.st_mtime
    if stat.S_ISDIR(status.st_mode):
        information.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(status.st_mode):
        information.type = tarfile.SYMTYPE
    else:
        information.size = status.st_size
    return information


def _add_entry(tar: tarfile.TarFile, entry: str, folder: int, name: str, progress: Callable[[str], None]) -> None:
    """Add one link or regular file of the folder with descriptor `folder`."""
    status = os.stat(entry, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        information = _tar_information(tar, status, name)
        information.linkname = os.readlink(entry, dir_fd=folder)
        tar.addfile(information)
    elif stat.S_ISREG(status.st_mode):
        with os.fdopen(os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb") as file:
            status = os.fstat(file.fileno())
            if status.st_size > HOLLOW_FROM and status.st_blocks * 512 < status.st_size / HOLLOW_PARTS:
                progress(f"{name!a} is nearly all holes; left out")
                return
            information = _tar_information(tar, status, name)
            content = file.read(information.size) if information.size <= WHOLE_FILE else None
            if content is not None:
                information.size = len(content)  # it may have become shorter since
                tar.addfile(information, io.BytesIO(content))
            else:
                tar.addfile(information, _Padded(file))


class _Padded:
    """A file that answers zeros beyond its end, so that one that is cut meanwhile can't break the archive."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def read(self, size: int = -1, /) -> bytes:
        return self.file.read(size).ljust(size, b"\0")


def _read_manifest(tar: tarfile.TarFile) -> dict[str, object]:
    try:
        file = tar.extractfile(MANIFEST)
        manifest: dict[str, object] = json.loads(file.read()) if file else {}
    except (KeyError, ValueError) as error:
        raise Invalid("This is not a backup of Spacelab.", advice="Name a file made by `spacelab backup`.") from error
    if int(str(manifest.get("format", 0))) > FORMAT:
        raise Invalid(
            f"The backup was made by Spacelab {manifest.get('version')}, which is newer than this one ({__version__}).",
            advice="Upgrade first.",
        )
    return manifest


def restore(configuration: Configuration, source: Path, progress: Callable[[str], None]) -> None:
    """Bring a backup back into an empty state directory; a failure leaves that and the database as they were.

    Raises `Conflict` if there is state already, `Invalid` if the backup can't be read.
    """
    if not source.is_file():
        raise Invalid(f"There is no file {source}.", advice="Name a file made by `spacelab backup`.")
    state = configuration.state
    present = [name for name in (*AREAS, "spacelab.sqlite3") if (state / name).exists()]
    if present not in ([], ["secret-key"]):  # loading the settings made a key a moment ago
        raise Conflict(
            f"{state} already holds {', '.join(present)}.",
            advice="Restore into an empty directory: SPACELAB_STATE=<new directory> spacelab restore FILE",
        )
    state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=state) as folder:
        unpacked = Path(folder)
        progress("files")
        _unpack(configuration, source, unpacked)
        progress("database")
        dump = unpacked / POSTGRES_NAME
        if configuration.database_url:
            name = urlsplit(configuration.database_url).path.lstrip("/")
            _run_postgres(
                configuration, "pg_restore", "--no-owner", "--single-transaction", f"--dbname={name}", str(dump)
            )
        else:
            (unpacked / SQLITE_NAME).rename(unpacked / "spacelab.sqlite3")
        for name in (*AREAS, "spacelab.sqlite3"):
            if (unpacked / name).exists():
                (unpacked / name).rename(state / name)


def _unpack(configuration: Configuration, source: Path, target: Path) -> None:
    """Unpack a backup that fits these settings into a folder."""
    wanted = "postgresql" if configuration.database_url else "sqlite"
    try:
        with tarfile.open(source, "r:gz") as tar:
            manifest = _read_manifest(tar)
            if manifest["database"] != wanted:
                raise Invalid(
                    f"The backup holds a {manifest['database']} database, and the settings name {wanted}.",
                    advice="Set database_url to match.",
                )
            # Python before 3.11.4 has no filters, later ones insist on one: the members are looked at below instead.
            tar.extraction_filter = lambda member, _path: member
            tar.extractall(target, members=_members(tar, target.resolve()))  # noqa: S202  looked at below
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Invalid(f"{source} can't be read: {error}", advice="Check the file's transfer.") from error
    except OSError as error:
        raise Invalid(
            f"{source} can't be unpacked into {configuration.state}: {error.strerror or error}",
            advice="Nothing was restored. Check the file's transfer and the room on the disk.",
        ) from error
    if not (target / (POSTGRES_NAME if configuration.database_url else SQLITE_NAME)).is_file():
        raise Invalid(f"{source} holds no database.", advice="Name a file made by `spacelab backup`.")


def _members(tar: tarfile.TarFile, root: Path) -> Iterator[tarfile.TarInfo]:
    """Yield what may be unpacked: files, folders and links of any target, at places within `root` only."""
    for member in tar:
        inside = not member.name.startswith("/") and ".." not in Path(member.name).parts
        if not inside or not (root / member.name).parent.resolve().is_relative_to(root):
            raise tarfile.TarError(f"it has an entry at a place outside: {member.name[:200]!r}")
        if not (member.isreg() or member.isdir() or member.issym()):
            raise tarfile.TarError(f"it has an entry that is no file, folder or link: {member.name[:200]!r}")
        if not member.issym():
            member.mode &= 0o755  # nobody gets another's rights by a file's bits, as with Python's own filter
        yield member
