"""Saving and bringing back all state: one tar file with the database, settings, secrets and people's areas."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable
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

AREAS = ("secret-key", "spacelab.toml", "volumes.d", "volumes", "packages")
"""What a backup holds beside the database; archives, environments and static files are made again."""

SQLITE_NAME = "database.sqlite3"
POSTGRES_NAME = "database.pgdump"

WHOLE_FILE = 1024 * 1024
"""Bytes up to which a file is read at once, so that its size can't change between its header and its content."""


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
    for root, folders, files, descriptor in os.fwalk(path, follow_symlinks=False):
        here = name + root[len(str(path)) :]
        tar.addfile(_tar_information(tar, os.fstat(descriptor), here))
        for entry in (*folders, *files):
            try:
                _add_entry(tar, entry, descriptor, f"{here}/{entry}")
            except FileNotFoundError:
                progress(f"{here}/{entry} vanished while it was read; left out")


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


def _add_entry(tar: tarfile.TarFile, entry: str, folder: int, name: str) -> None:
    """Add one link or regular file of the folder with descriptor `folder`; folders come by the walk."""
    status = os.stat(entry, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        information = _tar_information(tar, status, name)
        information.linkname = os.readlink(entry, dir_fd=folder)
        tar.addfile(information)
    elif stat.S_ISREG(status.st_mode):
        with os.fdopen(os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb") as file:
            information = _tar_information(tar, os.fstat(file.fileno()), name)
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
            # The tar filter refuses absolute paths, `..` and devices, but people's areas may hold any symbolic link.
            tar.extractall(target, filter=_keep_links)  # noqa: S202  filtered below
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Invalid(f"{source} can't be read: {error}", advice="Check the file's transfer.") from error
    except OSError as error:
        raise Invalid(
            f"{source} can't be unpacked into {configuration.state}: {error.strerror or error}",
            advice="Nothing was restored. Check the file's transfer and the room on the disk.",
        ) from error
    if not (target / (POSTGRES_NAME if configuration.database_url else SQLITE_NAME)).is_file():
        raise Invalid(f"{source} holds no database.", advice="Name a file made by `spacelab backup`.")


def _keep_links(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    if member.issym():
        return member if ".." not in Path(member.name).parts and not member.name.startswith("/") else None
    return tarfile.tar_filter(member, path)
