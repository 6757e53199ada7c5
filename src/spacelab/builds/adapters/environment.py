"""Builds environments of the process runtime: uv in a sandbox, from a base that the catalogue has, then sealed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import uv
from django.conf import settings

import datalab_package
from datalab_package import Plan, PlannedStep
from spacelab.builds import installed, queries, rules
from spacelab.builds.adapters import sealing
from spacelab.builds.ports import Order, Result
from spacelab.kit.refusals import Conflict
from spacelab.repositories.queries import trusted
from spacelab.volumes.rules import Mount
from spacelab.workloads.queries import seen_at
from spacelab.workloads.rules import Kind, Network, Resources, WorkloadSpec

INSIDE = Path(__file__).resolve().parent.parent / "inside"
"""The programs that run inside a build."""
TOOLS, PACKAGE, WORK, CACHE, BASE = "/opt/builder", "/opt/datalab", "/build", "/cache", "/base"
UV = "/opt/uv"
"""Where a build sees its tools, the package, its own folder, the person's cache and the base environment."""
LAUNCH_FILES = "share/spacelab"
"""The folder of an environment that holds what a session starts from."""
NOT_LAUNCHED = {"requirements.txt", "overrides.txt", "datalab-meta.yml", "spacelab.yml", "icon.svg"}
EDITABLE = re.compile(r"^\s*(-e|--editable)[\s=]+")
"""What marks a requirement to be used where it stands: the build's folder is gone afterwards, so it is installed."""
INDEX = "index.html"


