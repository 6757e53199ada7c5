"""Keeps a loaded coordinator, whose children enter the sandboxes of pipeline runs; the standard library and cwl_runner.

Run outside of sandboxes, with an empty environment, as `python -I -S preloaded.py <packages> <runner> <packages inside>
<runner inside> <descriptor>`. For each message on the descriptor's socket, which brings a channel and the files through
which to join a workload's control groups, it forks a child. That one takes its orders from the runtime, waits until
the first process of the sandbox speaks, enters that one's namespaces, gives up all rights and becomes the coordinator
there. While the supervisor starts it reads its documents; it begins at the supervisor's word. In a sandbox on standby
it waits there for the orders of its run, which come from the supervisor. The parent ends when nobody holds its socket.

Only the runtime and supervisors talk to the children, before anything else runs in their sandboxes; nobody but the
runtime talks to the parent, which reads no document but the runner's own and keeps a child for the next message ready.
"""

from __future__ import annotations

import _ctypes
import array
import atexit
import gc
import importlib
import marshal
import os
import select
import signal
import socket
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from spacelab.workloads.runtimes.shared.inside.rights import (
        PR_GET_NO_NEW_PRIVS,
        PR_SET_DUMPABLE,
        call,
        drop_capabilities,
        drop_rights,
        limit,
        prctl,
        uncover,
    )
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  as its neighbours do
    from rights import (
        PR_GET_NO_NEW_PRIVS,
        PR_SET_DUMPABLE,
        call,
        drop_capabilities,
        drop_rights,
        limit,
        prctl,
        uncover,
    )

MOUNT, CGROUP, UTS, IPC, USER, PID, NET = (1 << bit for bit in (17, 25, 26, 27, 28, 29, 30))
"""The namespaces' flags of setns(2)."""

LARGE_PAGE, COLLAPSE = 2**21, 25
"""The size of large pages, and madvise(2)'s MADV_COLLAPSE; a kernel that has neither refuses."""
UNNAMED = 5
"""Words of a line in /proc/self/maps for memory that no file is behind."""

RUNNER = "cwl_runner"
MOST_DESCRIPTORS = 16
MOST_BYTES = 2**20
PATIENCE = 10.0
"""Seconds that a child waits for a word of its supervisor's."""

IDLE = 0.3
"""Seconds without a message after which the child of the next one is forked: it shall not hinder a run's start."""

OUTPUT, CHANNEL = 1, 3
"""The descriptors of a child once it has entered: beyond the standard streams it keeps its channel."""


def moved(value: object, moves: dict[str, str]) -> object:
    """Return a path, or a list of such, as `moves` has it; anything else as it is."""
    if isinstance(value, str):
        for old, new in moves.items():
            if value == old or value.startswith(f"{old}/"):
                return new + value[len(old) :]
    elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return [moved(one, moves) for one in value]
    return value


def relocate(moves: dict[str, str]) -> None:
    """Have loaded modules say that they lie where the sandboxes show them, so that what they load later is found."""
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        for holder in (module, spec, getattr(module, "__loader__", None)):
            for name, value in list(getattr(holder, "__dict__", {}).items()):
                fresh = moved(value, moves)
                if fresh != value:
                    setattr(holder, name, fresh)
    sys.path[:] = [str(moved(path, moves)) for path in sys.path]
    sys.path_importer_cache.clear()


