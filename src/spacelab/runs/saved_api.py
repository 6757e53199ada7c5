"""Saved launches as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from spacelab.accounts.queries import signed_in
from spacelab.pipelines import queries as pipelines
from spacelab.runs import actions, queries
from spacelab.runs.api import ChoicesIn
from spacelab.runs.models import SavedLaunch

router = Router(tags=["runs"])
"""Stands at `/runs/saved` of the API."""


class SavedLaunchIn(ChoicesIn):
    """Inputs and choices to keep."""

    version: str = ""
    job: dict[str, Any] = {}


class SavedLaunchOut(Schema):
    """Inputs and choices that are kept under a name."""

    pipeline: str
    name: str
    version: str
    job: dict[str, Any]
    choices: dict[str, Any]
    at: datetime


def _out(saved: SavedLaunch) -> dict[str, Any]:
    return {
        "pipeline": saved.pipeline_slug,
        "name": saved.name,
        "version": saved.version_number,
        "job": saved.job,
        "choices": saved.choices,
        "at": saved.at,
    }


@router.get("", response=list[SavedLaunchOut], operation_id="list_saved_launches", summary="Saved launches")
def list_saved_launches(request: HttpRequest, pipeline: str = "") -> list[dict[str, Any]]:
    """List what you saved to launch again, of one pipeline or of all."""
    return [_out(one) for one in queries.saved_launches(signed_in(request.user), pipeline)]


@router.put("/{pipeline}/{name}", response=SavedLaunchOut, operation_id="save_launch", summary="Save a launch")
def save_launch(request: HttpRequest, pipeline: str, name: str, wanted: SavedLaunchIn) -> dict[str, Any]:
    """Keep inputs and choices under a name; what was there under it is replaced."""
    person = signed_in(request.user)
    found = pipelines.find_seen(person, pipeline, wanted.version)
    choices = {key: getattr(wanted, key) for key in ChoicesIn.model_fields}
    saved = actions.save_launch(
        by=person, slug=found.pipeline.slug, version=found.version, name=name, job=wanted.job, choices=choices
    )
    return _out(saved)


@router.delete("/{pipeline}/{name}", response={204: None}, operation_id="forget_launch", summary="Forget a launch")
def forget_launch(request: HttpRequest, pipeline: str, name: str) -> Status[None]:
    """Forget a saved launch."""
    actions.delete_saved(by=signed_in(request.user), slug=pipeline, name=name)
    return Status(204, None)
