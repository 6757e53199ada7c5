"""Whose build it is hears of its end, unless she ended it herself."""

from __future__ import annotations

from spacelab.accounts.models import Person
from spacelab.builds import actions
from spacelab.builds.upkeep import Workshop
from spacelab.notifications.models import Notification
from spacelab.workloads.rules import Phase
from support.builds import end_workload, queued, state_of


def test_a_build_that_came_out_is_told(developer: Person, workshop: Workshop) -> None:
    build = queued(developer)
    while state_of(build) != "built":
        workshop.look()
        end_workload(build)
    (row,) = Notification.objects.all()
    assert (row.person, row.kind, row.url) == (developer, "build-ended", f"/builds/{build.pk}")
    assert row.title == "Nearby stars is built"


def test_a_build_that_failed_is_told_with_its_reason(developer: Person, workshop: Workshop) -> None:
    build = queued(developer)
    workshop.look()
    end_workload(build, Phase.FAILED, exit_code=1)
    while state_of(build) != "failed":
        workshop.look()
    (row,) = Notification.objects.all()
    assert row.title == "Nearby stars could not be built"
    assert row.text


def test_a_build_that_its_person_cancelled_is_not_told(developer: Person, workshop: Workshop) -> None:
    build = queued(developer)
    actions.cancel(by=developer, build_id=build.pk)
    assert state_of(build) == "cancelled"
    assert not Notification.objects.exists()
