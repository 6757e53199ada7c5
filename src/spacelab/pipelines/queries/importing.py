"""Imports of repositories: the person's own, and what the controller has to do for them."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.kit.refusals import NotFound
from spacelab.pipelines import rules
from spacelab.pipelines.models import PipelineImport


def find_import(person: Person | AnonymousUser, import_id: str) -> PipelineImport:
    """Find an import of the person's own; raise `NotFound` for all others."""
    rows = PipelineImport.objects.select_related("made__pipeline", "workload")
    found = rows.filter(pk=import_id, person=signed_in(person)).first()
    if found is None:
        raise NotFound("There is no such import.", advice="Look at your pipelines.")
    return found


def imports_under_way(person: Person) -> list[PipelineImport]:
    """List the person's imports that have not ended."""
    return list(PipelineImport.objects.filter(person=person, ended_at=None))


def imports_to_attend() -> QuerySet[PipelineImport]:
    """List the imports that have not ended, or that left something, the oldest first."""
    rows = PipelineImport.objects.select_related("person", "workload")
    return rows.filter(Q(ended_at=None) | Q(workload__isnull=False)).order_by("created_at", "id")


def may_fetch(wanted: PipelineImport) -> bool:
    """Say whether it is an import's turn: a few are fetched at once, and one of each person."""
    at_work = PipelineImport.objects.filter(state=rules.ImportState.FETCHING)
    return at_work.count() < rules.IMPORTS_AT_ONCE and not at_work.filter(person=wanted.person_id).exists()


def import_folder(import_id: str) -> Path:
    """Return the folder that a repository is fetched into; it goes when the import has ended."""
    folder: Path = settings.SPACELAB.state / "imports" / import_id
    return folder
