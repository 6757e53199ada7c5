"""The broker of a Slurm cluster: a program that has the steps of one pipeline run carried out on its nodes.

Run as `python -m spacelab.workloads.runtimes.process.slurm_program <folder> <lock's descriptor>`; what it takes orders
for, and how, is told in `shared.brokering`. On its node a job runs in a sandbox like that of a step on the platform's
own machine, and as the workload's user.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from spacelab.workloads.rules import RUN_PLACES
from spacelab.workloads.runtimes.process import sandbox, slurm_pilots
from spacelab.workloads.runtimes.shared.brokering import JOB_FOLDER, TICK, Broker, Order, Refused
from spacelab.workloads.runtimes.shared.variables import SYSTEM_PATH

END_PATIENCE = 5.0
"""Seconds that `srun` has to end a job that is no longer wanted."""


class SlurmBroker(Broker):
    """Carries jobs as steps of the cluster."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.pilots = slurm_pilots.Pilots(self.pilot_words, self.orders["python"], self.variables)

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment of Slurm's own programs."""
        conf = {"SLURM_CONF": self.orders["conf"]} if self.orders["conf"] else {}
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", **conf}

    def clear(self) -> None:
        """Cancel all jobs of this run."""
        self.pilots.end()
        places = range(len(self.orders["places"]))
        names = ",".join(f"{self.orders['name']}.{number}" for number in places)
        subprocess.run(
            ["scancel", "--quiet", f"--name={names}"],
            env=self.variables,
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    def carry_out(
        self, connection: socket.socket, order: Order, memory_mb: int, descriptors: list[int]
    ) -> dict[str, Any]:
        """Run a job by a pilot; one that reads a file by an `srun` of its own, which passes that on."""
        if order.network:
            raise Refused("A step on the cluster has no network.")
        stdin, stdout, stderr = descriptors
        if stat.S_ISREG(os.fstat(stdin).st_mode) and os.fstat(stdin).st_size:
            return self._alone(connection, order, memory_mb, descriptors)
        shape = (max(1, math.ceil(order.cores)), memory_mb)
        pilot = self.pilots.take(shape, order.number, lambda: self.unwanted(connection))
        if pilot is None:
            return {"exit_code": -signal.SIGKILL, "cpu_seconds": 0.0, "memory_bytes": 0}
        try:
            answer = self._follow(pilot, connection, [*self.sandbox(order), *order.argv], (stdout, stderr))
        except slurm_pilots.Lost as lost:
            self.pilots.lose(pilot)
            return {"trouble": str(lost)}
        except BaseException:
            pilot.end()
            self.pilots.lose(pilot)
            raise
        self.pilots.give_back(pilot)
        return answer

    def _follow(
        self, pilot: slurm_pilots.Pilot, connection: socket.socket, words: list[str], outputs: tuple[int, int]
    ) -> dict[str, Any]:
        """Have a pilot carry out a command, and write what it says to where it belongs."""
        pilot.send(b"o", json.dumps(words).encode())
        ending = False
        while True:
            waited = [pilot.output] if ending else [pilot.output, connection.fileno()]
            ready, _, _ = select.select(waited, [], [], TICK)
            if not ending and self.unwanted(connection):
                pilot.send(b"k")
                ending = True
            if pilot.output not in ready:
                continue
            kind, data = pilot.receive()
            if kind == b"e":
                return slurm_pilots.ended(data)
            target = memoryview(data)
            while target and kind in (b"1", b"2"):
                target = target[os.write(outputs[kind == b"2"], target) :]

    def tick(self) -> None:
        """Give idle allocations back."""
        self.pilots.tick()

    def pilot_words(self, shape: slurm_pilots.Shape, number: int) -> list[str]:
        """Return the command that has a program run in an allocation."""
        return self.allocation(number, *shape, "--unbuffered")

    def _alone(self, connection: socket.socket, order: Order, memory_mb: int, descriptors: list[int]) -> dict[str, Any]:
        """Run a job by `srun`, whose exit code is the command's."""
        stdin, stdout, stderr = descriptors
        cores = max(1, math.ceil(order.cores))
        job = subprocess.Popen(
            [*self.allocation(order.number, cores, memory_mb), *self.sandbox(order), *order.argv],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd="/",
            env=self.variables,
            start_new_session=True,
        )
        over = os.pidfd_open(job.pid)
        try:
            while job.poll() is None:
                if self.unwanted(connection):
                    self._end(job, order)
                select.select([over, connection.fileno()], [], [], TICK)
        finally:
            os.close(over)
        return {"exit_code": job.returncode, "cpu_seconds": 0.0, "memory_bytes": 0}

    def allocation(self, number: int, cores: int, memory_mb: int, *more: str) -> list[str]:
        """Return the command up to what is started on the node."""
        words = ["srun", "--quiet", f"--job-name={self.orders['name']}.{number}", "--ntasks=1", "--nodes=1", *more]
        return [*words, f"--cpus-per-task={cores}", f"--mem={memory_mb}M", "--chdir=/", *self.orders["more"], "--"]

    def sandbox(self, order: Order) -> list[str]:
        """Return what makes the sandbox on the node: the run's volumes read-only, and the job's own place."""
        resources, place = self.orders["resources"], self.orders["places"][order.number]
        size = str(int(resources["scratch_mb"]) * 2**20)
        inside = [*self.orders["system"], "--proc", "/proc", "--dev", "/dev"]
        for path in ("/tmp", "/var/tmp", "/dev/shm"):  # noqa: S108  paths inside
            inside += ["--perms", "1777", "--size", size, "--tmpfs", path]
        for source, target in self.orders["binds"]:
            inside += ["--ro-bind", source, target]
        for path in (JOB_FOLDER, f"{RUN_PLACES}/{order.number}"):
            inside += ["--bind", place, path]
        words = ["bwrap", *self._rights(), "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"]
        words += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", *sandbox.folders(inside), *inside]
        words += ["--remount-ro", "/", "--clearenv"]
        words += ["--setenv", "PATH", SYSTEM_PATH, "--chdir", order.folder, "--"]
        uid = self.orders["uid"]
        if uid is not None:
            gone = ["--clear-groups", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"]
            words += ["/usr/bin/setpriv", f"--reuid={uid}", f"--regid={uid}", *gone, "--"]
        # A job's own variables come last: LD_PRELOAD or PATH would otherwise steer a program that still has rights.
        variables = {"PATH": SYSTEM_PATH, **order.environment}
        return [*words, "/usr/bin/env", "-i", "--", *(f"{name}={value}" for name, value in variables.items())]

    def _rights(self) -> list[str]:
        """Return the rights that the job is started with: as root, those with which it stops being root."""
        keep = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP") if self.orders["uid"] is not None else ()
        own = [] if keep else ["--unshare-user"]
        return [*own, "--cap-drop", "ALL", *(word for name in keep for word in ("--cap-add", name))]

    def _end(self, job: subprocess.Popen[bytes], order: Order) -> None:
        job.send_signal(signal.SIGTERM)  # srun then ends the job wherever it is
        try:
            job.wait(END_PATIENCE)
        except subprocess.TimeoutExpired:
            name = f"--name={self.orders['name']}.{order.number}"
            subprocess.run(["scancel", "--quiet", name], env=self.variables, check=False, timeout=60)
            job.kill()
            job.wait()


def main() -> None:
    """Serve the run that the folder is of; the lock is held until the end of this program."""
    path, _lock = sys.argv[1:]
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    SlurmBroker(Path(path)).run()


if __name__ == "__main__":
    main()
