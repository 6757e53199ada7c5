"""The first process of a workload: gives up rights, starts the application, carries its connections, keeps its end.

Run as `python -I -S supervisor.py <descriptor>`: the descriptor holds the instructions, marshalled; or as
`supervisor.py standby <descriptor>`, where they come later over that socket (see `standby.py`). Everything of the host
that it may touch reaches it as an open descriptor, so no folder of the platform is visible to the workload.
"""

from __future__ import annotations

import _json
import _signal  # type: ignore[import-not-found]  # the numbers alone: `signal` makes names of them, which takes time
import fcntl
import marshal
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from spacelab.workloads.runtimes.shared.inside.forwarder import Forwarder
    from spacelab.workloads.runtimes.shared.inside.invite import invite
    from spacelab.workloads.runtimes.shared.inside.log import Log
    from spacelab.workloads.runtimes.shared.inside.loop import Loop
    from spacelab.workloads.runtimes.shared.inside.rights import (
        PR_SET_CHILD_SUBREAPER,
        PR_SET_DUMPABLE,
        drop_rights,
        limit,
        prctl,
        uncover,
    )
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  pathlib doubles the memory
    from invite import invite
    from log import Log
    from loop import Loop
    from rights import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, drop_rights, limit, prctl, uncover

STATE_BYTES = 4096
"""The state is written in place as one block, so that a reader sees the old one or the new one."""

PIPE_BYTES = 64 * 1024
OUTBOUND_PORT = 3128
"""Where applications inside find the platform's proxy."""


def as_json(state: dict[str, object]) -> bytes:
    """Write a flat object as JSON; the standard library's own writer would cost each start 10 ms."""
    quote = _json.encode_basestring_ascii
    words = [f"{quote(key)}: {quote(value) if isinstance(value, str) else repr(value)}" for key, value in state.items()]
    return ("{" + ", ".join(words) + "}").encode()


