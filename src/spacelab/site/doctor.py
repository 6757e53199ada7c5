"""What `spacelab doctor` looks at: each finding with what it means and what would mend it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from django.core.mail import get_connection
from django.db import DatabaseError

from spacelab.notifications.queries import mail_health
from spacelab.site import engine_program
from spacelab.site.configuration import Configuration
from spacelab.site.up import port_trouble, portal_answers
from spacelab.testing.picture import can_take
from spacelab.workloads.queries import capabilities, controller_is_running, controller_seen_at
from spacelab.workloads.runtimes.container.host import facts as container_facts
from spacelab.workloads.runtimes.container.options import Options as ContainerOptions
from spacelab.workloads.runtimes.process.host import facts as process_facts

COMFORTABLE_DISK_MB = 5 * 1024
"""Free MiB below which the first start and a few environments may not fit."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `needed` says whether the platform can't work without it."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    needed: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the finding as plain JSON data."""
        return asdict(self)


def _python() -> Finding:
    return Finding("Python", True, f"{platform.python_version()} at {sys.executable}", needed=True)


def _machine() -> Finding:
    memory = psutil.virtual_memory().total / 2**30
    return Finding("Machine", True, f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.platform(terse=True)}")


def _disk(configuration: Configuration) -> Finding:
    folder = configuration.state
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free // 2**20
    remedy = "" if free > COMFORTABLE_DISK_MB else "Free some space, or set SPACELAB_STATE to a roomier disk."
    if free < configuration.disk_floor_mb:
        remedy += (
            f" Below {configuration.disk_floor_mb / 1024:.1f} GiB (disk_floor_mb) the platform removes what no datalab "
            "needs, the oldest first: `spacelab builds prune --dry-run` shows what is left of that."
        )
    enough = free > configuration.disk_reserve_mb
    detail = f"{free / 1024:.1f} GiB free at {configuration.state}"
    return Finding("Disk", enough, detail, remedy.strip(), needed=True)


def _state(configuration: Configuration) -> Finding:
    folder = configuration.state
    while not folder.exists():
        folder = folder.parent
    writable = os.access(folder, os.W_OK)
    remedy = "" if writable else f"Make {folder} writable for this user, or set SPACELAB_STATE."
    return Finding("State directory", writable, str(configuration.state), remedy, needed=True)


def _version(program: str, *arguments: str) -> str:
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip().splitlines()[0] if done.returncode == 0 else ""


def _edge() -> Finding:
    caddy = Path(sys.executable).parent / "caddy"
    version = _version(str(caddy), "version")
    return Finding("Edge (Caddy)", bool(version), version or "caddy doesn't start", "Run `make up` again.", needed=True)


def _isolation() -> Finding:
    """Say what the settings and the host together come to, in the words of the launch page."""
    found = capabilities()
    if found.isolation == "none":
        return Finding("Sessions", False, found.warnings[0], "Mend the sandbox above, or leave SPACELAB_SANDBOX alone.")
    if found.isolation == engine_program.CONTAINER and found.warnings:
        return Finding("Sessions", False, found.warnings[0], "See the container engine above.")
    return Finding("Sessions", True, f"each in a {found.isolation} of its own")


def _engine(configuration: Configuration) -> Iterator[Finding]:
    """Look at the container engine where containers are wanted; else say in a line whether there is one."""
    if configuration.runtime == engine_program.CONTAINER:
        for fact in container_facts(ContainerOptions.from_settings()):
            yield Finding(fact.name, fact.ok, fact.detail, fact.remedy, needed=fact.name == "Container engine")
        return
    present = [program for program in ("podman", "docker") if shutil.which(program)]
    detail = f"{' and '.join(present)} installed" if present else "none"
    remedy = "" if present else "Not needed: sessions run in the process runtime."
    yield Finding("Container engine", bool(present), detail, remedy)


def _browser() -> Finding:
    found = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), "")
    return Finding("Chromium", bool(found), found or "none", "Only for `make test`: sudo apt-get install chromium")


def _pictures(configuration: Configuration) -> Finding:
    """Say whether launch tests can take pictures of interfaces."""
    if not configuration.browser:
        return Finding("Pictures", True, "launch tests take none: no browser is set (set browser)")
    able = can_take(configuration.browser)
    remedy = (
        "" if able else "Name a Chromium that is there in `browser`; bubblewrap and /usr/bin/python3 are needed too."
    )
    return Finding("Pictures", able, f"launch tests take them with {configuration.browser}", remedy)


def _port(configuration: Configuration) -> Finding:
    where = f"{configuration.bind}:{configuration.port}"
    if portal_answers(configuration):
        return Finding("Portal", True, f"answers at {configuration.portal_url}")
    trouble = port_trouble(configuration.bind, configuration.port)
    detail = f"not running; {where} is {trouble or 'free'}"
    remedy = "Choose another port: SPACELAB_PORT=8090" if trouble else ""
    return Finding("Portal", not trouble, detail, remedy, needed=True)


def _controller(*, portal: bool) -> Finding:
    if controller_is_running():
        return Finding("Controller", True, "at work")
    seen = controller_seen_at()
    ago = f"; it last saw its workloads {(datetime.now(UTC) - seen).total_seconds():.0f} s ago" if seen else ""
    detail = f"not at work{ago}" if portal else "not running"
    return Finding("Controller", not portal, detail, "Its log says why: log/controller.log in the state directory.")


def _mail(configuration: Configuration) -> Finding:
    """Say whether the mail server takes the platform's sign-in, and whether mail is held up."""
    if not configuration.mail_host:
        return Finding("Mail", True, "no server is set up: mail is written to the log (set mail_host)")
    where = f"{configuration.mail_host}:{configuration.mail_port or configuration.usual_mail_port}"
    server = get_connection()
    try:
        server.open()
        server.close()
    except (OSError, ValueError) as error:
        remedy = "Check mail_host, mail_port, mail_security, mail_ca, mail_user and mail_password_file."
        return Finding("Mail", False, f"{where} can't be used: {type(error).__name__}: {error}", remedy)
    try:
        health = mail_health()
    except DatabaseError:
        return Finding("Mail", True, f"{where} answers")
    if health.well:
        return Finding("Mail", True, f"{where} answers, and nothing is held up")
    detail = f"{where} answers; {health.held_up} held up, {health.given_up} given up this week: {health.trouble}"
    return Finding("Mail", False, detail, "The audit trail names whose mail was given up (notifications.give-up-mail).")


def look(configuration: Configuration) -> Iterator[Finding]:
    """Look at this host; yields findings one by one, since some take a moment."""
    yield _python()
    yield _machine()
    yield _state(configuration)
    yield _disk(configuration)
    yield _edge()
    if configuration.runtime != engine_program.CONTAINER:
        for fact in process_facts():
            yield Finding(fact.name, fact.ok, fact.detail, fact.remedy)
    yield from _engine(configuration)
    yield _isolation()
    yield _mail(configuration)
    yield _browser()
    yield _pictures(configuration)
    yield _port(configuration)
    yield _controller(portal=portal_answers(configuration))
