"""`spacelab package build|run`: a package on its developer's own machine, built and started as the platform does it."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

import datalab_package
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Invalid, Refusal
from spacelab.site.trial.building import Built, Wanted, build
from spacelab.site.trial.forwarding import LOOPBACK, Target, forwarding
from spacelab.site.trial.workbench import LogTail, Workbench, workbench
from spacelab.volumes.areas import SHARED_MODE, make_area
from spacelab.volumes.rules import ARCHIVE_ROOT, HOME, OLD_ARCHIVE_ROOT, WORKSPACE, Mount, check_volume_name
from spacelab.workloads.ports import RuntimeFault
from spacelab.workloads.rules import Interface, Kind, Network, Observation, Resources, Seen, Trouble, WorkloadSpec

PACKAGE_TARGET = "/opt/datalab"
MEMORY_MB = 4096
SCRATCH_MB = 4096


def say(text: str = "") -> None:
    """Print one line at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _indented(line: str) -> None:
    say(f"    {line}")


def owner() -> str:
    """Return a name for the one who tries the package, as usernames are written."""
    return re.sub(r"[^a-z0-9-]", "", getpass.getuser().lower()) or "developer"


def tell_plan(manifest: datalab_package.Manifest, plan: datalab_package.Plan) -> None:
    """Print what the package was found to be, and what will be done."""
    say(f"{manifest.title} {manifest.version}: a {plan.kind} datalab on {plan.base}")
    for number, step in enumerate(plan.steps, 1):
        say(f"  {number}. {step.title}: {step.reason}" if step.reason else f"  {number}. {step.title}")
    for one in plan.proposals:
        where = f"{one.file}, line {one.line}" if one.line else one.file
        say(f"  ? {one.package} is imported ({one.module} in {where}) and listed nowhere; --accept installs it")
    for warning in plan.warnings:
        say(f"  ! {warning}")


def _build(bench: Workbench, options: argparse.Namespace) -> Built:
    capabilities = bench.runtime.capabilities()
    for warning in capabilities.warnings:
        say(f"! {warning}")
    started = time.monotonic()
    wanted = Wanted(options.folder, owner(), _indented, tell_plan, accept=options.accept)
    built = build(bench, wanted)
    what = f"image {built.result.image}" if built.result.image else f"environment {built.result.environment}"
    took = "unchanged" if built.reused else f"built in {time.monotonic() - started:.1f} s"
    say(f"✓ {what}, {built.result.size_bytes / 1e6:.0f} MB, {took}")
    return built


def volume_mounts(given: Sequence[str]) -> list[Mount]:
    """Read `PATH:NAME` for each volume; raise `Invalid` for a folder that isn't there, or an unfit name."""
    mounts = []
    for one in given:
        path, _, name = one.rpartition(":")
        folder = Path(path or one).expanduser().resolve()
        name = name if path else folder.name
        check_volume_name(name)
        if not folder.is_dir():
            raise Invalid(f"There is no folder {folder}.", advice="Write --volume FOLDER:NAME.")
        mounts += [Mount(str(folder), str(root / name), volume=name) for root in (ARCHIVE_ROOT, OLD_ARCHIVE_ROOT)]
    return mounts


def session_spec(built: Built, volumes: Sequence[Mount], port: int) -> WorkloadSpec:
    """Describe the session as the platform would for the smallest of its people: one, on her own machine."""
    session_id, result = new_id(), built.result
    areas: Path = settings.SPACELAB.state / "areas"
    uid = settings.SPACELAB.workload_uid if os.geteuid() == 0 else None
    own = []
    for name, place in (("home", HOME), ("workspace", WORKSPACE)):
        folder = make_area(areas, built.manifest.slug, name, mode=SHARED_MODE, owner=uid)
        own.append(Mount(str(folder), str(place), read_only=False))
    package = [] if result.image else [Mount(str(built.package), PACKAGE_TARGET)]
    return WorkloadSpec(
        id=session_id,
        owner=owner(),
        kind=Kind.INTERACTIVE,
        command=tuple(result.command),
        environment=result.environment,
        image=result.image,
        variables={
            **result.variables,
            "DATALAB_NAME": built.manifest.slug,
            "DATALAB_ID": session_id,
            "DATALABS_URL": f"http://{LOOPBACK}:{port}",
        },
        mounts=(*volumes, *own, *package),
        resources=Resources(cpu=os.cpu_count() or 1, memory_mb=MEMORY_MB, scratch_mb=SCRATCH_MB),
        interface=Interface(**result.interface),
        network=Network.OUTBOUND,
    )


def tell_end(seen: Observation, interface: Interface) -> None:
    """Print why a session did not come up, or how it ended, and what to do."""
    if seen.seen is not Seen.EXITED:
        say(f"✗ It runs, but does not answer at port {interface.port}, {interface.health_path}.")
        say("  It has to listen on the port in $IF_main_port, and answer at interface.health_path of spacelab.yml.")
        return
    say(f"✗ {seen.reason}")
    if seen.trouble == Trouble.OUT_OF_MEMORY:
        say(f"  It may use {MEMORY_MB} MiB here; the platform's smallest profile has less.")
    else:
        say("  The lines above say more.")


def run_build(options: argparse.Namespace) -> int:
    """Build, and say what came of it; return the exit status."""
    with workbench() as bench:
        _build(bench, options)
    return 0


def run_session(options: argparse.Namespace) -> int:
    """Build, start, and forward until Ctrl-C; return the exit status."""
    volumes = volume_mounts(options.volume)
    target = Target()
    with workbench() as bench:
        built = _build(bench, options)
        with forwarding(target, options.port) as port:
            spec = session_spec(built, volumes, port)
            return _serve(bench, spec, target, port)


def _serve(bench: Workbench, spec: WorkloadSpec, target: Target, port: int) -> int:
    tail = LogTail(bench.runtime, spec.id, _indented)
    interface = spec.interface or Interface()
    started = time.monotonic()
    try:
        bench.start(spec)
        seen = bench.watch(tail, until=Seen.RUNNING, patience=settings.SPACELAB.start_timeout_seconds)
        if seen.seen is not Seen.RUNNING:
            tell_end(seen, interface)
            return 1
        target.socket = Path(seen.address.removeprefix("unix/"))
        path = interface.path.replace("{id}", spec.id)
        say(f"✓ ready in {time.monotonic() - started:.1f} s:  http://{LOOPBACK}:{port}{path}")
        say("  Ctrl-C ends it; home and workspace stay for the next run.")
        seen = bench.watch(tail, until=Seen.EXITED)
        tell_end(seen, interface)
    except KeyboardInterrupt:
        say("Ending it …")
        return 0
    finally:
        bench.clear(spec.id)
    return 0 if seen.exit_code == 0 else 1


def main(options: argparse.Namespace) -> int:
    """Build, or build and run; return the exit status. Needs Django's settings."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run_session(options) if options.what == "run" else run_build(options)
    except Refusal as refusal:
        say(f"✗ {refusal.message}")
        if refusal.advice:
            say(f"  {refusal.advice}")
    except RuntimeFault as fault:
        say(f"✗ {fault}")
    except OSError as error:
        say(f"✗ Port {options.port} of {LOOPBACK} can't be had: {error.strerror}." if options.port else f"✗ {error}")
    except KeyboardInterrupt:
        say("Ended; nothing is left running.")
    return 1