def gather() -> None:
    """Have the kernel keep the memory in large pages, where it can: a fork then takes half of the time."""
    import ctypes  # noqa: PLC0415  the parent alone needs it

    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    with open("/proc/self/maps") as file:  # noqa: PTH123  as its neighbours do
        lines = [line.split() for line in file]
    for words in lines:
        if words[1] == "rw-p" and (len(words) == UNNAMED or words[-1] == "[heap]"):
            first, end = (int(word, 16) for word in words[0].split("-"))
            first, end = -(-first // LARGE_PAGE) * LARGE_PAGE, end // LARGE_PAGE * LARGE_PAGE
            if end > first:
                madvise(first, end - first, COLLAPSE)


def check_alone() -> None:
    """Raise `RuntimeError` if a fork would share more than a copy of the memory, or lack what other threads hold."""
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208  as its neighbours do
        raise RuntimeError("the loaded coordinator has more than one thread")
    with open("/proc/self/maps") as file:  # noqa: PTH123  as above
        if any(line.split()[1].startswith("rw") and line.split()[1].endswith("s") for line in file):
            raise RuntimeError("the loaded coordinator shares memory that can be written")


def first_word(connection: socket.socket) -> int:
    """Wait until the first process of the sandbox speaks; return a pidfd of it.

    Who spoke is said by the kernel. Should that process have ended since, and another have got its number, then the
    supervisor's word, which names its own namespace, ends whoever strayed there (see `Word`).
    """
    size = socket.CMSG_SPACE(12)
    message, ancillary, _, _ = connection.recvmsg(16, size)
    for level, kind, data in ancillary:
        if message and (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            return os.pidfd_open(int.from_bytes(data[:4], sys.byteorder))
    raise OSError("nothing was heard from the sandbox")


def take_orders(connection: socket.socket) -> tuple[dict[str, object], int]:
    """Take the runtime's orders, and the descriptor for what the run prints."""
    size = socket.CMSG_SPACE(12) + socket.CMSG_SPACE(4)
    message, ancillary, _, _ = connection.recvmsg(MOST_BYTES, size)
    handed = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            handed.frombytes(data)
    return marshal.loads(message), handed[0]  # noqa: S302  the platform's own words


class Word:
    """The supervisor's word that the run may begin: waited for once, before anything is told or started."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection: socket.socket | None = connection

    def wait(self) -> None:
        """Return once it was given in this very sandbox; end this process if it wasn't."""
        if self.connection is None:
            return
        self.connection.settimeout(PATIENCE)
        try:
            said = self.connection.recv(64)
        except OSError:
            said = b""
        if said != f"go {os.stat('/proc/self/ns/mnt').st_ino}".encode():  # noqa: PTH116  as its neighbours do
            os._exit(1)
        self.connection.close()
        self.connection = None


def enter(supervisor: int) -> None:
    """Move into the namespaces of a process; its pid namespace takes the next child."""
    flags = MOUNT | CGROUP | UTS | IPC | PID | NET
    if os.geteuid() != 0:
        flags |= USER  # whoever runs the platform owns it, and so may enter
    if call("setns", supervisor, flags):
        raise OSError(_ctypes.get_errno(), "the sandbox could not be entered")


def settle(orders: dict[str, object], output: int, channel: int) -> None:
    """Become a process like any other of the sandbox: its user, its limits, and nothing of the host's in hand."""
    os.setsid()
    deadline = time.monotonic() + PATIENCE
    while os.getppid() != 1:  # until the process in between is gone
        if time.monotonic() > deadline:
            raise TimeoutError("the supervisor did not take the coordinator over")
        time.sleep(0.0002)
    high = [os.dup(descriptor) for descriptor in (output, channel)]
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.dup2(high[0], 1)
    os.dup2(high[0], 2)
    os.dup2(high[1], CHANNEL, inheritable=False)
    os.closerange(CHANNEL + 1, 2**20)
    os.umask(0o022)
    cores: list[int] = orders["cores"]  # type: ignore[assignment]
    if cores:
        os.sched_setaffinity(0, cores)
    limit(orders["limits"])  # type: ignore[arg-type]
    if orders["nested"]:
        uncover()  # the supervisor does it too, but perhaps only later
    drop_rights(orders["uid"], orders["gid"])  # type: ignore[arg-type]
    drop_capabilities()
    if call("prctl", PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1:
        raise OSError("it could still gain privileges")
    prctl(PR_SET_DUMPABLE, 1)
    take_place(orders)


def take_place(orders: dict[str, object]) -> None:
    """Take over the variables and the folder of the run."""
    os.environ.clear()
    os.environ.update(orders["variables"])  # type: ignore[call-overload]
    cwd = str(orders["cwd"])
    os.chdir(cwd if os.access(cwd, os.X_OK) else "/")


def stand_by(connection: socket.socket) -> dict[str, object]:
    """Wait in a sandbox that has no run yet; return the orders of the one that comes, or end with the sandbox."""
    connection.settimeout(None)
    orders, output = take_orders(connection)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    cores: list[int] = orders["cores"]  # type: ignore[assignment]
    if cores:
        os.sched_setaffinity(0, cores)
    limit(orders["limits"])  # type: ignore[arg-type]
    take_place(orders)
    return orders


def coordinate(arguments: list[str], word: Word) -> int:
    """Carry out the run, which reads but neither tells nor starts anything before the word; return the exit code."""
    sys.argv = arguments
    events = sys.modules.get(f"{RUNNER}.events")
    if events is None:
        word.wait()
    else:
        events.wait_for_leave = word.wait  # type: ignore[attr-defined]
    code: object = 0
    try:
        code = importlib.import_module(f"{RUNNER}.cli").script()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001  this is where a program of its own would end
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  what the interpreter does at its end
    atexit._run_exitfuncs()  # noqa: SLF001  as above
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            continue
    if isinstance(code, str):
        os.write(2, f"{code}\n".encode())
    return code if isinstance(code, int) else int(code is not None)


def attend(channel: int, groups: list[int]) -> None:
    """Do a child's whole work; never returns."""
    connection = socket.socket(fileno=channel)
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for group in groups:
            os.write(group, b"0")
        connection.settimeout(PATIENCE)
        orders, output = take_orders(connection)
        supervisor = first_word(connection)
        enter(supervisor)
        between = os.fork()
        if between:
            os.waitpid(between, 0)
            os._exit(0)
        if os.fork():
            os._exit(0)
        settle(orders, output, connection.fileno())
        connection.detach()
        connection = socket.socket(fileno=CHANNEL)
        connection.send(f"pid {os.getpid()}".encode())
        if orders["standby"]:
            orders = stand_by(connection)
    except BaseException as error:  # noqa: BLE001  a child must never return into the parent's loop
        try:
            connection.send((str(error) or type(error).__name__).encode()[:500])
        finally:
            os._exit(1)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        gc.enable()
        os._exit(coordinate(orders["arguments"], Word(connection)) & 255)  # type: ignore[arg-type]
    finally:
        os._exit(1)


def practised(control: socket.socket) -> socket.socket:
    """Fork the child of the next message beforehand; return the channel on which it waits for that message.

    It reads the runner's own document meanwhile. So it has the pages of memory that reading writes to for itself: to
    get them takes as long as the reading does.
    """
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        try:
            control.close()
            mine.close()
            warm = sys.modules.get(f"{RUNNER}.warm")
            getattr(warm, "practise", int)()
            message, descriptors, _, _ = socket.recv_fds(its, 16, MOST_DESCRIPTORS)
            its.close()
            if message:
                attend(descriptors[0], descriptors[1:])
        finally:
            os._exit(1)
    its.close()
    return mine


def handed(spare: socket.socket, descriptors: list[int]) -> bool:
    """Hand a message on to the child that was forked beforehand; say whether it is there."""
    try:
        socket.send_fds(spare, [b"enter"], descriptors)
    except OSError:
        return False
    return True


def main() -> None:
    """Load the coordinator, say so, and have a child for each message."""
    packages, runner, packages_inside, runner_inside, descriptor = sys.argv[1:6]
    control = socket.socket(fileno=int(descriptor))
    sys.path += [runner, packages]
    importlib.import_module(f"{RUNNER}.cli")
    importlib.import_module(f"{RUNNER}.warm").preload()
    sys.dont_write_bytecode = True  # until here compiled modules are kept, so that loading is quick the next time
    here = sys.path.pop(0)
    relocate({packages: packages_inside, runner: runner_inside, here: os.path.dirname(runner_inside)})  # noqa: PTH120
    check_alone()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.disable()
    gc.freeze()
    gather()
    control.send(b"ready")
    spare: socket.socket | None = None
    while True:
        if spare is None and not select.select([control], [], [], IDLE)[0]:
            spare = practised(control)
        message, descriptors, _, _ = socket.recv_fds(control, 16, MOST_DESCRIPTORS)
        if not message:
            return
        if not (spare and handed(spare, descriptors)) and os.fork() == 0:
            control.close()
            attend(descriptors[0], descriptors[1:])
        for one in (*descriptors, *([spare.detach()] if spare else [])):
            os.close(one)
        spare = None


if __name__ == "__main__":
    main()
