"""One job of a command line tool, in two halves: what is done before its command starts, and after it has ended.

The coordinator treats both kinds alike: `StepJob` is prepared and collected by cwltool, `PlanJob` by a compiled plan.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from cwl_utils.types import CWLObjectType
from cwltool.errors import WorkflowException
from cwltool.job import CommandLineJob, relink_initialworkdir
from cwltool.pathmapper import MapperEnt, PathMapper
from cwltool.utils import bytes2str_in_dicts, ensure_writable

from cwl_runner import links, removal
from cwl_runner.backends.protocol import Ended, Place
from cwl_runner.problems import Refusal

if TYPE_CHECKING:
    from cwl_runner.plans import Bound
    from cwl_runner.roots import Roots
    from cwl_runner.tools import Context, Tool, Where

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


LONGEST_TOLD = 1 << 16
"""Characters of a text laid out for a job that are told of a failed one."""
LITERALS = ".in"
"""What is added to the name of a job's kept outputs for the folder of literal files that they may refer to."""


class Job(Protocol):
    """What the coordinator does with a job."""

    where: Where
    place: Place
    process: Tool
    image: str
    software: str
    inputs: Any
    resources: dict[str, Any]
    stdout: str | None
    stderr: str | None
    timelimit: int | None
    networkaccess: bool
    output_callback: Any
    literals: bool

    def ingredients(self) -> Any:
        """Give what decides the outputs beside the tool: inputs, and files that the document has laid out."""

    def variables(self) -> dict[str, str]:
        """Give the environment of the command."""

    def command(self) -> list[str]:
        """Give the command line; raises Refusal when there is none."""

    def standard_input(self) -> str:
        """Name the file that the command reads, as this process sees it."""

    def lay_out(self, kept: str) -> None:
        """Make the job's folders and put its inputs there; `kept` is where its outputs will be in the end."""

    def staged(self, path: str) -> str:
        """Say which file lies at a path below the job's folder of inputs; other paths come back as they are."""

    def laid_out(self) -> list[dict[str, str]]:
        """Tell what was put at which path before the command began: a link or copy of a `source`, or a `text`."""

    def status(self, ended: Ended) -> str:
        """Say what the exit code means for this tool, in cwltool's words."""

    def collect(self, kept: str, exit_code: int) -> CWLObjectType:
        """Collect the outputs from where the job's folders are now; raises cwltool's exceptions."""


def judge(codes: Any, ended: Ended) -> str:
    """Say what an exit code means, given the tool's lists of codes by name."""
    if ended.trouble or ended.overtime:
        return "permanentFail"
    for name, status in (
        ("success", "success"),
        ("temporaryFail", "temporaryFail"),
        ("permanentFail", "permanentFail"),
    ):
        if ended.exit_code in (codes.get(f"{name}Codes") or ()):
            return status
    return "success" if ended.exit_code == 0 else "permanentFail"


