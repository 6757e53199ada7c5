"""A Slurm cluster of two nodes on this machine, for one test run: all as one user, on private ports and sockets."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.ports import free_port

PATIENCE = 60.0
PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "scancel", "sinfo", "squeue")


def missing_cluster() -> str:
    """Say what a test cluster lacks here; nothing when it lacks nothing."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    missing = [program for program in PROGRAMS if not shutil.which(program, path=path)]
    if os.geteuid() != 0:
        return "a test cluster needs root"
    return f"this machine has no Slurm: apt-get install slurm-wlm munge ({', '.join(missing)})" if missing else ""


def _configuration(folder: Path) -> str:
    host = socket.gethostname()
    ports = [free_port() for _ in range(4)]
    nodes = "".join(
        f"NodeName=n{number} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[number]} CPUs=4 RealMemory=8000\n"
        for number in (1, 2)
    )
    return f"""
ClusterName=spacelab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
{nodes}PartitionName=main Nodes=n1,n2 Default=YES DefMemPerCPU=64
"""


@contextmanager
def running_cluster() -> Iterator[Path]:
    """Run a cluster as long as the context lasts; yields its slurm.conf."""
    folder = Path(tempfile.mkdtemp(prefix="sps-"))
    folder.chmod(0o755)
    for name in ("state", "spool-n1", "spool-n2"):
        (folder / name).mkdir()
    (folder / "key").write_bytes(os.urandom(1024))
    (folder / "key").chmod(0o600)
    conf = folder / "slurm.conf"
    conf.write_text(_configuration(folder))
    variables = {**os.environ, "SLURM_CONF": str(conf), "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    munge = ["--key-file", "key", "--socket", "munge.socket", "--pid-file", "munge.pid", "--log-file", "munge.log"]
    munge = [word if word.startswith("--") else str(folder / word) for word in munge]
    commands = [
        ["munged", "--foreground", "--force", *munge, f"--seed-file={folder}/seed"],
        ["slurmctld", "-D", "-c", "-f", str(conf)],
        *(["slurmd", "-D", "-N", node, "-f", str(conf)] for node in ("n1", "n2")),
    ]
    started: list[subprocess.Popen[bytes]] = []
    with (folder / "said").open("wb") as said:
        try:
            for command in commands:
                started.append(
                    subprocess.Popen(
                        command, env=variables, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=folder
                    )
                )
                time.sleep(0.3)
            _wait_for_nodes(variables, folder)
            yield conf
        finally:
            for process in reversed(started):
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _wait_for_nodes(variables: dict[str, str], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        told = subprocess.run(
            ["sinfo", "--noheader", "-N", "-o", "%N %t"], env=variables, capture_output=True, text=True, check=False
        )
        if told.stdout.split().count("idle") == 2:
            return
        if time.monotonic() > deadline:
            logs = "\n".join(path.read_text(errors="replace")[-1500:] for path in sorted(folder.glob("*.log")))
            raise RuntimeError(f"the cluster does not start: {told.stdout}\n{logs}")
        time.sleep(0.2)