def descendants() -> list[int]:
    """List the processes below this one."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208  pathlib would double the supervisor's memory
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123  as above
                    parents[int(name)] = int(file.read().rsplit(b")", 1)[1].split()[1])
            except (OSError, IndexError, ValueError):
                continue
    found = [os.getpid()]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


class Supervisor:
    """One workload from its start to its end."""

    def __init__(self, orders: dict[str, object]) -> None:
        self.orders: dict[str, object] = orders
        self.descriptors: dict[str, int] = orders["descriptors"]  # type: ignore[assignment]
        self.loop = Loop()
        self.log = Log(self.descriptors["log"], int(str(orders["log_bytes"])))
        self.state: dict[str, object] = {"pid": os.getpid()}
        self.application = 0
        self.status: int | None = None
        self.stopping = ""
        self.kill_at = 0.0
        self.started = time.monotonic()
        self.output = -1

    def report(self, **changes: object) -> None:
        """Write the state where the runtime reads it."""
        self.state.update(changes, at=time.time())
        os.pwrite(self.descriptors["state"], as_json(self.state).ljust(STATE_BYTES), 0)

    def listen(self) -> list[Forwarder]:
        """Start to carry connections: from the outside to the application, and from it to the way out."""
        carried: list[Forwarder] = []
        if not (self.orders["port"] or self.orders["outbound"]):
            return carried
        import socket  # noqa: PLC0415  it costs each start some milliseconds, and not every workload talks

        forwarder = __import__("forwarder")
        if self.orders["port"]:
            listener = socket.socket(fileno=self.descriptors["listen"])
            carried.append(forwarder.Forwarder(self.loop, listener, forwarder.to_port(int(str(self.orders["port"])))))
        if self.orders["outbound"]:
            way_out = socket.socket()
            way_out.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            way_out.bind((forwarder.LOOPBACK, OUTBOUND_PORT))
            way_out.listen(64)
            carried.append(forwarder.Forwarder(self.loop, way_out, forwarder.to_socket(str(self.orders["outbound"]))))
        return carried

    def prepare(self) -> None:
        """Make the links and the overlay of the person's home; what can't be made is said in the log."""
        links: list[list[str]] = self.orders["links"]  # type: ignore[assignment]
        for path, target in links:
            if not os.path.lexists(path):
                try:
                    os.symlink(target, path)  # noqa: PTH211  pathlib would double the supervisor's memory
                except OSError as error:
                    self.log.write(f"spacelab: {path} could not be made: {error.strerror}\n".encode())
        overlay: dict[str, str] | None = self.orders["overlay"]  # type: ignore[assignment]
        if overlay:
            try:
                __import__("overlay").make(**overlay)
            except OSError as error:
                message = f"spacelab: packages installed in this session will not be kept: {error.strerror}\n"
                self.log.write(message.encode())

    def start_application(self) -> None:
        """Start the command in a process group of its own, with its output going to the log."""
        self.output, output_end = self.descriptors["output"], self.descriptors["output_end"]
        if self.output < 0:
            self.output, output_end = os.pipe()
        os.set_blocking(self.output, False)
        if not self._let_in():
            self._start_anew(output_end)
        os.close(output_end)
        self.loop.watch(self.output, select.EPOLLIN, lambda _events: self.drain())
        self.report(phase="running", started=time.time())

    def _let_in(self) -> bool:
        """Have a preloaded coordinator become the application, where one waits; say whether that went well."""
        if self.descriptors["warm"] >= 0:
            self.application, why = invite(self.descriptors["warm"])
        else:
            why = str(self.orders["cold"])
        if why:
            self.log.write(f"spacelab: the run starts cold: {why}\n".encode())
        return bool(self.application)

    def _start_anew(self, output_end: int) -> None:
        failure, failure_end = os.pipe()
        self.application = os.fork()
        if self.application == 0:
            self._become_application(output_end, failure_end)
        os.close(failure_end)
        said = os.read(failure, 200)
        os.close(failure)
        if said:
            os.waitpid(self.application, 0)
            code, reason = said.decode().split(" ", 1)
            self.report(phase="exited", exit_code=int(code), reason=reason)
            sys.exit(0)

    def _become_application(self, output_end: int, failure_end: int) -> None:
        command: list[str] = self.orders["command"]  # type: ignore[assignment]
        variables: dict[str, str] = self.orders["variables"]  # type: ignore[assignment]
        try:
            _signal.set_wakeup_fd(-1)
            for number in (_signal.SIGTERM, _signal.SIGCHLD, _signal.SIGPIPE, _signal.SIGINT, _signal.SIGHUP):
                _signal.signal(number, _signal.SIG_DFL)
            os.setsid()
            prctl(PR_SET_DUMPABLE, 1)
            limit(self.orders["limits"])  # type: ignore[arg-type]
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            os.dup2(output_end, 1)
            os.dup2(output_end, 2)
            cwd = str(self.orders["cwd"])
            os.chdir(cwd if os.access(cwd, os.X_OK) else "/")
            os.execvpe(command[0], command, variables)  # noqa: S606  the person's own command, without a shell
        except FileNotFoundError:
            said = f"127 The command “{command[0]}” was not found in this datalab."
        except OSError as error:
            said = f"126 The command “{command[0]}” could not be started: {error.strerror}."
        except BaseException as error:  # noqa: BLE001  the child must never return into the parent's loop
            said = f"126 The application could not be started: {error}."
        os.write(failure_end, said.encode()[:200])
        os._exit(126)

    def drain(self) -> None:
        """Move the application's output to the log."""
        try:
            data = os.read(self.output, PIPE_BYTES)
        except BlockingIOError:
            return
        if data:
            self.log.write(data)
        else:
            self.loop.forget(self.output)

    def obey(self, _events: int) -> None:
        """Read an order from the runtime: `stop <seconds of grace>` is the only one."""
        try:
            words = os.read(self.descriptors["control"], 4096).split()
        except BlockingIOError:
            return
        if b"stop" in words:
            self.stop(float(words[words.index(b"stop") + 1]), "It was stopped.")

    def stop(self, grace: float, reason: str) -> None:
        """Ask the application to end; after `grace` seconds everything is ended by force."""
        deadline = time.monotonic() + grace
        self.kill_at = min(self.kill_at or deadline, deadline)
        if not self.stopping:
            self.stopping = reason
            self.report(phase="stopping")
        try:
            os.killpg(self.application, _signal.SIGTERM)
        except ProcessLookupError:
            return  # it has just ended

    def greet(self) -> None:
        """Tell the starter that the application runs; a starter that was killed meanwhile needs no answer."""
        try:
            os.write(self.descriptors["hello"], b"1")
        except BrokenPipeError:
            self.report(starter="gone")
        os.close(self.descriptors["hello"])

    def wake(self, descriptor: int) -> None:
        """Take note that a signal came: the loop turns, and with it every check is made."""
        try:
            os.read(descriptor, 4096)
        except BlockingIOError:
            return

    def reap(self) -> None:
        """Collect every process that ended; remember how the application did."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.application:
                self.status = status

    def kill_everything(self) -> None:
        """End every process of the workload; inside a sandbox one call reaches them all."""
        for _ in range(50):
            if os.getpid() == 1:
                left = [-1]
            else:
                left = descendants()
                if self.application and self.status is None:
                    left.append(-self.application)
            for pid in left:
                try:
                    os.kill(pid, _signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self.reap()
            try:
                os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            time.sleep(0.01)

    def out_of_memory(self) -> bool:
        """Say whether the kernel ended a process of this workload because its memory was used up."""
        if self.descriptors["oom"] < 0:
            return False
        words = os.pread(self.descriptors["oom"], 4096, 0).split()
        return b"oom_kill" in words and int(words[words.index(b"oom_kill") + 1]) > 0

    def ending(self) -> tuple[int, str]:
        """Return the exit code, 128 and the number for a signal, and the reason for a person."""
        status = self.status if self.status is not None else _signal.SIGKILL
        code = os.waitstatus_to_exitcode(status)
        ran = time.monotonic() - self.started
        if code < 0:
            import signal  # noqa: PLC0415  its names cost each start a millisecond

            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            code = 128 - code
            if self.stopping:
                reason = self.stopping
            elif self.out_of_memory():
                memory = self.orders["memory_mb"]
                reason = f"It used more than its {memory} MiB of memory, so the system ended it."
            else:
                reason = f"It was ended by {name} after {ran:.1f} s."
        elif self.stopping:
            reason = self.stopping
        elif code:
            reason = f"It ended by itself with exit code {code} after {ran:.1f} s."
        else:
            reason = "It finished."
        return code, reason

    def run(self) -> None:
        """Start the application, serve it until its end, and report that."""
        wake, wake_end = os.pipe()
        for descriptor in (wake, wake_end):
            os.set_blocking(descriptor, False)
        _signal.set_wakeup_fd(wake_end)
        _signal.signal(_signal.SIGCHLD, lambda *_: None)
        _signal.signal(_signal.SIGTERM, lambda *_: self.stop(10.0, "It was stopped from outside."))
        self.loop.watch(wake, select.EPOLLIN, lambda _events: self.wake(wake))
        self.loop.watch(self.descriptors["control"], select.EPOLLIN, self.obey)
        carried = self.listen()
        self.prepare()
        self.start_application()
        self.greet()
        deadline = float(str(self.orders["deadline"]))
        while self.status is None:
            self.reap()
            now = time.monotonic()
            if deadline and now - self.started > deadline and not self.stopping:
                self.stop(10.0, f"It reached its time limit of {deadline:.0f} s.")
            if self.kill_at and now >= self.kill_at:
                break
            waits = [60.0] + [at - now for at in (self.kill_at, deadline and self.started + deadline) if at]
            if self.status is None:
                self.loop.turn(max(0.0, min(waits)))
        self.kill_everything()
        for _ in range(64):
            self.drain()
        del carried
        code, reason = self.ending()
        trouble = "out-of-memory" if code and not self.stopping and self.out_of_memory() else ""
        self.report(phase="exited", exit_code=code, reason=reason, trouble=trouble)


def instructions(word: str, descriptor: str = "") -> dict[str, object]:
    """Read the instructions, or wait for them."""
    if descriptor:
        waited: dict[str, object] = __import__("standby").wait(int(descriptor))
        return waited
    with os.fdopen(int(word), "rb") as file:
        read: dict[str, object] = marshal.load(file)  # noqa: S302  the platform's own words, from its own memory
    return read


def main() -> None:
    """Read the instructions, give up rights, and run."""
    orders = instructions(*sys.argv[1:])
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  pathlib would double the supervisor's memory
        if int(name) > 2:  # noqa: PLR2004  the standard streams
            try:
                fcntl.fcntl(int(name), fcntl.F_SETFD, fcntl.FD_CLOEXEC)
            except OSError:
                continue  # the descriptor of this very listing
    if orders["nested"]:
        uncover()
    drop_rights(orders["uid"], orders["gid"])  # type: ignore[arg-type]
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    os.umask(0o022)
    if orders["cores"]:
        os.sched_setaffinity(0, orders["cores"])  # type: ignore[arg-type]
    supervisor = Supervisor(orders)
    try:
        supervisor.report(phase="preparing")
        supervisor.run()
    except Exception as error:  # noqa: BLE001  whatever went wrong must be seen by the person who waits
        supervisor.kill_everything()
        supervisor.report(phase="exited", exit_code=125, reason=f"The platform failed to run it: {error}.")


if __name__ == "__main__":
    main()
