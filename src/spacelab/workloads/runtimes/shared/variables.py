"""The environment variables of a workload, and where its paths are: in a sandbox, or without one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spacelab.volumes.rules import ARCHIVE_ROOT, HOME, SCRATCH, TEAM_ROOT, WORKSPACE
from spacelab.workloads import rules
from spacelab.workloads.rules import Network, WorkloadSpec, datalab_name, personal_environment

PACKAGE = PurePosixPath("/opt/datalab")
ENVIRONMENTS = PurePosixPath(rules.ENVIRONMENTS)
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
OUTBOUND_PROXY = "http://127.0.0.1:3128"
PORTAL_URL = "http://portal.spacelab.internal"
"""The API as a workload with a network of its own reaches it, by way of the proxy (see `egress`)."""
OPENED = "SPACELAB_OPEN"
"""The variable that holds the files to open, one a line."""
NUMERIC_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")


@dataclass(frozen=True)
class Places:
    """Where a workload finds things. In a sandbox these are the platform's paths; without one, folders of the host."""

    data: str
    workspace: str
    teams: str
    package: str
    home: str
    scratch: str
    environment: str
    port: int
    uid: int
    user: str


def user_name(spec: WorkloadSpec) -> str:
    """Return a name that a Unix user may have, from what the workload says or else from its owner."""
    wanted = spec.variables.get("USER") or spec.owner
    name = re.sub(r"[^a-z0-9_-]", "", wanted.lower())[:32]
    return name if name and name[0].isalpha() and name != "root" else "scientist"


def sandbox_places(spec: WorkloadSpec, uid: int) -> Places:
    """Return the paths that a workload sees in a sandbox."""
    user = user_name(spec)
    return Places(
        data=str(ARCHIVE_ROOT),
        workspace=str(WORKSPACE),
        teams=str(TEAM_ROOT),
        package=str(PACKAGE),
        home=f"/home/{user}",
        scratch=str(SCRATCH),
        environment=str(ENVIRONMENTS / spec.environment) if spec.environment else "",
        port=spec.interface.port if spec.interface else 0,
        uid=uid,
        user=user,
    )


def plain_places(spec: WorkloadSpec, root: Path, environments: Path, uid: int, port: int) -> Places:
    """Return the folders of the host that stand in for a sandbox's paths."""
    sources = {mount.target: mount.source for mount in spec.mounts}

    def place(target: PurePosixPath) -> str:
        return sources.get(str(target)) or str(root / target.relative_to("/"))

    return Places(
        data=str(root / "data"),
        workspace=place(WORKSPACE),
        teams=str(root / TEAM_ROOT.relative_to("/")),
        package=place(PACKAGE),
        home=place(HOME),
        scratch=str(root / "scratch"),
        environment=str(environments / spec.environment) if spec.environment else "",
        port=port,
        uid=uid,
        user=user_name(spec),
    )


def overlay_path(spec: WorkloadSpec, places: Places, version: str) -> str:
    """Return where a person's own packages for this datalab live, or nothing without an environment."""
    if not places.environment:
        return ""
    return f"{places.home}/{personal_environment(spec)}-py{'.'.join(version.split('.')[:2])}"


def variables(spec: WorkloadSpec, places: Places, overlay: str, *, own_network: bool) -> dict[str, str]:
    """Return the variables of a workload, without its secrets."""
    cores = str(max(1, math.ceil(spec.resources.cpu)))
    programs = [f"{folder}/bin" for folder in (overlay, places.environment) if folder]
    result = {
        "PATH": ":".join([*programs, SYSTEM_PATH]),
        "LANG": "C.UTF-8",
        "DATALAB_ID": spec.id,
        "LOG_LEVEL": "INFO",
        "ENVIRONMENT": "production",
        "SPACELAB_DATA": places.data,
        "SPACELAB_WORKSPACE": places.workspace,
        "SPACELAB_TEAMS": places.teams,
        "SPACELAB_PACKAGE": places.package,
        "SPACELAB_SCRATCH": places.scratch,
        "SPACELAB_ENVIRONMENT": places.environment,
        "CPU_LIMIT": f"{spec.resources.cpu:g}",
        "MEM_LIMIT": str(spec.resources.memory_mb * 2**20),
        "PYTHON_CPU_COUNT": cores,
        **{f"{library}_NUM_THREADS": cores for library in NUMERIC_LIBRARIES},
    }
    if overlay:
        result["JUPYTER_PATH"] = f"{overlay}/share/jupyter"
        # One home serves several datalabs, so each has its settings apart; the session's id would lose them at its end.
        result["JUPYTER_CONFIG_DIR"] = f"{places.home}/.jupyterlab-{datalab_name(spec)}"
    if own_network and spec.network is Network.OUTBOUND:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            result[name] = result[name.lower()] = OUTBOUND_PROXY
        result["NO_PROXY"] = result["no_proxy"] = "localhost,127.0.0.1"
    result |= {name: _paths_here(name, value, places) for name, value in spec.variables.items()}
    if own_network and "SPACELAB_URL" in result:
        result["SPACELAB_URL"] = PORTAL_URL
    result |= {"USER": places.user, "LOGNAME": places.user, "UID": str(places.uid), "HOME": places.home}
    if spec.interface:
        result[f"IF_{spec.interface.name}_port"] = str(places.port)
        result[f"IF_{spec.interface.name}_id"] = spec.id
    return result


def _paths_here(name: str, value: str, places: Places) -> str:
    """Return a variable's value with the platform's paths in it, one a line, as the workload finds them."""
    if name not in {OPENED, "OUTPUT_DIR"} and not name.startswith("INPUT_"):
        return value
    root = PurePosixPath(places.data).parent
    lines = value.split("\n")
    return "\n".join(str(root / line[1:]) if line.startswith(("/data/", "/media/")) else line for line in lines)


def command_line(command: Iterable[str], values: dict[str, str]) -> list[str]:
    """Return a command with the variables in its words expanded.

    A word with `$SPACELAB_OPEN` stands once for each file that is to be opened, and not at all if there is none.
    """
    files = [line for line in values.get(OPENED, "").split("\n") if line]
    words: list[str] = []
    for word in command:
        if expand(word, {OPENED: ""}) != word:
            words += [expand(word, {**values, OPENED: file}) for file in files]
        else:
            words.append(expand(word, values))
    return words


def expand(word: str, values: dict[str, str]) -> str:
    """Replace `$NAME` and `${NAME}` by their values; names without a value stay as they are."""
    return re.sub(
        r"\$(?:\{(\w+)\}|(\w+))", lambda found: values.get(found[1] or found[2], found[0]), word, flags=re.ASCII
    )
