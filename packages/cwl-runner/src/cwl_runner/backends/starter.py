"""Starts one job's command after the other and reports how each ended: exit code, CPU time, memory.

It runs as `python -I -S starter.py DESCRIPTOR [FOLDER…] [-PATH…]` and imports built-in modules only: its own memory
bounds from below what can be measured of a command's. Over the socket DESCRIPTOR comes an order (marshalled; three
descriptors with it: stdin, stdout, stderr) and goes a line of text. When a command has ended, whatever it left running
is ended too, and the FOLDERs (which every job may write) are emptied but for each -PATH (where other things are
mounted); what can't be cleaned is reported as "worn", and the coordinator then replaces this process and its sandbox.
When the other end of the socket closes, all ends.
"""

import _ctypes
import _socket
import marshal
import posix
import select
import sys
import time

LIMIT = 1 << 18
"""Bytes of the longest order that comes as a message; longer ones come in a file, as a fourth descriptor."""
SET_PARENT_DEATH_SIGNAL, SET_DUMPABLE, SET_CHILD_SUBREAPER = 1, 4, 36
KILL = 9
PATIENCE = 5.0
"""Seconds that ended processes get to disappear."""
KIND, FOLDER, FILE = 0o170000, 0o040000, 0o100000
"""Bits of a file's mode that say what it is."""
IPC = ("/proc/sysvipc/shm", "/proc/sysvipc/sem", "/proc/sysvipc/msg")


def process_control(option: int, value: int) -> None:
    """Call prctl(2), which Python has no function for."""

    class Number(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001 - ctypes would cost 5 ms, 2 MB
        _type_ = "i"

    class Function(_ctypes.CFuncPtr):
        _flags_ = 1
        _restype_ = Number

    library = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]
    Function(_ctypes.dlsym(library, "prctl"))(option, value, 0, 0, 0)


def children() -> list[int]:
    """List the processes whose parent this one is."""
    mine = []
    for name in posix.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123 - pathlib is too heavy here
                    parent = int(stat.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            if parent == posix.getpid():
                mine.append(int(name))
    return mine


def sweep(*, alone: bool) -> bool:
    """End everything that a command left running; orphans become children of this process, so none is missed."""
    deadline = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < deadline:
            if posix.waitpid(-1, posix.WNOHANG)[0]:
                continue
            if alone:
                posix.kill(-1, KILL)
            else:
                for child in children():
                    posix.kill(child, KILL)
            time.sleep(0.0005)
    except ChildProcessError:
        return True
    return False


def empty(folder: str, spared: list[str]) -> None:
    """Remove everything below a folder, but not paths that other things are mounted at, nor what leads there."""
    for name in posix.listdir(folder):
        path = f"{folder}/{name}"
        if path in spared:
            continue
        if any(other.startswith(f"{path}/") for other in spared):
            empty(path, spared)
        elif posix.lstat(path).st_mode & KIND == FOLDER:
            posix.chmod(path, 0o700)
            empty(path, spared)
            posix.rmdir(path)
        else:
            posix.unlink(path)


def clean(folders: list[str], spared: list[str]) -> bool:
    """Empty the shared folders and say whether nothing of the last job is left for the next."""
    try:
        for folder in folders:
            empty(folder, spared)
        if folders:
            for table in IPC:
                with open(table, "rb") as lines:  # noqa: PTH123 - as above
                    if lines.read().count(b"\n") > 1:
                        return False
    except (OSError, RecursionError):
        return False
    return True


def find(program: str, path: str) -> str:
    """Find a program as execvp(3) does, in the order's PATH; raises FileNotFoundError."""
    if "/" in program:
        return program
    for folder in path.split(":"):
        candidate = f"{folder or '.'}/{program}"
        if posix.access(candidate, posix.X_OK) and posix.stat(candidate).st_mode & KIND == FILE:
            return candidate
    raise FileNotFoundError(2, "No such file or directory")


def launch(order: dict, streams: list[int]) -> int:  # type: ignore[type-arg]
    """Start the order's command in a session of its own; returns its process id."""
    posix.chdir(order["folder"])
    if order["input"]:  # in this sandbox's own view: through a descriptor from outside, a command could write
        inside = posix.open(order["input"], posix.O_RDONLY | posix.O_CLOEXEC)
        posix.close(streams[0])
        streams[0] = inside
    actions = [(posix.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(streams[:3])]
    argv, environment = order["argv"], order["environment"]
    program = find(argv[0], environment.get("PATH", "/usr/bin:/bin"))
    signals = range(1, 32)
    return posix.posix_spawn(
        program, argv, environment, file_actions=actions, setsid=True, setsigmask=(), setsigdef=signals
    )


def serve(order: dict, streams: list[int], control: int, *, alone: bool) -> str:  # type: ignore[type-arg]
    """Run one order to its end and describe it."""
    try:
        process = launch(order, streams)
    except OSError as failure:
        return f"trouble {failure.errno}"
    finally:
        for descriptor in streams:
            posix.close(descriptor)
        posix.chdir("/")
    watched = posix.pidfd_open(process)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    poll.register(control, select.POLLIN)
    events = dict(poll.poll())
    if watched not in events:
        sweep(alone=alone)
        posix._exit(0)  # noqa: SLF001 - the coordinator is gone
    posix.close(watched)
    _, status, usage = posix.wait4(process, 0)
    return (
        f"ended {posix.waitstatus_to_exitcode(status)} {usage.ru_utime + usage.ru_stime:.6f} {usage.ru_maxrss * 1024}"
    )


def main() -> None:
    """Serve orders until the other end closes."""
    control = int(sys.argv[1])
    folders = [word for word in sys.argv[2:] if word[0] == "/"]
    spared = [word[1:] for word in sys.argv[2:] if word[0] == "-"]
    channel = _socket.socket(fileno=control)
    posix.set_inheritable(control, False)  # commands have no word here
    alone = posix.getpid() == 1
    process_control(SET_DUMPABLE, 0)
    process_control(SET_CHILD_SUBREAPER, 1)
    process_control(SET_PARENT_DEATH_SIGNAL, KILL)
    posix.umask(0o022)
    channel.send(b"ready")
    while True:
        message, ancillary, _, _ = channel.recvmsg(LIMIT, _socket.CMSG_SPACE(16), _socket.MSG_CMSG_CLOEXEC)
        if not message:
            return
        data = b"".join(part for _, _, part in ancillary)
        streams = [int.from_bytes(data[at : at + 4], sys.byteorder) for at in range(0, len(data), 4)]
        if len(streams) > 3:  # noqa: PLR2004 - the fourth holds a long order
            message = posix.read(streams[3], posix.fstat(streams[3]).st_size)
        order = marshal.loads(message)  # noqa: S302 - orders come from the coordinator alone
        result = serve(order, streams, control, alone=alone)
        fit = sweep(alone=alone) and clean(folders, spared)
        channel.send(f"{result}{'' if fit else ' worn'}".encode())
        if not fit:
            return


if __name__ == "__main__":
    main()
