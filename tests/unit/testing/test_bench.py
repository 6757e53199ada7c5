"""Launch tests step by step: they begin by themselves, survive crashes, blame whom they should, and leave nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spacelab.accounts.models import Person
from spacelab.datalabs import queries as datalab_queries
from spacelab.datalabs.models import DatalabVersion, Evidence
from spacelab.kit.refusals import Conflict, Forbidden
from spacelab.sessions.queries import used_by
from spacelab.testing import actions, planning, queries
from spacelab.testing.models import LaunchTest
from spacelab.testing.rules import State
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import Desired, Phase
from support.launch_tests import (
    built,
    leave_results,
    log_of,
    look,
    look_around,
    set_phase,
    the_test,
    through_the_interface,
)
from support.people import make_person
from support.sessions import QuietRuntime

pytestmark = pytest.mark.django_db


def test_what_was_built_is_tested_and_its_evidence_opens_the_way_to_the_moderators(author: Person, place: Path) -> None:
    version = built(author, place, "a.ipynb")
    assert look().state == State.INTERFACE
    version.refresh_from_db()
    assert version.state == "testing"
    workload = the_test().workload
    assert workload is not None
    assert workload.owner == author
    assert used_by(author).sessions == 0, "a test is not in her quota"
    sources = {mount["target"]: Path(mount["source"]) for mount in workload.spec["mounts"]}
    assert sources["/media/user"] == queries.work_folder(the_test(), workload.pk) / "workspace"
    QuietRuntime.printed[workload.pk] = b"the interface says hello\n"

    test = through_the_interface(place)
    assert test.state == State.NOTEBOOKS
    assert test.workload is not None
    command = test.workload.spec["command"]
    assert command[-1] == "./a.ipynb"
    assert (queries.work_folder(test, test.workload.pk) / "workspace" / "spectra" / "a.ipynb").exists()
    leave_results(test, {"notebooks": [{"name": "a.ipynb", "passed": True, "seconds": 1.5, "cell": 1, "error": ""}]})
    QuietRuntime.printed[test.workload.pk] = b"a.ipynb: ran to the end\n"
    set_phase(Phase.SUCCEEDED, exit_code=0)

    test = look()
    assert test.state == State.PASSED
    evidence = Evidence.objects.get()
    assert evidence.passed
    assert evidence.data["page"] == {"status": 200, "content_type": "text/html", "size": 5, "trouble": ""}
    assert evidence.data["interface_usage"] == {"memory_bytes": 50_000_000, "cpu_seconds": 1.5}
    assert evidence.data["ready_seconds"] >= 0
    assert "the interface says hello" in log_of(test)
    assert "a.ipynb: ran to the end" in log_of(test)
    assert datalab_queries.has_passed(version)
    look(2)
    assert not queries.work_folder(test).exists()
    assert not Workload.objects.filter(held=True).exists()
    assert LaunchTest.objects.count() == 1, "once is enough"


def test_a_notebook_that_raises_is_named_with_its_cell(author: Person, place: Path) -> None:
    version = built(author, place, "a.ipynb", "b.ipynb")
    test = through_the_interface(place)
    row = {"name": "b.ipynb", "passed": False, "seconds": 1, "cell": 3, "error": "ValueError: no star"}
    leave_results(test, {"notebooks": [{"name": "a.ipynb", "passed": True}, row, {"name": "/etc/passwd"}, 7]})
    set_phase(Phase.SUCCEEDED, exit_code=0)
    test = look()
    assert (test.state, test.reason) == (State.FAILED, "b.ipynb, code cell 3: ValueError: no star")
    assert not datalab_queries.has_passed(version)
    assert [one["name"] for one in Evidence.objects.get().data["notebooks"]] == ["a.ipynb", "b.ipynb"]


@pytest.mark.parametrize("left", ["link", "pipe", "large", "nonsense"])
def test_results_that_are_a_trap_count_as_none(author: Person, place: Path, left: str) -> None:
    built(author, place, "a.ipynb")
    test = through_the_interface(place)
    results = planning.home_of(test, str(test.workload_id)) / planning.RESULTS
    if left == "link":
        (place / "true.json").write_text('{"notebooks": [{"name": "a.ipynb", "passed": true}]}')
        results.symlink_to(place / "true.json")
    elif left == "pipe":
        os.mkfifo(results)
    else:
        results.write_text("[" * 100_000 if left == "nonsense" else " " * (2**20 + 1))
    set_phase(Phase.FAILED, exit_code=1)
    test = look()
    assert test.state == State.FAILED
    assert "It was not run to its end" in test.reason


def test_an_interface_with_an_error_has_not_passed(author: Person, place: Path) -> None:
    built(author, place, "a.ipynb")
    test = through_the_interface(place, "500 Internal Server Error")
    assert (test.state, test.reason) == (
        State.FAILED,
        "It became ready, but its start page answered with the status 500.",
    )


def test_a_datalab_that_does_not_come_up_has_not_passed(author: Person, place: Path) -> None:
    built(author, place)
    look(2)
    set_phase(Phase.FAILED, exit_code=127, trouble="crashed", reason="The command was not found.")
    test = look()
    assert test.state == State.FAILED
    assert test.reason == "It did not become ready. The command was not found."


def test_a_package_without_notebooks_passes_by_its_interface(author: Person, place: Path) -> None:
    built(author, place)
    test = through_the_interface(place)
    assert test.state == State.PASSED
    assert test.reason.startswith("Ready after ")


def test_the_platforms_own_fault_is_tried_again_twice_and_says_nothing_of_the_version(
    author: Person, place: Path
) -> None:
    built(author, place)
    for tries in range(1, 4):
        look(2)
        set_phase(Phase.FAILED, exit_code=None, trouble="runtime-away", reason="The engine is away.")
        assert look().tries == tries
    assert the_test().state == State.GIVEN_UP
    assert not Evidence.objects.exists()
    look(2)
    assert the_test().cleaned
    assert LaunchTest.objects.count() == 1


def test_a_test_that_somebody_stopped_is_begun_again(author: Person, place: Path) -> None:
    built(author, place)
    first = look(2).workload_id
    set_phase(Phase.STOPPED, exit_code=143)
    look(2)
    assert the_test().state == State.INTERFACE
    assert the_test().workload_id != first


@pytest.mark.parametrize("change", ["building", "draft", "deleted"])
def test_a_version_that_changes_meanwhile_has_its_test_dropped(author: Person, place: Path, change: str) -> None:
    version = built(author, place)
    look(2)
    running = the_test().workload_id
    if change == "deleted":
        version.delete()
    else:
        DatalabVersion.objects.update(state=change)
    assert look().state == State.DROPPED
    look()
    assert Workload.objects.get(pk=running).desired == Desired.STOP
    Workload.objects.update(phase=Phase.STOPPED)
    queries.evidence_folder(str(the_test().pk)).mkdir(parents=True)
    test_id = the_test().pk
    look_around(2)
    assert LaunchTest.objects.exists() is (change != "deleted")
    assert not queries.evidence_folder(str(test_id)).exists()
    assert not Evidence.objects.exists()


def test_there_are_never_two_at_once_and_places_are_few(author: Person, place: Path) -> None:
    version = built(author, place)
    look(2)
    with pytest.raises(Conflict, match="is being tested already"):
        actions.test_again(by=author, version=version)
    other = DatalabVersion.objects.create(datalab=version.datalab, version="2.0", state="testing", content_hash="h")
    actions.test_again(by=author, version=other)
    look_around(2)
    assert LaunchTest.objects.get(version=other).state == State.WAITING


def test_only_the_author_and_moderators_have_it_tested_again(author: Person, place: Path) -> None:
    version = built(author, place, state="testing")
    for stranger in (
        make_person("sara", "scientist"),
        make_person("dana", "developer"),
        make_person("otto", "operator"),
    ):
        with pytest.raises(Forbidden):
            actions.test_again(by=stranger, version=version)
    assert actions.test_again(by=make_person("mona", "moderator"), version=version).state == State.WAITING


def test_a_version_that_counts_as_tested_and_was_not_is_tested(author: Person, place: Path) -> None:
    built(author, place, state="testing")
    assert look().content_hash == "h1"


@pytest.mark.parametrize("state", ["draft", "building", "build-failed"])
def test_what_was_not_built_can_not_be_tested(author: Person, place: Path, state: str) -> None:
    version = built(author, place, state=state)
    with pytest.raises(Conflict, match="can't be tested"):
        actions.test_again(by=author, version=version)