class StepJob(CommandLineJob):
    """A job as cwltool prepared it; the coordinator calls `lay_out`, starts `command()`, then `collect`."""

    where: Where
    place: Place
    process: Tool
    image: str
    software: str
    context: Context
    inputs: Any
    resources: dict[str, Any]

    def settle(self, *, where: Where, place: Place, tool: Tool, image: str, software: str, context: Context) -> None:
        """Take over who the job is and where it runs."""
        self.where, self.place, self.process = where, place, tool
        self.image, self.software, self.context = image, software, context
        self.inputs, self.resources = self.joborder, self.builder.resources
        self.literals = False
        self.laid: list[dict[str, str]] = []
        self.writes_back = self.inplace_update
        self.inplace_update = False  # it gets a copy, which is written back: what jobs read can't be written

    def _required_env(self) -> dict[str, str]:
        """Give the variables that the standard promises."""
        return {"HOME": self.builder.outdir, "TMPDIR": self.builder.tmpdir, "PATH": os.environ.get("PATH", SYSTEM_PATH)}

    def ingredients(self) -> Any:
        """Give inputs and laid out files: a document's own files lie beside it, and its text is not all of them."""
        laid = self.generatefiles.get("listing")
        return [self.inputs, laid] if laid else self.inputs

    def variables(self) -> dict[str, str]:
        """Give the environment of the command."""
        variables = {str(name): str(value) for name, value in self.environment.items()}
        if self.software:
            path = self.environment.get("PATH", SYSTEM_PATH)
            variables |= {"PATH": f"{self.software}/bin:{path}", "VIRTUAL_ENV": self.software}
        return variables

    def command(self) -> list[str]:
        """Give the command line; raises Refusal when there is none."""
        commands = [str(word) for word in self.command_line]
        if not commands:
            raise Refusal("The tool has an empty command line.", "Give it a baseCommand, arguments or an inputBinding.")
        return commands

    def lay_out(self, kept: str) -> None:
        """Make the job's folders and put its inputs there; `kept` is where its outputs will be in the end."""
        for name in ("out", "tmp", "in"):
            Path(self.place.host, name).mkdir(exist_ok=True)
        for location in self.pathmapper.files():
            entry = self.pathmapper.mapper(location)
            if entry.type == "File" and entry.staged and not Path(entry.resolved).is_file():
                raise Refusal(f"The input {entry.resolved} isn't there or isn't a file.", "Choose the input again.")
        self._stage(self.pathmapper, kept)
        if "listing" in self.generatefiles:
            self.generatemapper = self.make_path_mapper(
                cast("Any", self.generatefiles["listing"]), self.builder.outdir, self.context, False
            )
            self._stage(self.generatemapper, kept)

    def _stage(self, mapper: PathMapper, kept: str) -> None:
        """Link or copy files to where the job expects them."""
        seen: dict[str, str] = {}
        for key, entry in list(mapper.items_exclude_children()):
            if "File" in (entry.type or "") and seen.setdefault(entry.target, entry.resolved) != entry.resolved:
                raise Refusal(
                    f"Two files would both be staged as {entry.target}: {seen[entry.target]} and {entry.resolved}.",
                    "Give them different names (InitialWorkDirRequirement's entryname).",
                )
            if entry.staged:
                self._stage_one(mapper, key, entry, kept)

    def _stage_one(self, mapper: PathMapper, key: str, entry: MapperEnt, kept: str) -> None:
        target = self._target(entry.target)
        target.parent.mkdir(parents=True, exist_ok=True)
        empty = entry.resolved.startswith("_:")
        self.laid.append(_told(entry, empty=empty))
        match entry.type:
            case "File" | "Directory" if not empty:
                show(self.context.engine.roots, entry.resolved, str(target))
            case "Directory" | "WritableDirectory" if empty:
                target.mkdir(exist_ok=True)
            case "WritableFile":
                shutil.copy(entry.resolved, target)
                ensure_writable(str(target))
            case "WritableDirectory":
                shutil.copytree(entry.resolved, target, symlinks=True)
                ensure_writable(str(target), include_root=True)
            case "CreateFile" | "CreateWritableFile":
                target.write_text(entry.resolved)
                target.chmod(stat.S_IRUSR | (stat.S_IWUSR if entry.type == "CreateWritableFile" else 0))
                inside = self.place.inside
                own = entry.target.startswith(f"{inside}/out/")
                self.literals |= not own
                rest = entry.target[len(f"{inside}/out" if own else f"{inside}/in") :]
                resolved = kept + rest if own else f"{kept}{LITERALS}{rest}"
                mapper.update(key, resolved, entry.target, entry.type, entry.staged)

    def laid_out(self) -> list[dict[str, str]]:
        """Tell what was put at which path before the command began."""
        return self.laid

    def _target(self, path: str) -> Path:
        """Say where a staged file goes; raises Refusal for names that lead elsewhere, or through a staged link."""
        inside = self.place.inside
        if not path.startswith(f"{inside}/") or ".." in path.split("/"):
            advice = "A basename holds no slash and isn't “..”; only containers can have files elsewhere."
            raise Refusal(f"{path} is outside of the job's folder.", advice)
        target, host = Path(self.place.on_host(path)), os.path.realpath(self.place.host)
        above = os.path.realpath(target.parent)
        if target.is_symlink() or not (above == host or above.startswith(f"{host}/")):
            raise Refusal(f"{path} would be written through an input.", "Give files and folders different names.")
        return target

    def standard_input(self) -> str:
        """Name the file that the command reads."""
        if self.stdin is None:
            return os.devnull
        found = self.pathmapper.reversemap(self.stdin)
        if found is None:
            raise Refusal(f"The standard input {self.stdin} is none of the tool's input files.")
        staged = self.place.on_host(self.stdin)
        return staged if Path(staged).is_file() else found[1]

    def staged(self, path: str) -> str:
        """Say which file lies at a path below the job's folder of inputs."""
        for mapper in (self.pathmapper, self.generatemapper):
            for location in mapper.files() if mapper else ():
                entry = mapper.mapper(location) if mapper else None
                if entry and (path == entry.target or path.startswith(f"{entry.target}/")):
                    return entry.resolved + path[len(entry.target) :]
        return path

    def status(self, ended: Ended) -> str:
        """Say what the exit code means."""
        return judge(self.process.tool, ended)

    def collect(self, kept: str, exit_code: int) -> CWLObjectType:
        """Collect the outputs from where the job's folders are now; raises cwltool's exceptions."""
        out = kept
        links.refuse_pipe(out)
        if self.generatemapper is not None:
            for _, entry in self.generatemapper.items_exclude_children():
                links.refuse_detour(f"{out}{entry.target[len(self.builder.outdir) :]}", out)
            relink_initialworkdir(self.generatemapper, out, self.builder.outdir, inplace_update=False)
        if self.writes_back and exit_code == 0:
            self._write_back(out)
        if self.collect_outputs is None:  # pragma: no cover - cwltool sets it
            raise WorkflowException("The job has no outputs to collect.")
        return cast("CWLObjectType", bytes2str_in_dicts(cast("Any", self.collect_outputs(out, exit_code))))

    def _write_back(self, out: str) -> None:
        """Change, in place, what earlier jobs of this run made; never what came from elsewhere."""
        for _, entry in self.generatemapper.items_exclude_children() if self.generatemapper else ():
            changed = f"{out}{entry.target[len(self.builder.outdir) :]}"
            kept, source = self.context.engine.roots.kept, os.path.realpath(entry.resolved)
            if not (entry.type or "").startswith("Writable") or not any(
                source.startswith(f"{os.path.realpath(k)}/") for k in kept
            ):
                continue
            if Path(changed).is_symlink():
                told = f"The command put a link in the place of {Path(changed).name}, which it updates: refused."
                raise Refusal(told, links.ADVICE)
            removal.remove(entry.resolved)
            if Path(changed).is_dir():
                shutil.copytree(changed, entry.resolved, symlinks=True)
            else:
                shutil.copy(changed, entry.resolved, follow_symlinks=False)
            removal.remove(changed)
            os.symlink(entry.resolved, changed)  # noqa: PTH211 - both are one file from now on
            self.context.engine.roots.linked.add(out)


