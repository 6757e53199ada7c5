"""Pipelines and steps for tests."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.pipelines import rules
from spacelab.pipelines.models import Pipeline, PipelineVersion

TOOL = """\
cwlVersion: v1.2
class: CommandLineTool
label: Say it
baseCommand: echo
inputs:
  message: {type: string, inputBinding: {}}
stdout: said.txt
outputs:
  said: stdout
"""
WORKFLOW = """\
cwlVersion: v1.2
class: Workflow
label: One step
# a comment that stays
inputs:
  message: string
outputs:
  said: {type: File, outputSource: say/said}
steps:
  say:
    run: say.cwl
    in: {message: message}
    out: [said]
"""
FILES = {"main.cwl": WORKFLOW, "say.cwl": TOOL}
USING = WORKFLOW.replace("say.cwl", "catalogue/say/1.0.cwl")
"""The same workflow with a step of the catalogue."""


def make_pipeline(
    slug: str = "greet",
    *,
    version: str = "1.0",
    state: str = "published",
    files: dict[str, str] | None = None,
    kind: str = "pipeline",
    visibility: str = "",
    maintainer: Person | None = None,
    **values: Any,
) -> PipelineVersion:
    """Create an entry, unless it is there, with one version."""
    files = FILES if files is None else files
    said = {"title": slug.capitalize(), "abstract": f"What {slug} is for.", "author": "A. Author", **values}
    entry, _ = Pipeline.objects.get_or_create(slug=slug, defaults={**said, "kind": kind, "maintainer": maintainer})
    main = rules.main_of(files, "", slug)
    return PipelineVersion.objects.create(
        pipeline=entry,
        version=version,
        files=files,
        main=main,
        content_hash=rules.content_hash(files, main),
        state=state,
        visibility=visibility or ("everybody" if state in rules.KEPT else "private"),
        published_at=timezone.now() if state in rules.KEPT else None,
    )


def make_step(slug: str = "say", **values: Any) -> PipelineVersion:
    """Create a step with one version."""
    return make_pipeline(slug, kind="step", files={f"{slug}.cwl": TOOL}, **values)
