"""A run as a crate: what was run, by whom, with what, when, what went in and what came out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from run_crate.entities import CRATE, METADATA, Entities, Entity, address, local, ref
from run_crate.jobs import Jobs
from run_crate.places import Nowhere, Place
from run_crate.records import RunRecord, moment
from run_crate.statuses import link_values, status_of
from run_crate.values import Part, Shelf, Take, format_of, localised
from run_crate.workflow import Described, describe

WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
PROVENANCE = "https://w3id.org/ro/wfrun/provenance/0.5"
NO_LICENSE = "No licence was stated: ask whoever ran this before you use it."
ORDER = "job.json"


@dataclass(frozen=True)
class Agent:
    """Who ran something: `id` is an address, such as an ORCID, or empty; an affiliation is an organisation's name."""

    name: str
    id: str = ""
    affiliation: str = ""


@dataclass(frozen=True)
class Software:
    """A program: its name, version and address."""

    name: str
    version: str = ""
    url: str = ""


@dataclass(frozen=True)
class Environment:
    """What the software that a document asks for stood for: packages, one a line as `name==version`."""

    name: str
    description: str = ""
    packages: str = ""


@dataclass(frozen=True)
class About:
    """What a run's folder doesn't say of it. `license` is an address, or words; times are in seconds since 1970."""

    id: str
    title: str
    agent: Agent
    engine: Software
    description: str = ""
    license: str = ""
    version: str = ""
    """The pipeline's version."""
    url: str = ""
    """The pipeline's address."""
    address: str = ""
    """The run's own address."""
    exported: float = 0
    environments: Mapping[str, Environment] = field(default_factory=dict)
    """Software as the documents name it → what it was."""


@dataclass(frozen=True)
class Crate:
    """A crate, ready to be written. `left_out` lists files that were wanted, and were too large or gone."""

    metadata: dict[str, Any]
    parts: tuple[Part, ...]
    place: Place
    left_out: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all its files, without the metadata."""
        return sum(part.size for part in self.parts)


def crate_of(
    record: RunRecord,
    about: About,
    *,
    place: Place | None = None,
    logs: Place | None = None,
    take: Take | None = None,
    address_of: Callable[[str], str] | None = None,
) -> Crate:
    """Describe a run as a crate. `place` has the files that values name, `logs` those of `jobs/` in the run's folder.

    `address_of` gives the address of a file that is referred to; without it that is its path as `file://…`.
    """
    entities = Entities()
    root = _root(entities, about)
    folder = _free_folder(record.documents)
    where = address_of or (lambda path: f"file://{quote(path)}")
    shelf = Shelf(entities, place or Nowhere(), take or Take(), folder, where)
    documents = {path: text for path, text in record.documents.items() if path != METADATA}
    described = describe(entities, documents, record.main)
    for path, text in documents.items():
        shelf.parts[path] = Part(path, len(text.encode()), content=text.encode())
        document = entities.add(address(path), "File", name=path.rpartition("/")[2])
        document |= {"contentSize": str(len(text.encode())), "encodingFormat": format_of(path)}
    _about_software(entities, described, about)
    agent = _agent(entities, about.agent)
    root["author"] = ref(agent)
    action = _run(shelf, described, record, about, agent)
    jobs = Jobs(entities, shelf, described, record, agent, logs or Nowhere(), _environments(entities, shelf, about))
    shelf.passing = True
    actions = jobs.describe(action)
    shelf.passing = False
    _organise(entities, about, jobs.controls, action)
    _order(shelf, record)
    provenance = bool(described.steps) and bool(jobs.controls)
    _finish(entities, root, shelf, described, [action, *actions], provenance=provenance)
    return Crate(entities.metadata(), tuple(shelf.parts.values()), shelf.place, tuple(dict.fromkeys(shelf.left_out)))


def _free_folder(documents: Mapping[str, str]) -> str:
    """Return the name of a folder that the documents don't have."""
    tops = {path.partition("/")[0] for path in documents}
    return next(name for name in ("run", *(f"run-{number}" for number in range(2, len(tops) + 3))) if name not in tops)


def _root(entities: Entities, about: About) -> Entity:
    entities.add(METADATA, "CreativeWork", about=ref("./"), conformsTo=[ref(CRATE), ref(WORKFLOW_CRATE)])
    root = entities.add("./", "Dataset", name=about.title, identifier=about.id)
    root["description"] = about.description or f"A run of {about.title}."
    root["datePublished"] = moment(about.exported)
    if about.license.startswith(("https://", "http://")):
        root["license"] = ref(entities.add(about.license, "CreativeWork", name=about.license))
    else:
        words = about.license or NO_LICENSE
        root["license"] = ref(entities.add("#licence", "CreativeWork", name="Licence", description=words))
    if about.address:
        root["url"] = about.address
    return root


def _about_software(entities: Entities, described: Described, about: About) -> None:
    """Add to the workflow and its tools what the platform knows of the pipeline that they are of."""
    profile = entities.add(WORKFLOW_PROFILE, "CreativeWork", name="Bioschemas ComputationalWorkflow")
    described.workflow["conformsTo"] = ref(profile)
    for tool in (described.workflow, *(step.tool for step in described.steps.values())):
        kinds = tool["@type"] if isinstance(tool["@type"], list) else [tool["@type"]]
        if about.version:
            tool["softwareVersion" if "SoftwareApplication" in kinds else "version"] = about.version
        if about.url:
            tool["url"] = about.url


