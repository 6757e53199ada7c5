"""How fast the controller picks up launches, and at what cost: 3,000 running sessions, 500 launches a minute.

Usage: `python benchmarks/controller.py [--url postgresql://user@host/name] [--sessions N] [--launches N] [--seconds S]`
The database is made anew (SQLite in a temporary folder), or must be empty (PostgreSQL). The launches come from a
second process, as they would from the web.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]


def prepare(state: str, url: str) -> None:
    os.environ["SPACELAB_STATE"] = state
    os.environ["SPACELAB_DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "spacelab.site.settings"
    import django  # noqa: PLC0415  settings must be named first

    django.setup()


def launch(number: int, seconds: float) -> None:
    """Submit `number` workloads at an even pace."""
    from spacelab.accounts.models import Person  # noqa: PLC0415  Django must be ready
    from support.workloads import submit  # noqa: PLC0415

    person = Person.objects.get(username="ada")
    began = time.monotonic()
    for index in range(number):
        time.sleep(max(0.0, began + index * seconds / number - time.monotonic()))
        submit(person)


def measure(arguments: argparse.Namespace, state: str) -> dict[str, object]:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  Django must be ready

    from django.core.management import call_command  # noqa: PLC0415

    from spacelab.workloads.controller import Controller  # noqa: PLC0415
    from spacelab.workloads.models import Workload  # noqa: PLC0415
    from spacelab.workloads.reconcile import Policy  # noqa: PLC0415
    from spacelab.workloads.rules import Phase, Seen  # noqa: PLC0415
    from support.fake_runtime import FakeCopy, FakeRuntime  # noqa: PLC0415
    from support.people import make_person  # noqa: PLC0415
    from support.workloads import make_spec  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    person = make_person("ada")
    runtime = FakeRuntime(ready_at_once=True)
    specs = [make_spec(person) for _ in range(arguments.sessions)]
    Workload.objects.bulk_create(
        [
            Workload(id=spec.id, owner=person, kind=spec.kind, spec=spec.to_json(), phase=Phase.RUNNING)
            for spec in specs
        ],
        batch_size=500,
    )
    runtime.copies = {spec.id: FakeCopy(spec, Seen.RUNNING, memory_bytes=200_000_000) for spec in specs}
    until = threading.Event()

    def work_on() -> None:
        """Every tenth session computes; the others use a little now and then."""
        while not until.wait(5):
            for index, copy in enumerate(list(runtime.copies.values())):
                copy.cpu_seconds += 4 if index % 10 == 0 else 0.01

    threading.Thread(target=work_on, daemon=True).start()
    controller = Controller(runtime, policy=Policy(), executor=ThreadPoolExecutor(16))
    command = [sys.executable, __file__, "--url", arguments.url, "--launcher", state]
    command += ["--launches", str(arguments.launches), "--seconds", str(arguments.seconds)]
    controller.look()  # the first look after a start reads everything once
    began, cpu = time.monotonic(), time.process_time()
    launcher = subprocess.Popen(command)

    def end_after_launches() -> None:
        launcher.wait()
        time.sleep(3)
        until.set()

    threading.Thread(target=end_after_launches, daemon=True).start()
    controller.run(until, interval=0.15)
    elapsed, used = time.monotonic() - began, time.process_time() - cpu
    rows = Workload.objects.filter(started_at__isnull=False).values_list("created_at", "started_at")
    waits = sorted((started - created).total_seconds() for created, started in rows)
    return {
        "database": "postgresql" if arguments.url else "sqlite",
        "sessions": arguments.sessions,
        "launched": len(waits),
        "running": Workload.objects.filter(phase=Phase.RUNNING).count(),
        "pickup_p50_s": round(waits[len(waits) // 2], 3),
        "pickup_p99_s": round(waits[int(len(waits) * 0.99)], 3),
        "pickup_max_s": round(waits[-1], 3),
        "cpu_cores": round(used / elapsed, 3),
        "rss_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "seconds": round(elapsed, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="")
    parser.add_argument("--sessions", type=int, default=3000)
    parser.add_argument("--launches", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--launcher", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.launcher:
        prepare(arguments.launcher, arguments.url)
        launch(arguments.launches, arguments.seconds)
        return 0
    with tempfile.TemporaryDirectory(prefix="spacelab-bench-") as state:
        prepare(state, arguments.url)
        found = measure(arguments, state)
    print(json.dumps(found))
    held = (
        found["launched"] == arguments.launches
        and float(str(found["pickup_p99_s"])) < 1
        and float(str(found["cpu_cores"])) < 1
        and int(str(found["rss_peak_mb"])) < 400
    )
    print(
        f"{'held' if held else 'MISSED'}: p99 {found['pickup_p99_s']} s, {found['cpu_cores']} cores, "
        f"{found['rss_peak_mb']} MB ({found['database']}, {found['sessions']} sessions, {found['launched']} launches)"
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
