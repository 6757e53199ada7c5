"""From a version to what its launch test runs: areas of its own, then the workload's specification."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings

from spacelab.accounts.models import Person
from spacelab.datalabs.models import DatalabVersion
from spacelab.testing import queries
from spacelab.testing.models import LaunchTest
from spacelab.volumes import actions as volume_actions
from spacelab.volumes import queries as volume_queries
from spacelab.volumes.rules import HOME, WORKSPACE, Mount
from spacelab.workloads.queries import capabilities
from spacelab.workloads.rules import Interface, Kind, Network, Resources, WorkloadSpec

PACKAGE_TARGET = "/opt/datalab"
"""Where a datalab finds its package, as in a session."""
PROGRAM = Path(__file__).parent / "inside" / "run_notebooks.py"
RESULTS = "launch-test.json"
"""The file in the test's home where the notebooks' program leaves what came out."""
TESTER = "launch-test"
"""The name that the test's user has inside."""
LEFT_OUT = shutil.ignore_patterns(".git", ".ipynb_checkpoints")


def interface_spec(test: LaunchTest, version: DatalabVersion, owner: Person, workload_id: str) -> WorkloadSpec:
    """Describe the datalab's own start, as a session would, with a home and a workspace that are nobody's."""
    mounts = _mounts(test, version, owner, workload_id)
    return _spec(
        version,
        owner,
        workload_id,
        mounts,
        kind=Kind.INTERACTIVE,
        command=tuple(version.command),
        interface=Interface(**version.interface),
    )


def notebooks_spec(
    test: LaunchTest, version: DatalabVersion, owner: Person, workload_id: str, notebooks: list[str]
) -> WorkloadSpec:
    """Describe the run of the package's notebooks, from a copy of the package in the test's workspace."""
    mounts = _mounts(test, version, owner, workload_id)
    sources = {mount.target: Path(mount.source) for mount in mounts}
    home, workspace = sources[str(HOME)], sources[str(WORKSPACE)]
    package = queries.package_of(version)
    if package is not None:
        shutil.copytree(package, workspace / version.datalab.slug, symlinks=True, ignore=LEFT_OUT, dirs_exist_ok=True)
    shutil.copyfile(PROGRAM, home / PROGRAM.name)
    volume_actions.hand_over(home, workspace)
    minutes = settings.SPACELAB.launch_test_minutes
    names = [f"./{name}" for name in notebooks]
    folder = f"$SPACELAB_WORKSPACE/{version.datalab.slug}"
    return _spec(
        version,
        owner,
        workload_id,
        mounts,
        kind=Kind.BATCH,
        command=("python3", f"$HOME/{PROGRAM.name}", folder, f"$HOME/{RESULTS}", str(minutes * 60), *names),
        deadline_seconds=minutes * 60 + 60,
    )


def home_of(test: LaunchTest, workload_id: str) -> Path:
    """Return the folder on the host that is the workload's home."""
    return queries.work_folder(test, workload_id) / "home"


def _mounts(test: LaunchTest, version: DatalabVersion, owner: Person, workload_id: str) -> tuple[Mount, ...]:
    allowed = {volume.name for volume in volume_queries.visible_to(owner)}
    archives = volume_queries.archive_mounts(owner, [one for one in version.default_volumes if one in allowed])
    package = None if capabilities().images else queries.package_of(version)
    own = (Mount(str(package), PACKAGE_TARGET),) if package is not None else ()
    return (*archives, *volume_actions.make_passing_areas(queries.work_folder(test, workload_id)), *own)


def _spec(
    version: DatalabVersion,
    owner: Person,
    workload_id: str,
    mounts: tuple[Mount, ...],
    *,
    kind: Kind,
    command: tuple[str, ...],
    interface: Interface | None = None,
    deadline_seconds: int | None = None,
) -> WorkloadSpec:
    images, profile, portal = capabilities().images, queries.profile(), settings.SPACELAB.portal_url
    known = {"DATALAB_NAME": version.datalab.slug, "DATALAB_ID": workload_id, "USER": TESTER}
    return WorkloadSpec(
        id=workload_id,
        owner=owner.username,
        kind=kind,
        command=command,
        environment="" if images else version.environment,
        image=version.image if images else "",
        variables={**version.variables, **known, "DATALABS_URL": portal, "SPACELAB_URL": portal},
        mounts=mounts,
        resources=Resources(cpu=profile.cpu, memory_mb=profile.memory_mb, scratch_mb=profile.scratch_mb),
        interface=interface,
        network=Network(profile.network),
        deadline_seconds=deadline_seconds,
    )
