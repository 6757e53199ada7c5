"""Run folders on the platform's disk: made before the first start, controlled while at work, read without trust."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from spacelab.kit import folders
from spacelab.runs.events import EVENTS, open_inside
from spacelab.runs.models import Run
from spacelab.runs.rules import JOB_PLACE, job_folder
from spacelab.volumes.rules import WORKSPACE, Mount
from spacelab.workloads import queries as workloads
from spacelab.workloads.rules import ENVIRONMENTS, RUN_CACHE, RUN_FOLDER, PipelineRun

LARGEST_LOG = 2**20
"""Bytes of a job's log that are read at once."""


def run_folder(run_id: str) -> Path:
    """Return the folder of a run: documents, job order, events, what each job printed."""
    return Path(settings.SPACELAB.state) / "runs" / run_id


def cache_folder(username: str) -> Path:
    """Return the folder in which a person's runs keep what they may reuse."""
    return Path(settings.SPACELAB.state) / "run-cache" / username


def make(run_id: str, *, files: Mapping[str, str], job: Mapping[str, Any], options: Mapping[str, Any]) -> Path:
    """Write a run's folder for its first start; the names of files were checked before."""
    folder = run_folder(run_id)
    folder.mkdir(parents=True, mode=0o711)
    bundle = folder / "bundle"
    bundle.mkdir()
    for name, text in files.items():
        file = bundle / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    write_fixed(run_id, job=job, options=options)
    return folder


def write_fixed(run_id: str, *, job: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Write what is read-only inside, for the next start."""
    _write(run_folder(run_id), "job.json", job)
    _write(run_folder(run_id), "options.json", options)


def write_control(run_id: str, *, paused: bool) -> None:
    """Tell the coordinator what is wanted of it."""
    _write(run_folder(run_id), "control.json", {"paused": paused})


def _write(folder: Path, name: str, content: Mapping[str, Any]) -> None:
    """Put a file into a folder that a workload may change meanwhile: what it made of the name is not followed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    fresh = f".{name}.new"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh, dir_fd=descriptor)
        made = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=descriptor)
        with os.fdopen(made, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)
        os.replace(fresh, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
    finally:
        os.close(descriptor)


ON_CLUSTER = 8
"""Jobs of a run that are with the cluster at a time, which has cores of its own for them."""


def options_of(
    *,
    run_id: str,
    main: str,
    outdir: str,
    environments: Mapping[str, str],
    only_step: str,
    resources: Mapping[str, Any],
) -> dict[str, Any]:
    """Say how the coordinator runs the documents, with paths as they are inside the workload."""
    software = PipelineRun.of("", "", environments)
    options: dict[str, Any] = {
        "main": main,
        "outdir": outdir,
        "cache": RUN_CACHE,
        "cache_mb": settings.SPACELAB.run_cache_mb,
        "label": run_id,
        "parallel": max(1, round(resources["cpu"])),
        "environments": {named: f"{ENVIRONMENTS}/{found}" for named, found in software.environments.items()},
        "images": list(software.images),
        "network": resources["network"] != "none",
        "cores": resources["cpu"],
        "memory_mb": resources["memory_mb"],
    }
    if workloads.capabilities().isolation == "none":
        options |= {"backend": "local"}  # the coordinator's own sandboxes would not find the paths of a stand-in
    if settings.SPACELAB.pipeline_steps == "slurm":
        options |= {"images": ["*"], "parallel": ON_CLUSTER, "cores": 0}
    return options | ({"only_step": only_step} if only_step else {})


def events_size(run_id: str) -> int:
    """Return how many bytes of events there are."""
    file = open_inside(run_folder(run_id), (EVENTS,))
    if file is None:
        return 0
    with file:
        return os.fstat(file.fileno()).st_size


def read_log(run_id: str, job: str, name: str, since: int = 0, most: int = LARGEST_LOG) -> bytes:
    """Read what a job printed to `stdout` or `stderr`, from byte `since` on; a negative one counts from the end."""
    parts = job_folder(job)
    file = open_inside(run_folder(run_id), (*parts, name)) if parts and name in {"stdout", "stderr"} else None
    if file is None:
        return b""
    with file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size + since, 0) if since < 0 else min(since, size))
        return file.read(most)


def read_beside(run_id: str, job: str, name: str, most: int) -> bytes:
    """Read a small file of a job's folder; empty if there is none, or it is larger."""
    parts = job_folder(job)
    file = open_inside(run_folder(run_id), (*parts, name)) if parts else None
    if file is None:
        return b""
    with file:
        content = file.read(most + 1)
    return content if len(content) <= most else b""


def remove(run_id: str) -> None:
    """Remove a run's folder with all that its jobs left in it."""
    folders.remove(run_folder(run_id))
    folders.remove(_places(run_id))


def is_kept(run: Run, path: str) -> bool:
    """Say whether a file that a run of this person made is still there; it then counts as used now.

    `path` is as the run saw it. No link is followed; what lies behind one is believed to be there.
    """
    for root, folder in _kept(run).items():
        if path.startswith(f"{root}/"):
            parts = path[len(root) + 1 :].split("/")
            if "" in parts or "." in parts or ".." in parts:
                return False
            found = _is_inside(folder, parts)
            if found and root == RUN_CACHE and len(parts) > 1 and not (folder / parts[0]).is_symlink():
                with contextlib.suppress(OSError):
                    os.utime(folder / parts[0] / parts[1], follow_symlinks=False)
            return found
    return False


def _kept(run: Run) -> dict[str, Path]:
    """Return where runs of this person keep what their jobs made: inside, and on the host."""
    return {RUN_CACHE: cache_folder(run.owner.username), RUN_FOLDER: run_folder(run.pk)}


def _is_inside(folder: Path, parts: list[str]) -> bool:
    """Say whether there is something below a folder that workloads write into."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        for part in parts:
            found = os.stat(part, dir_fd=descriptor, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode):
                return stat.S_ISLNK(found.st_mode) or part is parts[-1]
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
    except PermissionError:
        return True  # its owner sees it, whatever the platform may
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _places(run_id: str) -> Path:
    return Path(settings.SPACELAB.state) / "opened-jobs" / run_id


def mounts_of_job(run: Run, folder: str) -> tuple[Mount, ...]:
    """Return what a session shows of a job laid out in `folder` of the workspace: all at the paths that the job had.

    At `JOB_PLACE` stand links into that folder; what earlier steps made and the run's own folder are read-only.
    """
    place = _places(run.pk) / Path(folder).name
    place.mkdir(parents=True, exist_ok=True, mode=0o755)
    for name in ("in", "out", "tmp"):
        with contextlib.suppress(FileExistsError):
            (place / name).symlink_to(WORKSPACE / folder / name)
    kept = [Mount(str(found), root) for root, found in _kept(run).items() if found.is_dir()]
    return (Mount(str(place), JOB_PLACE), *kept)


def orphans(known: Collection[str], *, older_than: float) -> list[str]:
    """List the folders that are of none of the known runs and were not changed since then (seconds since 1970)."""
    with contextlib.suppress(FileNotFoundError), os.scandir(run_folder("x").parent) as listed:
        return sorted(
            one.name
            for one in listed
            if one.name not in known and one.stat(follow_symlinks=False).st_mtime < older_than
        )
    return []
