"""How long the server takes for pages of a catalogue of 10,000 pipelines and steps, and how many queries it makes.

Usage: benchmarks/pipelines_catalogue.py [--pipelines 10000] [--rounds 30]
As `benchmarks/catalogue.py` does for datalabs, with the same goals: 50 ms at the median for the first page and for a
filtered search, and at most 12 queries. Two of three are pipelines of 3 to 12 steps, the others steps that these use.
"""

from __future__ import annotations

import argparse
import random
import tempfile

from catalogue import WORDS, prepare, tell

PAGES = {
    "first page": "/pipelines/",
    "steps": "/pipelines/steps/",
    "a word": "/pipelines/?q=lensing",
    "words, an author, by name": "/pipelines/?q=dust+cube&author=Author+1&sort=name",
    "a tag": "/pipelines/?tag=comets",
    "days": "/pipelines/?since=2026-01-01&until=2100-01-01",
    "most used": "/pipelines/?sort=popularity",
    "page 200": "/pipelines/?page=200",
    "one pipeline": "/pipelines/flow-77/",
    "a step that many use": "/pipelines/flow-2/",
    "API, a word": "/api/v1/pipelines?q=lensing&limit=24",
    "TRS, a part of all": "/ga4gh/trs/v2/tools?limit=24",
}
TOOL = """cwlVersion: v1.2
class: CommandLineTool
baseCommand: cat
inputs: {file: {type: File, inputBinding: {position: 1}}}
outputs: {out: {type: stdout}}
"""
EACH = 3
"""One of so many is a step."""


def document(steps: list[str]) -> str:
    """Return a workflow with these steps of the catalogue, one after the other."""
    rows = ["cwlVersion: v1.2", "class: Workflow", "inputs: {file: File}", "outputs:"]
    rows += [f"  out: {{type: File, outputSource: s{len(steps) - 1}/out}}", "steps:"]
    for number, slug in enumerate(steps):
        source = f"s{number - 1}/out" if number else "file"
        rows.append(f"  s{number}: {{run: catalogue/{slug}/1.0.cwl, in: {{file: {source}}}, out: [out]}}")
    return "\n".join(rows) + "\n"


def fill(number: int) -> None:
    """Make that many entries with two versions each: most for everybody, some private."""
    from django.utils import timezone  # noqa: PLC0415  Django must be ready

    from spacelab.pipelines.models import Pipeline, PipelineVersion, StepUse  # noqa: PLC0415
    from spacelab.pipelines.rules import Kind, fold, tag_index  # noqa: PLC0415
    from support.people import make_person  # noqa: PLC0415

    dice = random.Random(4)  # noqa: S311  the same catalogue every time
    people = [make_person(f"dev{index}", "developer") for index in range(20)]
    steps = [f"flow-{index}" for index in range(number) if index % EACH == EACH - 1]
    made = []
    for index in range(number):
        tags = dice.sample(WORDS, 3)
        title = f"{dice.choice(WORDS).capitalize()} {dice.choice(WORDS)} {index}"
        abstract = " ".join(dice.choices(WORDS, k=30))
        author = f"Author {index % 300}"
        made.append(
            Pipeline(
                slug=f"flow-{index}",
                kind=Kind.STEP if index % EACH == EACH - 1 else Kind.PIPELINE,
                title=title,
                abstract=abstract,
                author=author,
                tags=tags,
                maintainer=dice.choice(people),
                popularity=max(0, int(dice.gauss(-20, 40))),
                search_text=fold("\n".join([title, abstract, author, *tags])),
                tag_index=tag_index(tags),
                sort_key=fold(title)[:120],
            )
        )
    Pipeline.objects.bulk_create(made, batch_size=500)
    versions, used = [], {}
    for entry in Pipeline.objects.all():
        chosen = [] if entry.is_step else [steps[0], *dice.choices(steps, k=dice.randint(2, 11))]
        main = TOOL if entry.is_step else document(chosen)
        states = [("superseded", "everybody"), ("published", dice.choice(["everybody"] * 9 + ["private"]))]
        for major, (state, visibility) in enumerate(states, 1):
            one = PipelineVersion(
                pipeline=entry,
                version=f"{major}.0",
                state=state,
                visibility=visibility,
                files={"main.cwl": main},
                main="main.cwl",
                published_at=timezone.now(),
            )
            versions.append(one)
            used[entry.slug, one.version] = set(chosen)
    PipelineVersion.objects.bulk_create(versions, batch_size=500)
    uses = []
    for version in PipelineVersion.objects.select_related("pipeline").defer("files"):
        named = used[version.pipeline.slug, version.version]
        uses += [StepUse(user=version, slug=slug, version="1.0") for slug in sorted(named)]
    StepUse.objects.bulk_create(uses, batch_size=500)
    for entry in Pipeline.objects.all():
        entry.relist()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipelines", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        prepare(state)
        fill(arguments.pipelines)
        tell(f"{arguments.pipelines} pipelines and steps", PAGES, arguments.rounds)


if __name__ == "__main__":
    main()
