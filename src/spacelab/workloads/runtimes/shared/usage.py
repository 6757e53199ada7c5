"""What a workload uses, measured from the outside where no control group counts it."""

from __future__ import annotations

import os

import psutil

from spacelab.workloads.rules import Usage


def tree_usage(pid: int) -> Usage:
    """Add up the processes below a supervisor; shared pages count once for each that maps them."""
    try:
        top = psutil.Process(pid)
        processes = top.children(recursive=True)
    except psutil.Error:
        return Usage()
    seconds = 0.0
    memory = 0
    counted = 0
    for process in processes:
        try:
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
            memory += process.memory_info().rss
            counted += 1
        except psutil.Error:
            continue  # ended between the listing and the look
    return Usage(seconds, memory, processes=counted)


def scratch_bytes(pid: int) -> int:
    """Return the bytes in a sandbox's scratch, seen through its supervisor; 0 where the host doesn't allow the look."""
    try:
        found = os.statvfs(f"/proc/{pid}/root/scratch")
    except OSError:
        return 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize
