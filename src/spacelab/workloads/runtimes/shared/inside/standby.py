"""The supervisor's side of a sandbox on standby: waits for its run, and then completes the sandbox; standard library.

A sandbox on standby was made before anybody knew its run (see `process/standby.py`). It shows what all runs see alike.
The rest comes in one message: what is to be made and mounted, as data, and descriptors of trees that nobody sees yet.
Nothing of the run's is in the sandbox until this is done, and whoever made it gave it to nobody else.
"""

from __future__ import annotations

import _socket
import array
import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from spacelab.workloads.runtimes.shared.inside.rights import call, failed
else:
    from rights import call, failed

MOVE_MOUNT, AT_FDCWD, EMPTY_PATH = 429, -100, 4
NO_SUID, NO_DEVICES, READ_ONLY, REMOUNT, BIND, ALL_BELOW, PRIVATE = 2, 4, 1, 32, 4096, 1 << 14, 1 << 18
"""Flags of mount(2)."""

LONGEST, MOST_DESCRIPTORS = 2**18, 250
CHANNEL = 0
"""Where the coordinator of the run listens."""


def wait(descriptor: int) -> dict[str, object]:
    """Say that the sandbox is there, wait for its run, complete the sandbox; return the supervisor's instructions.

    Ends this process, and with it the sandbox, once whoever could send a run is gone.
    """
    connection = _socket.socket(fileno=descriptor)
    _mount(b"/", ALL_BELOW | PRIVATE)  # what the host mounts from now on would appear here as it is, and writable
    connection.send(b"ready")
    room = _socket.CMSG_SPACE(4 * MOST_DESCRIPTORS)
    message, ancillary, _, _ = connection.recvmsg(LONGEST, room, _socket.MSG_CMSG_CLOEXEC)
    if not message:
        os._exit(0)
    handed = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
            handed.frombytes(data)
    connection.close()
    told = marshal.loads(message)  # noqa: S302  the platform's own words
    names: list[str] = told["descriptors"]
    trees = list(handed)[len(names) :]
    found = dict(zip(names, handed, strict=False))
    with os.fdopen(found.pop("orders"), "rb") as file:
        orders: dict[str, object] = marshal.load(file)  # noqa: S302  as above
    orders["descriptors"] = {**orders["descriptors"], **found}  # type: ignore[dict-item]
    try:
        complete(told["additions"], trees)
    except OSError as error:
        os.write(2, f"the sandbox could not be completed: {error}\n".encode())
        os._exit(1)
    for output in (1, 2):
        os.dup2(found["log"], output)
    _pass_on(told["coordinator"], found["output_end"])
    return orders


def _pass_on(message: bytes, output: int) -> None:
    """Give the coordinator that waits in this sandbox its orders; one that is gone is missed later."""
    connection = _socket.socket(fileno=os.dup(CHANNEL))
    try:
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [output]))]
        connection.sendmsg([message], rights)
    except OSError:
        pass
    finally:
        connection.close()


def complete(additions: list[tuple[object, ...]], trees: list[int]) -> None:
    """Make folders and links, mount trees and set sizes, in this order, then close the root; raise `OSError`."""
    before = os.umask(0)
    for kind, where, *facts in additions:
        path = os.fsencode(str(where))
        match kind, facts:
            case "folder", [int(mode)]:
                _folder(path, mode)
            case "link", [str(target)]:
                os.symlink(os.fsencode(target), path)  # noqa: PTH211  pathlib would double the supervisor's memory
            case "tree", [int(number), bool(is_folder)]:
                _tree(path, trees[number], is_folder=is_folder)
            case "memory", [int(mode)]:
                _folder(path, mode)
                _mount(path, NO_SUID | NO_DEVICES, b"tmpfs", f"mode={mode:o}".encode())
            case "size", [int(size)]:
                _mount(path, REMOUNT | NO_SUID | NO_DEVICES, b"tmpfs", f"size={size}".encode())
            case _:
                raise OSError(f"nobody knows how to add a {kind}")
    os.umask(before)
    for tree in trees:
        os.close(tree)
    _mount(b"/", READ_ONLY | REMOUNT | BIND | NO_SUID | NO_DEVICES)


def _folder(path: bytes, mode: int) -> None:
    try:
        os.mkdir(path, mode)  # noqa: PTH102  as above
    except FileExistsError:
        return


def _tree(path: bytes, tree: int, *, is_folder: bool) -> None:
    if is_folder:
        _folder(path, 0o755)
    elif not os.path.lexists(path):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o444))
    if call("syscall", MOVE_MOUNT, tree, b"", AT_FDCWD, path, EMPTY_PATH):
        raise failed(path)


def _mount(path: bytes, flags: int, kind: bytes | None = None, options: bytes | None = None) -> None:
    if call("mount", kind, path, kind, flags, options):
        raise failed(path)
