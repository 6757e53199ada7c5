"""Saving documents: what is kept, what is refused, and which state that leaves a version in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from spacelab.accounts.models import Person
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, TooLarge
from spacelab.pipelines import actions, queries
from spacelab.pipelines.models import Pipeline, PipelineVersion, StepUse
from spacelab.pipelines.rules import Kind
from support.people import make_person
from support.pipelines import FILES, USING, make_pipeline

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Person:
    return make_person("ada")


def test_a_scientist_begins_a_pipeline_and_every_byte_of_it_stays(ada: Person) -> None:
    files = {**FILES, "notes/läs mig.txt": "\ufeffCRLF\r\n\ttab  \n"}
    made = actions.create(by=ada, slug="own", files=files)
    again = PipelineVersion.objects.get(pk=made.pk)
    assert again.files == files
    assert (again.state, again.main, again.pipeline.kind) == ("built", "main.cwl", "pipeline")
    assert queries.find_seen(ada, "own") == again


def test_two_who_save_at_once_dont_overwrite_each_other(ada: Person) -> None:
    made = actions.create(by=ada, slug="own", files=FILES)
    first = made.content_hash
    actions.save(by=ada, version=made, files={**FILES, "a.txt": "a"}, was=first)
    with pytest.raises(Conflict, match="changed since"):
        actions.save(by=ada, version=made, files={**FILES, "b.txt": "b"}, was=first)
    assert "b.txt" not in PipelineVersion.objects.get(pk=made.pk).files


def test_a_name_of_somebody_elses_is_refused_and_so_is_saving_hers(ada: Person) -> None:
    made = actions.create(by=ada, slug="own", files=FILES)
    bob = make_person("bob", "developer")
    with pytest.raises(Invalid, match="somebody else"):
        actions.create(by=bob, slug="own", files=FILES)
    with pytest.raises(Forbidden):
        actions.save(by=bob, version=made, files=FILES)


def test_what_was_published_never_changes(ada: Person) -> None:
    version = make_pipeline(maintainer=ada)
    with pytest.raises(Conflict, match="published"):
        actions.save(by=ada, version=version, files={"main.cwl": "x"})


@pytest.mark.parametrize(
    "path",
    ["../up.cwl", "/etc/passwd", "a//b.cwl", "a/./b", "con\ttrol.cwl", "right\u202eleft.cwl", "a\\b", "x" * 201, ""],
)
def test_names_that_lead_out_or_cant_be_shown_are_refused(ada: Person, path: str) -> None:
    with pytest.raises(Invalid, match="name of a file"):
        actions.create(by=ada, slug="own", files={**FILES, path: "x"})
    assert not Pipeline.objects.exists()


def test_a_document_of_50_mb_is_refused_with_its_limit(ada: Person) -> None:
    with pytest.raises(TooLarge, match="1 MB"):
        actions.create(by=ada, slug="own", files={"main.cwl": "x" * 50_000_000})


@pytest.mark.parametrize("text", ["zero\0byte", "\ud800"])
def test_what_no_database_keeps_is_refused(ada: Person, text: str) -> None:
    with pytest.raises(Invalid, match="no text"):
        actions.create(by=ada, slug="own", files={**FILES, "bad.txt": text})


def test_the_steps_that_are_used_are_noted(ada: Person) -> None:
    made = actions.create(by=ada, slug="own", files={"main.cwl": USING})
    assert list(StepUse.objects.values_list("user", "slug", "version")) == [(made.pk, "say", "1.0")]
    actions.save(by=ada, version=made, files=FILES)
    assert not StepUse.objects.exists()


@pytest.mark.parametrize("name", ["steps", "pipelines"])
def test_everything_shipped_installs_and_a_second_time_writes_nothing(name: str) -> None:
    for kind in (Kind.STEP, Kind.PIPELINE):
        for folder in sorted(Path(settings.CATALOGUE_DIRECTORY, f"{kind}s").iterdir()):
            actions.install_folder(by=actions.SYSTEM, folder=folder, kind=kind)
    before = list(PipelineVersion.objects.values_list("pk", "changed_at"))
    for folder in sorted(Path(settings.CATALOGUE_DIRECTORY, name).iterdir()):
        version = actions.install_folder(by=actions.SYSTEM, folder=folder, kind=Kind(name[:-1]))
        assert queries.bundle(version).missing == []
    assert list(PipelineVersion.objects.values_list("pk", "changed_at")) == before


def test_a_run_of_the_present_documents_for_their_author_is_evidence_and_no_other(ada: Person) -> None:
    made = actions.create(by=ada, slug="own", files=FILES)
    ran: dict[str, Any] = {
        "slug": "own",
        "number": "0.1.0",
        "main": "main.cwl",
        "passed": True,
        "summary": "Well.",
        "data": {},
    }
    whole = {**FILES, "catalogue/say/1.0.cwl": "x"}
    bob = make_person("bob")
    assert actions.record_run(by=actions.SYSTEM, owner=bob, files=whole, **ran) is None
    assert actions.record_run(by=actions.SYSTEM, owner=ada, files={**whole, "say.cwl": "other"}, **ran) is None
    assert not queries.has_passed(made)
    assert actions.record_run(by=actions.SYSTEM, owner=ada, files=whole, **ran) is not None
    assert queries.has_passed(made)
    assert PipelineVersion.objects.get(pk=made.pk).state == "testing"
