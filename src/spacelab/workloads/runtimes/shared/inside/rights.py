"""Gives up rights and sets limits, for good; the standard library alone."""

from __future__ import annotations

import _ctypes
import os
import resource
import sys

PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 4, 24, 36
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39
CAPABILITIES = 64
"""More than Linux knows: the surplus is refused and ignored."""

CAPABILITY_VERSION = 0x20080522
"""The third version of capset(2), with two words of each set."""

COVERED = ("sys", "sysrq-trigger", "irq", "bus")
MNT_DETACH = 2

ITSELF = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # this program with its C library
C_CALL, KEEP_ERRNO = 1, 8
"""Flags of a foreign function."""


class Number(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001  ctypes itself would cost each start 6 ms
    """A C int."""

    _type_ = "i"


class Function(_ctypes.CFuncPtr):
    """A function of the C library that takes numbers and bytes, and returns a number."""

    _flags_ = C_CALL | KEEP_ERRNO
    _restype_ = Number


def call(name: str, *arguments: int | bytes | None) -> int:
    """Call a function of the C library; return its result, -1 for most failures."""
    return int(Function(_ctypes.dlsym(ITSELF, name))(*arguments))


def failed(path: bytes) -> OSError:
    """Return the error of the last call."""
    number = _ctypes.get_errno()
    return OSError(number, os.strerror(number), os.fsdecode(path))


def prctl(option: int, value: int) -> None:
    """Call `prctl`; what the kernel refuses was not there to give up."""
    call("prctl", option, value, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up every capability, those that a later program could get included; raise `OSError` if one is left."""
    for capability in range(CAPABILITIES):
        prctl(PR_CAPBSET_DROP, capability)
    if call("capset", CAPABILITY_VERSION.to_bytes(4, sys.byteorder) + bytes(4), bytes(24)):
        raise OSError(_ctypes.get_errno(), "the capabilities could not be given up")


def drop_rights(uid: int | None, gid: int | None) -> None:
    """Become the workload's user for good and close this process to its eyes."""
    if uid is not None and gid is not None:
        for capability in range(CAPABILITIES):
            prctl(PR_CAPBSET_DROP, capability)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_DUMPABLE, 0)


def uncover() -> None:
    """Take away what bubblewrap puts over parts of /proc as root: the kernel lets nobody mount another one below it.

    Those parts are closed to the workload's user all the same.
    """
    for name in COVERED:
        call("umount2", f"/proc/{name}".encode(), MNT_DETACH)


def limit(limits: dict[str, int]) -> None:
    """Limit what this process and its children may use: `data_bytes` of each, `processes` of the user; 0 for none."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, which in (("data_bytes", resource.RLIMIT_DATA), ("processes", resource.RLIMIT_NPROC)):
        if limits[name]:
            hard = resource.getrlimit(which)[1]
            value = limits[name] if hard == resource.RLIM_INFINITY else min(limits[name], hard)
            resource.setrlimit(which, (value, value))
    try:
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123  pathlib would double the supervisor's memory
            file.write("500")  # when memory runs out it is the application that goes, not the supervisor
    except OSError:
        pass