def _agent(entities: Entities, agent: Agent) -> Entity:
    found = entities.add(agent.id or local("agent", agent.name), "Person", name=agent.name)
    if agent.affiliation:
        name = local("organisation", agent.affiliation)
        found["affiliation"] = ref(entities.add(name, "Organization", name=agent.affiliation))
    return found


def _run(shelf: Shelf, described: Described, record: RunRecord, about: About, agent: Entity) -> Entity:
    """Add the action that is the run itself, with its inputs and outputs."""
    entities = shelf.entities
    words = [f"Run {about.id}"]
    words += [f"of the step {record.only_step} alone"] if record.only_step else []
    words += [f"started {record.attempts} times on the same folder"] if record.attempts > 1 else []
    action = entities.add(
        local("run", about.id),
        "CreateAction",
        name=f"Run of {about.title}",
        description=", ".join(words),
        startTime=moment(record.started),
        endTime=moment(record.ended),
        instrument=ref(described.workflow),
        agent=ref(agent),
        url=about.address,
        **status_of(record.state, record.reason),
    )
    defaults = {one.name: one.default for one in described.document.inputs if one.has_default}
    given = {name: value for name, value in record.order.items() if value is not None or name not in defaults}
    order = defaults | given
    takes = {"object": (order, shelf.take.inputs, "in"), "result": (record.outputs, shelf.take.outputs, "out")}
    for key, (values, by_value, short) in takes.items():
        for name, value in values.items():
            wanted = f"{'inputs' if short == 'in' else 'outputs'}/{folder_name(name)}" if by_value else ""
            found = shelf.of(value, wanted, f"run/{short}/{name}")
            parameter = described.parameters.get((described.workflow["@id"], f"{short}/{name}"))
            link_values(entities, action, key, found, parameter)
    return action


def folder_name(name: str) -> str:
    """Return the name of an input or output as one of a folder."""
    return "".join(one if one.isalnum() or one in "-_." else "_" for one in name)[:100].strip(".") or "value"


def _environments(entities: Entities, shelf: Shelf, about: About) -> dict[str, Entity]:
    """Add what the software of steps stood for, with the list of its packages."""
    found = {}
    for named, one in about.environments.items():
        entity = entities.add(
            local("environment", one.name),
            "SoftwareApplication",
            name=one.name,
            description=one.description or f"The environment that {named} stood for.",
        )
        if one.packages and "hasPart" not in entity:
            path = f"environments/{folder_name(one.name)}.txt"
            listed = shelf.content(
                path, one.packages.encode(), name=f"Packages of {one.name}", encodingFormat="text/plain"
            )
            entities.link(entity, "hasPart", [listed])
        found[named] = entity
    return found


def _organise(entities: Entities, about: About, controls: list[Entity], action: Entity) -> None:
    """Add the engine and what it did: it carried out the steps, and so the run."""
    engine = entities.add(
        about.engine.url or local("engine", about.engine.name),
        "SoftwareApplication",
        name=about.engine.name,
        softwareVersion=about.engine.version,
        url=about.engine.url,
    )
    if controls:
        organised = entities.add(
            local("organised", about.id),
            "OrganizeAction",
            name=f"{about.engine.name} {about.engine.version}".strip(),
            instrument=ref(engine),
            agent=action["agent"],
            result=ref(action),
            **{key: action[key] for key in ("startTime", "endTime") if key in action},
        )
        entities.link(organised, "object", controls)


def _order(shelf: Shelf, record: RunRecord) -> None:
    """Put the job order into the crate, with the files that the crate holds named from there."""

    def inside(path: str) -> str:
        return shelf.path_of(path).removeprefix(f"{shelf.folder}/")

    order = {name: localised(value, inside) for name, value in record.order.items()}
    content = json.dumps(order, ensure_ascii=False, indent=1, default=str).encode()
    described = "The inputs of the run, as CWL runners read them."
    shelf.content(ORDER, content, name="Job order", description=described, encodingFormat="application/json")


def _finish(
    entities: Entities, root: Entity, shelf: Shelf, described: Described, actions: list[Entity], *, provenance: bool
) -> None:
    profiles = [
        entities.add(name, "CreativeWork", name=title, version=version)
        for name, (title, version) in PROFILES.items()
        if provenance or name != PROVENANCE
    ]
    entities.link(root, "conformsTo", profiles)
    root["mainEntity"] = ref(described.workflow)
    entities.link(root, "mentions", actions)
    data, collections = [], []
    for entity in entities.metadata()["@graph"]:
        kinds = entity["@type"] if isinstance(entity["@type"], list) else [entity["@type"]]
        if entity["@id"] != "./" and {"File", "Dataset"} & {*kinds}:
            data.append(entity["@id"])
        if "Collection" in kinds:
            collections.append(entity["@id"])
    entities.link(root, "hasPart", data)
    entities.link(root, "mentions", collections)
    if shelf.left_out:
        count = len(dict.fromkeys(shelf.left_out))
        root["description"] += f" {count} files are referred to, since they were too large for the crate or are gone."
