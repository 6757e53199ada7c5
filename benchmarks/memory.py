"""What the platform itself costs: memory of edge, web and controller, and of a session beyond its application.

Proportional set size (PSS) of each process from /proc/<pid>/smaps_rollup, in MB, half a minute after some use.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import httpx
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.client import Client
from support.platform import Platform, running_platform

BAR_MB = 350.0
PAGES = ("/", "/catalogue/", "/data/", "/sign-in/", "/api/docs")


def pss(pid: int) -> float:
    """Return a process's proportional set size in MB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no PSS for {pid}")


def programs(platform: Platform) -> dict[str, float]:
    """Return the memory of each of the platform's programs."""
    return {name: pss(platform.program(name)) for name in ("edge", "web", "controller")}


def sessions_processes(session: str, run: Path) -> dict[str, float]:
    """Return the memory of a session's processes by what they are: the platform's supervisor, or the application."""
    pid = json.loads((run / session / "process.json").read_text())["child-pid"]
    tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    found = {"supervisor": 0.0, "application": 0.0}
    for process in tree:
        kind = "supervisor" if any("supervisor.py" in word for word in process.cmdline()) else "application"
        found[kind] += pss(process.pid)
    return found


def main() -> int:
    """Measure and print; the exit status says whether the bar holds."""
    with running_platform() as platform:
        for _ in range(3):
            for page in PAGES:
                host = {"Host": f"localhost:{platform.port}"}
                httpx.get(f"http://127.0.0.1:{platform.port}{page}", headers=host).raise_for_status()
        client = Client(platform)
        session = client.launch()
        time.sleep(5)
        inside = sessions_processes(session, platform.state / "run")
        client.stop(session)
        time.sleep(30)
        idle = programs(platform)
    total = sum(idle.values())
    print(json.dumps({"idle": idle, "total": total, "session": inside}, indent=1))
    print(f"idle platform: {total:.0f} MB (bar: ≤ {BAR_MB:.0f} MB)")
    return 0 if total <= BAR_MB else 1


if __name__ == "__main__":
    sys.exit(main())
