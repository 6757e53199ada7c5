"""Launching through WES."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from spacelab import __version__
from spacelab.accounts.models import Person
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Invalid
from spacelab.runs import actions
from spacelab.runs.models import Run
from spacelab.runs.untrusted import data
from spacelab.runs.wes import intake
from spacelab.runs.wes.models import WesRequest
from spacelab.runs.wes.rules import PARAMETERS, UnfitRequestError, read_request
from spacelab.volumes import actions as volume_actions
from spacelab.volumes.rules import WORKSPACE

LISTS = frozenset({"volumes", "teams"})


def launch(*, by: Person, fields: Mapping[str, str], attached: Mapping[str, Any]) -> Run:
    """Launch what a WES request asks for; attached inputs are put into the folder `wes/…` of the workspace.

    Raises `Invalid` for a request that is not of the right form, and whatever a launch raises.
    """
    try:
        wanted = read_request(fields, __version__)
    except UnfitRequestError as unfit:
        raise Invalid(unfit.message, advice=unfit.advice) from unfit
    found, inputs = intake.find(by, wanted, attached)
    found.check()
    job = wanted.params
    volume_actions.ensure_areas(person=by)
    if inputs:
        folder = f"wes/{new_id()}"
        volume_actions.put_files(by=by, folder=folder, files=intake.contents(attached, inputs), links={})
        job = intake.placed(job, inputs, str(WORKSPACE / folder))
    choices: dict[str, Any] = {
        name: [one.strip() for one in value.split(",") if one.strip()] if name in LISTS else value
        for name, value in wanted.parameters.items()
        if name in PARAMETERS
    }
    with transaction.atomic():
        run = actions.launch(by=by, wanted=found, job=job, **choices)
        WesRequest.objects.create(
            run=run,
            workflow_url=wanted.url,
            type_version=wanted.type_version,
            engine_version=wanted.engine_version,
            parameters=wanted.parameters,
            params=data(wanted.params),
            tags=wanted.tags,
        )
    return run