def base_lines(base: Path, wanted: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the base's requirements without what the package names itself: with their versions, and left open."""
    named = {installed.project_of(one) for one in wanted}
    lines = [line.split(" #")[0].strip() for line in (base / "requirements.txt").read_text().splitlines()]
    kept = [line for line in lines if line and not line.startswith("#") and installed.project_of(line) not in named]
    return kept, [re.split(r"[=<>!~ ;\[]", line, maxsplit=1)[0] for line in kept]


class EnvironmentBuilder:
    """Makes environments (see `ports.Builder`)."""

    def provided(self, kind: str) -> frozenset[str]:
        """Name what the base of notebooks holds; other applications start from nothing."""
        base = _base_of(kind)
        lines = (base / "requirements.txt").read_text().splitlines() if base else []
        return frozenset(installed.project_of(line) for line in lines) - {""}

    def steps(self, plan: Plan) -> tuple[PlannedStep, ...]:
        """Say what is installed where, without the Dockerfile that nobody runs here."""
        base = _base_of(plan.kind)
        steps = [
            PlannedStep("Start from JupyterLab", "with its packages for science", (0, 0))
            if base
            else PlannedStep("Start from an empty Python environment", " ".join(plan.found[:1]), (0, 0))
        ]
        if plan.requirements:
            files = dict.fromkeys(one.file for one in plan.origins if one.file)
            reason = f"named in {', '.join(files)}" if files else "those of its imports that you leave ticked"
            steps.append(PlannedStep("Install Python packages", reason, (0, 0)))
        if plan.project:
            steps.append(PlannedStep("Install the package itself", "it is a Python project", (0, 0)))
        if plan.notebooks and base:
            reason = "a copy for everybody who launches it, to change and to keep"
            steps.append(PlannedStep("Put the notebooks into the workspace", reason, (0, 0)))
        return tuple(steps)

    def check(self, order: Order) -> None:
        """Refuse what needs an image: this platform runs environments only."""
        plan = order.plan
        needs = [
            word
            for word, found in (
                ("a Dockerfile", plan.own_dockerfile),
                ("Debian packages (packages.txt)", plan.debian_packages),
                ("a desktop", plan.kind == "desktop"),
            )
            if found
        ]
        if needs:
            raise Conflict(
                f"The package needs {' and '.join(needs)}, and this platform runs Python environments only.",
                advice="Ask an operator for a platform with a container engine (SPACELAB_RUNTIME=container), "
                "or bring a package that gets along with Python packages.",
            )
        if plan.kind == "web" and not plan.command and not (order.package / INDEX).is_file():
            raise Conflict("Nothing says how the application is started.", advice="Name its command in spacelab.yml.")

    def pins(self, environment: str, kind: str) -> list[str]:
        """List what the environment has beyond the base's, with the versions that are installed there."""
        base = self._finished(_base_of(kind))
        there = installed.in_environment(base) if base else {}
        found = installed.in_environment(settings.ENVIRONMENTS_DIRECTORY / environment)
        return [line for name, line in sorted(found.items()) if there.get(name) != line]

    def _base(self, order: Order) -> Path | None:
        return _base_of(order.plan.kind)

    def _needs(self, order: Order) -> tuple[list[str], list[str], str]:
        """Return the base's requirements, the same left open, and the base's overrides."""
        base = self._base(order)
        if base is None:
            return [], [], ""
        pinned, loose = base_lines(base, tuple(order.plan.requirements))
        overrides = base / "overrides.txt"
        return pinned, loose, overrides.read_text() if overrides.exists() else ""

    def name(self, order: Order) -> str:
        """Name the environment after the person, the datalab and everything that goes into it."""
        pinned, _, overrides = self._needs(order)
        plan = order.plan
        wanted = [*plan.requirements, *(f"limit {line}" for line in plan.constraints), f"pre {plan.prerelease}"]
        if plan.local or plan.project or plan.overrides:
            wanted.append(f"package {order.package_hash}")
        launch = [f"launch {name} {_digest(file)}" for name, file in self._launch_files(order).items()]
        # The name's beginning alone tells ann-b's c and ann's b-c not apart, and nobody may get another's environment.
        whose = f"of {order.owner} {order.slug}"
        text = "\n".join([whose, *pinned, *wanted, overrides, *launch])
        return rules.environment_name(f"{order.owner}-{order.slug}"[:80], text, sealing.python_version())

    def ready_made(self, order: Order) -> Result | None:
        """Return the environment that an earlier build made of the same requirements."""
        name = self.name(order)
        folder = settings.ENVIRONMENTS_DIRECTORY / name
        return self._result(order, name) if sealing.is_sealed(folder) else None

    def spec(self, order: Order) -> WorkloadSpec:
        """Return the sandboxed workload that runs uv on the package's requirements."""
        cache = queries.cache_folder(order.owner)
        made = order.work / "made"
        for folder in (cache, made, order.work / "order"):
            folder.mkdir(parents=True, exist_ok=True)
        mounts = [
            Mount(str(order.package), PACKAGE),
            Mount(str(INSIDE), TOOLS),
            Mount(uv.find_uv_bin(), UV),
            Mount(str(order.work / "order"), "/opt/order"),
            Mount(str(made), WORK, read_only=False),
            Mount(str(cache), CACHE, read_only=False),
        ]
        base = self._base_environment(order)
        if base is not None:
            mounts.append(Mount(str(base), BASE))
        seen = seen_at(mounts)
        cloned = base is not None and sealing.clone(base, made / "environment", settings.SPACELAB.workload_uid)
        self._write_order(order, seen, base=seen[BASE] if base else "", cloned=cloned)
        variables = {"UV_LINK_MODE": "copy", "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}
        if settings.SPACELAB.package_index:
            variables["UV_DEFAULT_INDEX"] = settings.SPACELAB.package_index
        return _batch(
            order.workload_id,
            order.owner,
            (sealing.base_interpreter(), "-I", f"{seen[TOOLS]}/environment.py", f"{seen['/opt/order']}/order.json"),
            variables,
            mounts,
        )

    def _base_environment(self, order: Order) -> Path | None:
        """Return the base's finished environment, where the platform has it: copying it spares fetching it again."""
        return self._finished(self._base(order))

    def _finished(self, base: Path | None) -> Path | None:
        """Return the environment of the catalogue's package `base`, once it was built."""
        if base is None:
            return None
        overrides = base / "overrides.txt"
        text = (base / "requirements.txt").read_text()
        text += f"\n{overrides.read_text()}" if overrides.exists() else ""
        folder = settings.ENVIRONMENTS_DIRECTORY / rules.environment_name(base.name, text, sealing.python_version())
        return folder if sealing.is_sealed(folder) else None

    def _write_order(self, order: Order, seen: dict[str, str], *, base: str, cloned: bool) -> None:
        pinned, loose, overrides = self._needs(order)
        folder = order.work / "order"
        files = {
            "base.txt": "\n".join(pinned),
            "open.txt": "\n".join(loose),
            "package.txt": "\n".join(EDITABLE.sub("", line) for line in order.plan.requirements),
            "limits.txt": "\n".join(order.plan.constraints),
            "overrides.txt": overrides,
        }
        for name, text in files.items():
            (folder / name).write_text(f"{text}\n")
        there = seen["/opt/order"]
        (folder / "order.json").write_text(
            json.dumps(
                {
                    "target": f"{seen[WORK]}/environment",
                    "python": sealing.base_interpreter(),
                    "uv": seen[UV],
                    "cache": seen[CACHE],
                    "package": seen[PACKAGE],
                    "base": base,
                    "cloned": cloned,
                    "base_file": f"{there}/base.txt",
                    "open_file": f"{there}/open.txt",
                    "own_file": f"{there}/package.txt",
                    "overrides": [f"{there}/overrides.txt"] if overrides else [],
                    "own_overrides": f"{seen[PACKAGE]}/overrides.txt" if order.plan.overrides else "",
                    "limits": [f"{there}/limits.txt"] if order.plan.constraints else [],
                    "prerelease": order.plan.prerelease,
                    "source": f"{seen[WORK]}/source" if order.plan.local or order.plan.project else "",
                    "project": order.plan.project,
                }
            )
        )

    def finish(self, order: Order) -> Result:
        """Seal what the workload made and move it among the environments, where it appears whole or not at all."""
        name = self.name(order)
        target = settings.ENVIRONMENTS_DIRECTORY / name
        if not sealing.is_sealed(target):
            made = order.work / "made" / "environment"
            sealing.seal(made, largest=settings.SPACELAB.build_disk_mb * 2**20)
            sealing.add(made, LAUNCH_FILES, self._launch_files(order))
            sealing.move(made, target)
        return self._result(order, name)

    def _launch_files(self, order: Order) -> dict[str, Path]:
        """Name the files that a session starts from: the base's own, and what ships the notebooks."""
        base = self._base(order)
        if base is None or order.manifest.command:
            return {}
        theirs = {f"{base.name}/{one.name}": one for one in sorted(base.iterdir()) if one.name not in NOT_LAUNCHED}
        return {"notebooks.py": INSIDE / "notebooks.py", **theirs}

    def _command(self, order: Order) -> list[str]:
        """Return the session's command: the base's own with its files in the environment, or the plan's."""
        base = self._base(order)
        if order.manifest.command:
            return list(order.manifest.command)
        if base is None:
            served = ("python", "-m", "http.server", "$IF_main_port", "--bind", "127.0.0.1")
            return ["/bin/sh", "-c", 'cd "$SPACELAB_PACKAGE" && exec "$@"', "sh", *(order.plan.command or served)]
        there = f"$SPACELAB_ENVIRONMENT/{LAUNCH_FILES}"
        words = [
            word.replace("$SPACELAB_PACKAGE", f"{there}/{base.name}")
            for word in datalab_package.read_manifest(base).command
        ]
        shipped = ("$SPACELAB_PACKAGE", f"$SPACELAB_WORKSPACE/{order.slug}")
        return ["$SPACELAB_ENVIRONMENT/bin/python", f"{there}/notebooks.py", *shipped, *words]

    def _result(self, order: Order, name: str) -> Result:
        base = self._base(order)
        manifest, folder = order.manifest, settings.ENVIRONMENTS_DIRECTORY / name
        result = Result(
            environment=name,
            base=base.name if base else "",
            size_bytes=sealing.size_of(folder),
            command=self._command(order),
            interface=dict(order.plan.interface),
            variables=dict(manifest.variables),
            activity_probe=order.plan.activity_probe,
            folder=str(folder),
        )
        if base is None or manifest.command:
            return result
        interface = dict(result.interface)
        if order.plan.notebooks and not manifest.interface.get("path"):
            first = f"{order.slug}/{order.plan.notebooks[0]}"
            interface["path"] = f"/datalabs/{{id}}/lab/tree/media/user/{quote(first)}"
        return replace(result, interface=interface)


def _digest(path: Path) -> str:
    """Return a hash over a file, or over all files of a folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return sha256(b"".join(one.read_bytes() for one in files if one.is_file())).hexdigest()[:16]


def _base_of(kind: str) -> Path | None:
    """Return the catalogue's package whose requirements and start an application of this kind builds upon."""
    if kind != "jupyter":
        return None
    folder: Path = settings.CATALOGUE_DIRECTORY / "datalabs" / settings.NOTEBOOK_BASE
    return folder if (folder / "requirements.txt").is_file() else None


def _batch(
    workload_id: str, owner: str, command: tuple[str, ...], variables: dict[str, str], mounts: list[Mount]
) -> WorkloadSpec:
    platform = settings.SPACELAB
    return WorkloadSpec(
        id=workload_id,
        owner=owner,
        kind=Kind.BATCH,
        command=command,
        variables=variables | trusted(),
        mounts=tuple(mounts),
        resources=Resources(
            cpu=platform.build_cpu,
            memory_mb=platform.build_memory_mb,
            scratch_mb=platform.build_disk_mb,
        ),
        network=Network.OUTBOUND,
        deadline_seconds=platform.build_minutes * 60,
    )
