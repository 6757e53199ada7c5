"""The arguments with which bubblewrap makes a workload's sandbox: what is visible in it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spacelab.volumes.rules import ARCHIVE_ROOT, HOME, OLD_ARCHIVE_ROOT, SCRATCH, TEAM_ROOT
from spacelab.workloads.rules import Resources, WorkloadSpec
from spacelab.workloads.runtimes.shared import pipelines
from spacelab.workloads.runtimes.shared.limits import Group
from spacelab.workloads.runtimes.shared.variables import ENVIRONMENTS, Places

OWN = PurePosixPath("/.spacelab")
"""Where the supervisor's own files are inside: read-only, and of no use to the application."""

SUPERVISOR = OWN / "inside" / "supervisor.py"
PYTHON = OWN / "python"
EGRESS = OWN / "egress"
PACKAGES = OWN / "packages"
RUNNER = OWN / "runner"
"""What a pipeline run's coordinator is made of."""

NAMESPACES = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try")
LINKED_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
ETC = [
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "fonts",
    "host.conf",
    "java-17-openjdk",
    "java-21-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "OpenCL",
    "papersize",
    "perl",
    "pip.conf",
    "pki/ca-trust",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
    "vulkan",
    "X11",
    "xdg",
]
"""What programs read below /etc and nobody minds to show."""

TARGET_AFTER = {"--ro-bind": 2, "--ro-bind-try": 2, "--bind": 2, "--ro-bind-data": 2, "--symlink": 2} | {
    "--tmpfs": 1,
    "--dir": 1,
}
"""How far behind an option its path inside the sandbox stands."""

OWN_TREES = ((), ("usr",), ("proc",), ("dev",))
"""The root, and what is mounted whole."""


@dataclass(frozen=True)
class Host:
    """What of the host a sandbox is made of."""

    inside: Path
    """The folder that holds the supervisor's files."""
    python: Path
    prefixes: tuple[Path, ...]
    """Folders outside /usr that the interpreters of environments need, each visible at its own path."""
    environments: Path
    egress: Path | None
    root: bool
    """Whether the platform runs as root, so that no user namespace is needed."""
    software: pipelines.Software | None = None
    """The coordinator's, for a pipeline run."""
    etc: Path | None = None
    """A folder that holds the parts of /etc already; each that is mounted by itself takes a third of a millisecond."""
    base: tuple[Path, ...] = ()
    """Folders outside /usr that the supervisor's own interpreter needs."""


def system(host: Host) -> list[str]:
    """Return the read-only system: /usr, the links to it, parts of /etc, the supervisor's interpreter."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in LINKED_FOLDERS:
        path = Path("/", name)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    if host.etc:
        arguments += ["--ro-bind", str(host.etc), "/etc"]
    else:
        arguments += [word for name in ETC for word in ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")]
    for prefix in host.base:
        arguments += ["--ro-bind", str(prefix), str(prefix)]
    return arguments


def rights(host: Host, uid: int) -> list[str]:
    """Return namespaces and capabilities: as root, just those with which the supervisor gives up being root.

    For a pipeline run it also uncovers /proc before that, or no sandbox could be made inside this one.
    """
    if host.root:
        keep = ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"]
        if host.software:
            keep.append("CAP_SYS_ADMIN")
        capabilities = ["--cap-drop", "ALL", *(word for name in keep for word in ("--cap-add", name))]
        return [*NAMESPACES, *capabilities]
    return [*NAMESPACES, "--unshare-user", "--uid", str(uid), "--gid", str(uid), "--cap-drop", "ALL"]


def private(resources: Resources) -> list[str]:
    """Return what is writable and ends with the sandbox; it counts as the workload's memory."""
    scratch = str(resources.scratch_mb * 2**20)
    shared = str(resources.memory_mb * 2**19)
    arguments = ["--proc", "/proc", "--dev", "/dev"]
    for target, size in (("/dev/shm", shared), ("/tmp", scratch), ("/run", str(2**24)), (str(SCRATCH), scratch)):  # noqa: S108  paths inside
        arguments += ["--perms", "1777", "--size", size, "--tmpfs", target]
    arguments += ["--symlink", "../run", "/var/run", "--perms", "1777", "--size", scratch, "--tmpfs", "/var/tmp"]  # noqa: S108  as above
    return arguments


