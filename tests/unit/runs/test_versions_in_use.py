"""A pipeline's version that something needs stays; one that is archived, or gone, leaves every run as it was."""

from __future__ import annotations

import pytest

from spacelab.accounts.models import Person
from spacelab.kit.refusals import Conflict
from spacelab.pipelines import actions as pipelines
from spacelab.pipelines import queries as catalogue
from spacelab.pipelines.models import PipelineVersion
from spacelab.runs import actions, launchables
from spacelab.runs.choosing import Wanted
from spacelab.runs.models import Run
from spacelab.runs.schedules import actions as schedules
from spacelab.runs.schedules.settling import Asked
from support.people import make_person
from support.pipelines import TOOL, USING
from support.runs import FILES, Coordinator, file_of

pytestmark = pytest.mark.usefixtures("quiet_runtime")


@pytest.fixture
def draft(developer: Person) -> PipelineVersion:
    return pipelines.create(by=developer, slug="own", files=FILES)


def launched(person: Person, slug: str = "own") -> Run:
    source = launchables.of_catalogue(person, slug).source
    wanted = Wanted(job={"text": file_of(person)}, profile="small", title="Counting")
    return actions.launch_documents(by=person, source=source, wanted=wanted)


def refused(by: Person, version: PipelineVersion) -> str:
    with pytest.raises(Conflict) as refusal:
        pipelines.delete_draft(by=by, version=version)
    assert PipelineVersion.objects.filter(pk=version.pk).exists()
    return refusal.value.message


def test_a_draft_that_runs_is_deleted_once_its_run_has_ended(developer: Person, draft: PipelineVersion) -> None:
    run = launched(developer)
    told = f"{draft} is used by the run “Counting” of {developer.display_name}."
    assert refused(developer, draft) == told
    assert Coordinator(run).all_well().state == "succeeded"
    pipelines.delete_draft(by=developer, version=draft)
    again = launchables.of_run(developer, Run.objects.get(pk=run.pk))
    assert again.source.files == FILES
    assert not again.hindrances


def test_a_draft_that_somebody_elses_schedule_starts_is_not_deleted(developer: Person, draft: PipelineVersion) -> None:
    bob = make_person("bob", "developer")
    pipelines.share(by=developer, version=draft, visibility="people", people=[bob])
    asked = Asked(pipeline="own", trigger="time", cron="0 * * * *", job={"text": file_of(bob)}, title="Nightly")
    made = schedules.create(by=bob, asked=asked)
    assert refused(developer, draft) == f"{draft} is used by the schedule “Nightly” of Bob."
    pipelines.create(by=developer, slug="own", version="0.2.0", files=FILES)
    pipelines.delete_draft(by=developer, version=PipelineVersion.objects.get(version="0.2.0"))
    schedules.delete(by=bob, schedule_id=made.pk)
    pipelines.delete_draft(by=developer, version=draft)


def test_a_step_that_pipelines_use_is_not_deleted_and_others_drafts_stay_unnamed(developer: Person) -> None:
    step = pipelines.create(by=developer, slug="say", version="1.0", files={"say.cwl": TOOL})
    bob = make_person("bob", "developer")
    pipelines.share(by=developer, version=step, visibility="people", people=[bob])
    pipelines.create(by=developer, slug="hers", title="Mine", files={"main.cwl": USING})
    pipelines.create(by=bob, slug="secret", title="Secret", files={"main.cwl": USING})
    assert refused(developer, step) == f"{step} is used by “Mine 0.1.0”, a draft of Bob."


def test_what_is_archived_goes_on_running_and_starting(developer: Person, draft: PipelineVersion) -> None:
    PipelineVersion.objects.filter(pk=draft.pk).update(state="published", visibility="everybody")
    ada = make_person("ada")
    run = launched(ada)
    asked = Asked(pipeline="own", version="0.1.0", trigger="time", cron="0 * * * *", job={"text": file_of(ada)})
    schedule = schedules.create(by=ada, asked=asked)
    pipelines.advance(by=developer, version=draft, transition="archive", reason="There is a better one.")
    Run.objects.filter(pk=run.pk).update(state="failed")
    assert actions.resume(by=ada, run_id=run.pk).state == "queued"
    schedules.pause(by=ada, schedule_id=schedule.pk)
    assert schedules.resume(by=ada, schedule_id=schedule.pk).state == "active"
    assert launchables.of_catalogue(ada, "own").source.version == "0.1.0"


def test_a_pipeline_finds_its_step_in_the_archive(developer: Person) -> None:
    step = pipelines.create(by=developer, slug="say", version="1.0", files={"say.cwl": TOOL})
    PipelineVersion.objects.filter(pk=step.pk).update(state="archived", visibility="everybody")
    ada = make_person("ada")
    assert catalogue.bundle(pipelines.create(by=ada, slug="hers", files={"main.cwl": USING}), ada).missing == []
