"""What this host lets the process runtime do, found out by trying, and what would mend the rest."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

from spacelab.workloads.runtimes.process.sandbox import NAMESPACES
from spacelab.workloads.runtimes.shared.facts import Fact
from spacelab.workloads.runtimes.shared.limits import Groups, find_groups

TRIAL_SECONDS = 10
NOBODY = 65534
BASE = ("--ro-bind", "/usr", "/usr", "--ro-bind-try", "/lib", "/lib", "--ro-bind-try", "/lib64", "/lib64")
OLDEST_BUBBLEWRAP = (0, 7)
"""The first release whose private file systems can be given a size."""

INSTALL = "sudo apt-get install bubblewrap"
ALLOW_NAMESPACES = (
    "Allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces, "
    "kernel.apparmor_restrict_unprivileged_userns=0), or run the platform as root."
)
ALLOW_NESTED = (
    "Allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces, "
    "kernel.apparmor_restrict_unprivileged_userns=0), also when the platform runs as root. Until then the steps of one "
    "run share its sandbox: they see each other's files and processes, and nobody else's."
)
DELEGATE = (
    "Start the platform as a systemd service with Delegate=yes, or as root, so that it may make control groups. "
    "Until then memory is limited per process only."
)


def try_sandbox(*arguments: str, inside: tuple[str, ...] = ("/usr/bin/true",), user: int | None = None) -> str:
    """Run a program in a sandbox with these arguments, by root as `user`; return what went wrong, or nothing."""
    program = shutil.which("bwrap")
    if not program:
        return "bubblewrap is not installed"
    command = [program, *arguments, *BASE, "--proc", "/proc", "--dev", "/dev", "--", *inside]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=TRIAL_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd="/",
            user=user if os.geteuid() == 0 else None,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"


def _user_namespace() -> tuple[str, ...]:
    return () if os.geteuid() == 0 else ("--unshare-user",)


@functools.cache
def bubblewrap_version() -> tuple[int, ...]:
    """Return bubblewrap's version, empty when it is not installed."""
    program = shutil.which("bwrap")
    if not program:
        return ()
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=TRIAL_SECONDS)
    digits = done.stdout.split()[-1:] or [""]
    return tuple(int(part) for part in digits[0].split(".") if part.isdigit())


@functools.cache
def sandbox_trouble() -> str:
    """Say why no sandbox can be made here; nothing when it can."""
    version = bubblewrap_version()
    if version and version < OLDEST_BUBBLEWRAP:
        return "bubblewrap is older than 0.7"
    return try_sandbox(*NAMESPACES, *_user_namespace())


@functools.cache
def nested_trouble() -> str:
    """Say why no sandbox can be made inside a workload's, as for the steps of a pipeline run; nothing when it can.

    The kernel asks whoever has no rights for two things: user namespaces, and that nothing hides a part of /proc, which
    the supervisor sees to (see `inside.rights.uncover`).
    """
    program = shutil.which("bwrap") or "bwrap"
    own = ("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-net")
    inner = (program, *own, *BASE, "--dev", "/dev", "--", "/usr/bin/true")
    return try_sandbox(*NAMESPACES, "--unshare-user", "--tmpfs", "/tmp", inside=inner, user=NOBODY)  # noqa: S108  inside


@functools.cache
def groups() -> Groups:
    """Find the control groups of this process, once."""
    return find_groups()


def facts() -> list[Fact]:
    """Look at this host, for `spacelab doctor`."""
    found = []
    version = bubblewrap_version()
    shown = ".".join(str(part) for part in version)
    recent = version >= OLDEST_BUBBLEWRAP
    found.append(Fact("Bubblewrap", recent, shown or "not installed", "" if recent else INSTALL))
    if version:
        if os.geteuid() == 0:
            found.append(Fact("User namespaces", True, "not needed: the platform runs as root"))
        else:
            trouble = try_sandbox("--unshare-user")
            found.append(
                Fact("User namespaces", not trouble, trouble or "allowed", ALLOW_NAMESPACES if trouble else "")
            )
        trouble = try_sandbox(*_user_namespace(), "--unshare-net")
        remedy = "Give the platform's container or service the right to make network namespaces." if trouble else ""
        found.append(Fact("Network namespaces", not trouble, trouble or "allowed", remedy))
        trouble = sandbox_trouble()
        remedy = "Mend the above; until then sessions run without a sandbox, for a single person." if trouble else ""
        found.append(Fact("Sandbox", not trouble, trouble or "sessions are isolated from each other", remedy))
        if not trouble:
            trouble = nested_trouble()
            detail = trouble or "the steps of a pipeline run are kept apart from each other"
            found.append(Fact("Sandboxes in a sandbox", not trouble, detail, ALLOW_NESTED if trouble else ""))
    limits = groups()
    detail = f"version {limits.version}, writable" if limits.usable else "not writable for this user"
    found.append(Fact("Control groups", limits.usable, detail, "" if limits.usable else DELEGATE))
    return found