def show(roots: Roots, source: str, target: str) -> None:
    """Put an input where its job expects it: a link, or a copy of what the job could not follow a link to."""
    if roots.is_own(source):
        shutil.copyfile(source, target)
    else:
        os.symlink(source, target)  # noqa: PTH211 - for every input


def _told(entry: MapperEnt, *, empty: bool) -> dict[str, str]:
    """Tell of one thing that is put into a job's folders."""
    kind = entry.type or ""
    if kind.startswith("Create"):
        return {"path": entry.target, "text": entry.resolved[:LONGEST_TOLD]}
    if empty:
        return {"path": entry.target}
    return {"path": entry.target, "copy" if kind.startswith("Writable") else "source": entry.resolved}


class PlanJob:
    """A job of a tool that has a compiled plan."""

    def __init__(
        self,
        tool: Tool,
        bound: Bound,
        *,
        where: Where,
        context: Context,
        software: tuple[str, str],
        output_callback: Any,
        slow: Callable[[], StepJob],
    ) -> None:
        plan = tool.plan
        if plan is None:  # pragma: no cover - who makes such a job has the plan
            raise ValueError(tool)
        self.plan, self.bound, self.process, self.where = plan, bound, tool, where
        self.engine, self.place = context.engine, context.engine.place
        self.image, self.software = software
        self.output_callback = output_callback
        self.inputs, self.resources = bound.inputs, plan.resources
        self.stdout, self.stderr = bound.stdout, bound.stderr
        self.timelimit, self.networkaccess = plan.seconds, plan.network
        self._slow, self.literals = slow, False

    def ingredients(self) -> Any:
        """Give the inputs: a plan's tool lays out nothing else."""
        return self.inputs

    def variables(self) -> dict[str, str]:
        """Give the environment of the command."""
        return self.bound.variables

    def command(self) -> list[str]:
        """Give the command line."""
        return self.bound.command

    def standard_input(self) -> str:
        """Name the file that the command reads."""
        return self.bound.stdin or os.devnull

    def lay_out(self, kept: str) -> None:
        """Make the job's folders and link its inputs there."""
        del kept
        host = self.place.host
        for name in ("out", "tmp", "in"):
            if not os.path.isdir(f"{host}/{name}"):  # noqa: PTH112 - for every job
                os.mkdir(f"{host}/{name}")  # noqa: PTH102 - as above
        for source, target in self.bound.files:
            self.engine.roots.check(source)
            here = self.place.on_host(target)
            os.makedirs(os.path.dirname(here), exist_ok=True)  # noqa: PTH103, PTH120 - for every input
            show(self.engine.roots, os.path.realpath(source), here)

    def laid_out(self) -> list[dict[str, str]]:
        """Tell what was put at which path before the command began."""
        return [{"path": target, "source": source} for source, target in self.bound.files]

    def staged(self, path: str) -> str:
        """Say which file lies at a path below the job's folder of inputs."""
        for source, target in self.bound.files:
            if path == target or path.startswith(f"{target}/"):
                return source + path[len(target) :]
        return path

    def status(self, ended: Ended) -> str:
        """Say what the exit code means."""
        return judge(self.process.tool, ended)

    def collect(self, kept: str, exit_code: int) -> CWLObjectType:
        """Collect the outputs, by cwltool when anything is unusual."""
        out = kept
        links.refuse_pipe(out)
        linked = out in self.engine.roots.linked or os.path.lexists(f"{out}/cwl.output.json")
        found = None if linked else self.plan.collect(self.bound, out, self.engine.digests)
        if found is None:
            return self._slow().collect(kept, exit_code)
        return cast("CWLObjectType", found)