def mounts(spec: WorkloadSpec, places: Places) -> list[str]:
    """Return the workload's volumes, outer paths first, and the names they also go by."""
    arguments: list[str] = []
    wanted = pipelines.all_mounts(spec)
    targets = {mount.target for mount in wanted}
    if str(HOME) not in targets:
        arguments += ["--perms", "1777", "--tmpfs", str(HOME)]
    arguments += ["--dir", str(ARCHIVE_ROOT), "--dir", str(TEAM_ROOT)]
    for mount in sorted(wanted, key=lambda mount: PurePosixPath(mount.target).parts):
        arguments += ["--ro-bind" if mount.read_only else "--bind", mount.source, mount.target]
        target = PurePosixPath(mount.target)
        if target.parent == ARCHIVE_ROOT:
            arguments += ["--symlink", f"../{target.name}", str(OLD_ARCHIVE_ROOT / target.name)]
    arguments += ["--symlink", str(HOME), f"/home/{places.user}"]
    return arguments


def coordinator(*, compiled: bool) -> tuple[str, ...]:
    """Return the command that carries out a pipeline run inside, by the compiled program or its source."""
    program = SUPERVISOR.with_name("coordinator.pyc" if compiled else "coordinator.py")
    return pipelines.coordinator(str(PYTHON), str(program), str(PACKAGES), str(RUNNER))


def own(host: Host) -> list[str]:
    """Return the platform's part of the inside: the supervisor, a run's coordinator."""
    arguments = ["--ro-bind", str(host.inside), str(SUPERVISOR.parent), "--symlink", str(host.python), str(PYTHON)]
    if host.software:
        arguments += ["--ro-bind", str(host.software.packages), str(PACKAGES)]
        arguments += ["--ro-bind", str(host.software.runner), str(RUNNER / host.software.runner.name)]
        if host.software.hidden:
            arguments += ["--tmpfs", str(PACKAGES / host.software.hidden.name)]
    return arguments


def common(host: Host, resources: Resources) -> list[str]:
    """Return what all workloads of a kind see alike, but for the sizes."""
    return [*system(host), *private(resources), *own(host)]


def particular(spec: WorkloadSpec, host: Host, places: Places, group: Group) -> list[str]:
    """Return what this workload alone sees: its limits, volumes, environments, and its way out."""
    arguments: list[str] = []
    for prefix in (one for one in host.prefixes if one not in host.base):
        arguments += ["--ro-bind", str(prefix), str(prefix)]
    for source, target in group.binds():
        arguments += ["--ro-bind", str(source), target]
    arguments += mounts(spec, places)
    for name in pipelines.environments(spec):
        arguments += ["--ro-bind", str(host.environments / name), str(ENVIRONMENTS / name)]
    if host.egress:
        arguments += ["--ro-bind", str(host.egress), str(EGRESS)]
    return arguments


def users(places: Places) -> dict[str, str]:
    """Return the generated files that name the workload's user and its host."""
    return {
        "/etc/passwd": f"root:x:0:0:root:/:/usr/sbin/nologin\n"
        f"{places.user}:x:{places.uid}:{places.uid}:{places.user}:{places.home}:/bin/bash\n"
        "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
        "/etc/group": f"root:x:0:\n{places.user}:x:{places.uid}:\nnogroup:x:65534:\n",
        "/etc/hosts": "127.0.0.1 localhost datalab\n::1 localhost\n",
    }


def folders(words: list[str]) -> list[str]:
    """Return what makes the folders above each target: bubblewrap's own would be closed to the workload's user."""
    needed: dict[PurePosixPath, None] = {}
    for index, word in enumerate(words):
        if word in TARGET_AFTER:
            target = PurePosixPath(words[index + TARGET_AFTER[word]])
            above = [target, *target.parents] if word == "--dir" else list(target.parents)
            needed |= dict.fromkeys(reversed([one for one in above if one.parts[1:2] not in OWN_TREES]))
    return [word for folder in needed for word in ("--perms", "0755", "--dir", str(folder))]


def first(host: Host, uid: int) -> list[str]:
    """Return what comes before all that is seen."""
    return [*rights(host, uid), "--new-session", "--as-pid-1", "--hostname", "datalab", "--clearenv"]


def arguments(spec: WorkloadSpec, host: Host, places: Places, group: Group, files: dict[str, int]) -> list[str]:
    """Return all arguments. `files` gives an open descriptor for each generated file."""
    inside = common(host, spec.resources)
    for path, descriptor in files.items():
        inside += ["--perms", "0444", "--ro-bind-data", str(descriptor), path]
    inside += particular(spec, host, places, group)
    return [*first(host, places.uid), *folders(inside), *inside, "--remount-ro", "/", "--chdir", "/"]


def unfinished(host: Host, uid: int) -> list[str]:
    """Return the arguments of a sandbox that waits for its workload: without what is particular, its root open."""
    inside = common(host, Resources())
    reach = [
        "--cap-add",
        "CAP_DAC_OVERRIDE",
    ]  # into folders that their owner closed, as bubblewrap can; until the start
    return [*first(host, uid), *reach, *folders(inside), *inside, "--chdir", "/"]
