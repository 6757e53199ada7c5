"""A build's life: brought, planned, queued, built, checked, a draft; or failed, cancelled, cleared away."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.audit.models import Entry
from spacelab.builds import actions, packages, queries
from spacelab.builds.actions import SYSTEM
from spacelab.builds.models import Build
from spacelab.builds.packages import Brought
from spacelab.builds.ports import BuildFacts, CheckResult
from spacelab.builds.rules import State
from spacelab.builds.upkeep import Workshop
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, NotFound, OverQuota
from spacelab.sessions.secrets import workload_secrets
from spacelab.workloads.models import Workload
from spacelab.workloads.queries import spec_of
from spacelab.workloads.rules import Phase
from support.builds import bring, end_workload, queued, start, state_of
from support.datalabs import make_datalab
from support.packages import META, files_of, notebook, zip_of
from support.people import make_person
from support.sessions import QuietRuntime

OWN_DOCKERFILE = "ARG REGISTRY\nFROM ${REGISTRY}/datalabs/jl_base\nRUN true\n"


def packages_kept() -> list[Path]:
    return sorted(packages.root().iterdir()) if packages.root().exists() else []


def test_from_a_bare_notebook_to_a_draft_of_its_own(workshop: Workshop, developer: Person) -> None:
    build = bring(developer, {"stars.ipynb": notebook("import humanize\nhumanize")})
    assert (build.state, build.plan["kind"]) == ("planned", "jupyter")
    assert [one["package"] for one in build.plan["proposals"]] == ["humanize"]
    start(developer, build, requirements=["humanize"])
    assert state_of(build) == "queued"
    workshop.look()
    assert state_of(build) == "building"
    end_workload(build)
    for _ in range(4):
        workshop.look()
    done = queries.builds().get(pk=build.pk)
    assert (done.state, done.number, done.cleaned) == ("built", 1, True)
    version = done.datalab_version
    assert version is not None
    assert (version.state, version.version, version.environment) == ("built", "0.1.0", "dora-nearby-stars-0")
    assert (version.datalab.slug, version.datalab.maintainer) == ("nearby-stars", developer)
    package = Path(version.package)
    assert "alternateName: nearby-stars" in (package / "datalab-meta.yml").read_text()
    states = [one.state for one in queries.changes(done)]
    assert states == ["received", "planned", "queued", "building", "checking", "built"]
    trail = set(Entry.objects.values_list("action", flat=True))
    assert trail >= {"builds.bring", "builds.queued", "builds.built", "datalabs.build", "datalabs.build-done"}


def test_a_build_knows_no_secret_of_the_platform(workshop: Workshop, developer: Person) -> None:
    build = queued(developer)
    workshop.look()
    workload = Workload.objects.get(pk=queries.builds().get(pk=build.pk).workload_id)
    assert workload_secrets(spec_of(workload)) == {}
    assert workload.held, "its log is kept until it is collected"


def test_only_so_many_at_once_and_everybody_in_turn(workshop: Workshop, developer: Person, settings: Any) -> None:
    other = make_person("emma", "developer")
    mine = [queued(developer, f"mine-{number}") for number in range(4)]
    theirs = queued(other, "theirs")
    assert queries.queue().index(theirs.pk) == 1
    workshop.look()
    assert [state_of(one) for one in (*mine, theirs)] == ["building", "queued", "queued", "queued", "building"]
    end_workload(mine[0])
    for _ in range(3):
        workshop.look()
    assert [state_of(one) for one in mine] == ["built", "building", "queued", "queued"]


def test_a_new_controller_carries_on_at_every_state(workshop: Workshop, developer: Person) -> None:
    build = queued(developer)
    again = Workshop(workshop._executor)
    again.look()
    end_workload(build)
    seen = {state_of(build)}
    for _ in range(6):
        Workshop(workshop._executor).look()
        seen.add(state_of(build))
    assert seen == {"building", "checking", "built"}


def test_a_lost_workload_fails_the_build_and_says_so(workshop: Workshop, developer: Person) -> None:
    build = queued(developer)
    workshop.look()
    end_workload(build, Phase.FAILED, reason="It was lost: the runtime no longer knows it.")
    workshop.look()
    failed = queries.builds().get(pk=build.pk)
    assert (failed.state, "lost" in failed.failure["message"]) == ("failed", True)


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ({"trouble": "out-of-memory", "exit_code": 137}, "more memory than its"),
        ({"reason": "It reached its time limit of 1800 s."}, "longer than its"),
        ({"exit_code": 1}, "no-such-thing"),
    ],
)
def test_a_failure_is_explained(
    workshop: Workshop,
    developer: Person,
    quiet_runtime: type[QuietRuntime],
    ending: dict[str, Any],
    words: str,
) -> None:
    build = bring(developer, {"a.ipynb": notebook("1"), "requirements.txt": "numpy\nno-such-thing==7\n"})
    start(developer, build)
    workshop.look()
    row = queries.builds().get(pk=build.pk)
    Workload.objects.filter(pk=row.workload_id).update(
        spec={**row.workload.spec, "deadline_seconds": 1800} if row.workload else {}
    )
    quiet_runtime.printed[row.workload_id or ""] = (
        b"STEP 1/2 +0.0s: Fetching and installing packages\n"
        b"  \xc3\x97 No solution found when resolving dependencies:\n"
        b"  \xe2\x95\xb0\xe2\x94\x80\xe2\x96\xb6 Because no-such-thing was not found in the package registry and you "
        b"require no-such-thing==7, we can conclude that your requirements are unsatisfiable.\n"
    )
    end_workload(build, Phase.FAILED, **ending)
    workshop.look()
    failed = queries.builds().get(pk=build.pk)
    assert failed.state == "failed"
    assert words in failed.failure["message"]
    assert failed.failure["advice"]
    assert failed.failure["step"] == "Fetching and installing packages"
    if "exit_code" in ending and "trouble" not in ending:
        assert (failed.failure["file"], failed.failure["line"]) == ("requirements.txt", 2)
    workshop.look()
    assert b"No solution found" in queries.log_of(build.pk), "the log outlives the workload"
    assert not queries.work_folder(build.pk).exists()


def test_who_may_author_and_what_a_scientist_is_told(workshop: Workshop, scientist: Person, operator: Person) -> None:
    for person in (scientist, operator):
        with pytest.raises(Forbidden):
            bring(person)
        with pytest.raises(Forbidden):
            actions.bring_git(by=person, url="https://example.org/a.git")
    assert not Build.objects.exists()


def test_a_dockerfile_of_ones_own_needs_its_role(workshop: Workshop, developer: Person) -> None:
    package = {"Dockerfile": OWN_DOCKERFILE, "datalab-meta.yml": META, "a.ipynb": notebook("1")}
    build = bring(developer, package)
    assert build.plan["own_dockerfile"]
    with pytest.raises(Forbidden, match="Dockerfile of its own"):
        start(developer, build)
    assert state_of(build) == "planned"
    advanced = make_person("anna", "advanced-developer")
    start(advanced, bring(advanced, package), short_name="hers")


def test_others_neither_see_nor_cancel_a_build_and_an_operator_may(
    workshop: Workshop, developer: Person, operator: Person
) -> None:
    build = queued(developer)
    other = make_person("emma", "developer")
    with pytest.raises(NotFound):
        actions.cancel(by=other, build_id=build.pk)
    with pytest.raises(NotFound):
        actions.start(by=other, build_id=build.pk, answers={})
    with pytest.raises(NotFound):
        bring(other, previous=build.pk)
    assert state_of(build) == "queued"
    actions.cancel(by=operator, build_id=build.pk)
    cancelled = queries.builds().get(pk=build.pk)
    assert (cancelled.state, cancelled.reason) == ("cancelled", "An operator cancelled it.")


def test_cancelling_stops_what_is_at_work_and_leaves_nothing(workshop: Workshop, developer: Person) -> None:
    build = queued(developer)
    workshop.look()
    work = queries.work_folder(build.pk)
    assert work.is_dir()
    actions.cancel(by=developer, build_id=build.pk)
    actions.cancel(by=developer, build_id=build.pk)
    workload = Workload.objects.get(pk=queries.builds().get(pk=build.pk).workload_id)
    assert workload.desired == "stop"
    workshop.look()
    assert work.is_dir(), "something may still write into it"
    end_workload(build, Phase.STOPPED)
    workshop.look()
    assert not work.exists()
    assert not Workload.objects.get(pk=workload.pk).held
    assert state_of(build) == "cancelled"
    assert [(one.state, one.environment) for one in DatalabVersion.objects.all()] == [("draft", "")]


def test_unfinished_builds_are_limited(workshop: Workshop, developer: Person, settings: Any) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"quota_builds": 2})
    builds = [bring(developer), bring(developer)]
    with pytest.raises(OverQuota):
        bring(developer)
    actions.cancel(by=developer, build_id=builds[0].pk)
    bring(developer)


def test_a_name_belongs_to_whoever_had_it_first(workshop: Workshop, developer: Person) -> None:
    make_datalab("jupyterlab")
    build = bring(developer)
    with pytest.raises(Invalid) as refusal:
        start(developer, build, short_name="JupyterLab")
    assert refusal.value.field == "short_name"
    queued(developer)
    other = make_person("emma", "developer")
    with pytest.raises(Invalid, match="somebody else"):
        queued(other)


def test_a_published_version_stays_as_it_is(workshop: Workshop, developer: Person) -> None:
    datalab = make_datalab("nearby-stars", version="0.1.0")
    Datalab.objects.filter(pk=datalab.pk).update(maintainer=developer)
    with pytest.raises(Invalid) as refusal:
        queued(developer)
    assert refusal.value.field == "version"
    build = start(developer, bring(developer), version="0.2.0", title="Another title")
    workshop.look()
    end_workload(build)
    for _ in range(3):
        workshop.look()
    datalab.refresh_from_db()
    assert state_of(build) == "built"
    assert datalab.title == "Nearby-stars", "a draft does not change what everybody sees"


def test_started_twice_is_queued_once(workshop: Workshop, developer: Person) -> None:
    build = queued(developer)
    with pytest.raises(Conflict):
        start(developer, build)
    with pytest.raises(Conflict, match="the version is building"):
        queued(developer)
    actions.cancel(by=developer, build_id=build.pk)
    second = queued(developer)
    assert Build.objects.get(pk=second.pk).number == 2


def test_changed_files_complete_those_before(workshop: Workshop, developer: Person) -> None:
    first = bring(developer, {"a.ipynb": notebook("1"), "requirements.txt": "nonsense-zzz\n", "datalab-meta.yml": META})
    changed = bring(developer, {"requirements.txt": "numpy\n"}, previous=first.pk)
    files = packages.folder_of(changed.package)
    assert {one.name for one in files.iterdir()} == {"a.ipynb", "requirements.txt", "datalab-meta.yml"}
    assert (files / "requirements.txt").read_text() == "numpy\n"
    assert (packages.folder_of(first.package) / "requirements.txt").read_text() == "nonsense-zzz\n"
    assert changed.previous_id == first.pk


@pytest.mark.parametrize(
    "files",
    [
        [],
        files_of({"../up.ipynb": notebook("1")}),
        files_of({"/etc/cron.d/x": "x"}),
        files_of({"a/../../b": "x"}),
        files_of({"nothing.bin": "x"}),
        [Brought("bad.zip", io.BytesIO(b"no zip"))],
        [Brought("up.zip", io.BytesIO(zip_of({"../../up.py": "x"})))],
        files_of({"datalab-meta.yml": "title: [", "a.ipynb": notebook("1")}),
        files_of({"spacelab.yml": "kind: spaceship", "a.ipynb": notebook("1")}),
        files_of({"datalab-meta.yml": META.encode("utf-16"), "a.ipynb": notebook("1")}),
    ],
    ids=["none", "dots", "absolute", "hidden dots", "nothing", "no zip", "zip slip", "yaml", "kind", "encoding"],
)
def test_what_can_not_be_taken_leaves_nothing_behind(
    workshop: Workshop, developer: Person, files: list[Brought]
) -> None:
    before = packages_kept()
    with pytest.raises(Invalid) as refusal:
        actions.bring_files(by=developer, files=files)
    assert refusal.value.message
    assert not Build.objects.exists()
    left = [one for one in packages_kept() if one.name.startswith(".")]
    assert left == []
    assert len(packages_kept()) - len(before) <= 1, "content that was read stands under its hash at most"


def test_a_zip_with_one_folder_is_taken_without_it(workshop: Workshop, developer: Person) -> None:
    packed = zip_of({"tool-main/a.ipynb": notebook("1"), "tool-main/data/b.txt": "x", "__MACOSX/._a": "junk"})
    build = bring(developer, {"tool.zip": packed})
    files = packages.folder_of(build.package)
    assert sorted(one.relative_to(files).as_posix() for one in files.rglob("*") if one.is_file()) == [
        "a.ipynb",
        "data/b.txt",
    ]


def passing(facts: BuildFacts) -> CheckResult:
    (facts.reports / "report.txt").write_text(facts.result.environment)
    return CheckResult("Contents", True, "109 packages", "report.txt")


def refusing(facts: BuildFacts) -> CheckResult:
    return CheckResult("Known vulnerabilities", False, f"{facts.slug} has one.")


def broken(facts: BuildFacts) -> CheckResult:
    raise RuntimeError(facts.slug)


@pytest.mark.parametrize(
    ("checks", "state"), [(["passing"], "built"), (["passing", "refusing"], "failed"), (["broken"], "failed")]
)
def test_checks_decide_about_what_came_out(
    workshop: Workshop, developer: Person, settings: Any, checks: list[str], state: str
) -> None:
    settings.BUILD_CHECKS = [f"{__name__}.{one}" for one in checks]
    build = queued(developer)
    workshop.look()
    end_workload(build)
    for _ in range(3):
        workshop.look()
    done = queries.builds().get(pk=build.pk)
    assert done.state == state
    assert [one["title"] for one in done.checks] == (
        [] if "broken" in checks else ["Contents", "Known vulnerabilities"][: len(checks)]
    )
    assert done.datalab_version is not None
    assert done.datalab_version.state == {"built": "built", "failed": "build-failed"}[state]
    assert done.datalab_version.changes.values_list("transition", flat=True)[0] == "build"
    if "refusing" in checks:
        assert "nearby-stars has one." in done.failure["message"]


def test_nobody_starts_a_plan_for_a_week(workshop: Workshop, developer: Person) -> None:
    build = bring(developer)
    Build.objects.filter(pk=build.pk).update(created_at=timezone.now() - timedelta(days=8))
    workshop.look()
    assert state_of(build) == "cancelled"


def test_a_change_that_must_not_be_is_a_mistake(workshop: Workshop, developer: Person) -> None:
    build = bring(developer)
    with pytest.raises(ValueError, match="does not go from"):
        actions.move(by=SYSTEM, build=build, state=State.BUILT, reason="")


def test_a_build_that_fills_the_disk_is_ended(workshop: Workshop, developer: Person, settings: Any) -> None:
    settings.SPACELAB = settings.SPACELAB.model_copy(update={"build_disk_mb": 1})
    build = queued(developer)
    workshop.look()
    (queries.work_folder(build.pk) / "large").write_bytes(b"x" * 2**21)
    workshop.look()
    row = queries.builds().get(pk=build.pk)
    assert (row.state, "may fill 1 MiB" in row.failure["message"]) == ("failed", True)
    assert row.workload is not None
    assert row.workload.desired == "stop"


def test_without_a_sandbox_builds_serve_one_person_only(
    workshop: Workshop, developer: Person, quiet_runtime: type[QuietRuntime], monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(developer)
    workshop.look()
    monkeypatch.setattr(quiet_runtime, "isolation", "none")
    bring(developer)
    with pytest.raises(Conflict, match="one person only"):
        bring(make_person("emma", "developer"))
