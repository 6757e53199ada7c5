"""The jobs of a run as actions: each with its command, times, exit code, inputs, outputs, log and software."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from run_crate.entities import TERMS, Entities, Entity, local, ref
from run_crate.places import Place
from run_crate.records import JobRecord, RunRecord, moment
from run_crate.statuses import link_values, status_of
from run_crate.values import Shelf
from run_crate.workflow import Described

LONGEST_COMMAND = 4000
LOGS = ("stdout", "stderr")
POTENTIAL = "http://schema.org/PotentialActionStatus"


@dataclass
class Jobs:
    """Describes the jobs of one run; `controls` says which step each carried out."""

    entities: Entities
    shelf: Shelf
    described: Described
    record: RunRecord
    agent: Entity
    logs: Place
    environments: dict[str, Entity]
    controls: list[Entity] = field(default_factory=list)

    def describe(self, run: Entity) -> list[Entity]:
        """Add the jobs' actions; a single tool's only job is the run itself."""
        found = []
        for job in self.record.jobs.values():
            if not self.described.steps or job.step not in self.described.steps:
                if job.step == "main" or not self.described.steps:
                    self._facts(run, job, self.described.workflow)
                continue
            if job.state != "skipped":
                found.append(self._job(job))
        return found + self._flows() + self._not_run()

    def _job(self, job: JobRecord) -> Entity:
        step = self.described.steps[job.step]
        words = shlex.join(job.command) if job.command else "Evaluated without a command."
        reused = " Its outputs were taken from an earlier job of the same command." if job.state == "reused" else ""
        action = self.entities.add(
            local("job", job.job),
            "CreateAction",
            name=f"Job {job.job}",
            description=words[:LONGEST_COMMAND] + reused,
            startTime=moment(job.started),
            endTime=moment(job.ended),
            instrument=ref(step.tool),
            agent=ref(self.agent),
            **status_of(job.state, job.reason),
        )
        self._values(action, job, step.tool)
        self._facts(action, job, step.tool)
        self._control(job.job, step.step, action)
        return action

    def _values(self, action: Entity, job: JobRecord, tool: Entity) -> None:
        for key, short, values in (("object", "in", job.inputs), ("result", "out", job.outputs)):
            for name, value in values.items():
                found = self.shelf.of(value, "", f"{job.job}/{short}/{name}")
                parameter = self.described.parameters.get((tool["@id"], f"{short}/{name}"))
                link_values(self.entities, action, key, found, parameter)

    def _facts(self, action: Entity, job: JobRecord, tool: Entity) -> None:
        """Add to a job's action what it took, how it ended, its log and its software."""
        if job.exit_code is not None:
            code = self._property(job, "exit-code", "exit code", job.exit_code)
            self.entities.link(action, "additionalProperty", [code])
        usage = []
        if job.cpu_seconds is not None:
            usage.append(self._property(job, "cpuTime", "CPU time", round(job.cpu_seconds, 3), "SEC"))
        if job.memory_bytes:
            usage.append(self._property(job, "peakMemory", "most memory", int(job.memory_bytes), "BYTE"))
        self.entities.link(action, "resourceUsage", usage)
        software = self.environments.get(job.image)
        if software is not None and job.environment:
            self.entities.link(tool, "softwareRequirements", [software])
        elif job.image and not job.environment:
            self.entities.link(action, "containerImage", [self._image(job.image)])
        if self.shelf.take.logs:
            self._logs(action, job)

    def _property(self, job: JobRecord, name: str, title: str, value: float, unit: str = "") -> Entity:
        return self.entities.add(
            local(name, job.job),
            "PropertyValue",
            propertyID=name,
            name=title,
            value=value,
            unitCode=f"https://qudt.org/vocab/unit/{unit}" if unit else "",
        )

    def _image(self, image: str) -> Entity:
        name, _, tag = image.rpartition(":") if ":" in image.rpartition("/")[2] else (image, "", "latest")
        registry, _, rest = name.partition("/")
        elsewhere = bool(rest) and ("." in registry or ":" in registry)
        return self.entities.add(
            local("image", image),
            "ContainerImage",
            additionalType=ref(f"{TERMS}DockerImage"),
            name=rest if elsewhere else name,
            registry=registry if elsewhere else "docker.io",
            tag=tag,
        )

    def _logs(self, action: Entity, job: JobRecord) -> None:
        for name in LOGS:
            file = self.logs.open(f"/{job.job}/{name}")
            if file is None:
                continue
            with file:
                content = file.read(self.shelf.take.largest_log + 1)
            if not content:
                continue
            cut = content[: self.shelf.take.largest_log]
            path = f"logs/{job.job.replace('/', '_')}/{name}.txt"
            title = f"What {job.job} printed to {name}" + (" (its beginning)" if len(content) > len(cut) else "")
            log = self.shelf.content(path, cut, name=title, encodingFormat="text/plain")
            log["about"] = ref(action)

    def _control(self, name: str, step: Entity, action: Entity) -> None:
        control = self.entities.add(
            local("control", name), "ControlAction", name=f"Carried out {step['name']}", instrument=ref(step),
            object=ref(action),
        )  # fmt: skip
        self.controls.append(control)

    def _flows(self) -> list[Entity]:
        """Add an action for each subworkflow of which a job ran: from its first beginning to its last end."""
        found = []
        for path, step in self.described.steps.items():
            if step.graph is None:
                continue
            inner = [job for job in self.record.jobs.values() if job.step.startswith(f"{path}/")]
            if not inner:
                continue
            started, ended = [job.started for job in inner if job.started], [job.ended for job in inner if job.ended]
            failed = next((job for job in inner if job.state not in {"succeeded", "reused", "skipped"}), None)
            action = self.entities.add(
                local("job", path),
                "CreateAction",
                name=f"Workflow {path}",
                description=f"The {len(inner)} jobs of the workflow that this step runs.",
                startTime=moment(min(started, default=None)),
                endTime=moment(max(ended, default=None)),
                instrument=ref(step.tool),
                agent=ref(self.agent),
                **status_of(failed.state if failed else "succeeded", failed.reason if failed else ""),
            )
            self._control(path, step.step, action)
            found.append(action)
        return found

    def _not_run(self) -> list[Entity]:
        """Add an action that did not happen for each tool of which no job ran, so that none is without one."""
        ran = {job.step for job in self.record.jobs.values() if job.state != "skipped"}
        skipped = {job.step for job in self.record.jobs.values() if job.state == "skipped"}
        found = []
        for path, step in self.described.steps.items():
            if path in ran or any(name.startswith(f"{path}/") for name in ran):
                continue
            why = "Its `when` said no." if path in skipped else "It was not reached."
            found.append(
                self.entities.add(
                    local("job", path),
                    "CreateAction",
                    name=f"{step.step['name']} was not run",
                    description=why,
                    instrument=ref(step.tool),
                    agent=ref(self.agent),
                    actionStatus=POTENTIAL,
                )
            )
        return found
