"""What people do with builds: bring a package or name a repository, start, change and build again, cancel."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.builds import form_terms, origins, packages, planning, queries, rules
from spacelab.builds.actions.following import move
from spacelab.builds.models import Build, BuildChange, ShortName
from spacelab.builds.packages import Brought
from spacelab.builds.rules import FINAL, State
from spacelab.datalabs import actions as datalab_actions
from spacelab.datalabs.models import Datalab
from spacelab.datalabs.queries import may_author, require_author
from spacelab.datalabs.rules import KEPT
from spacelab.kit.ids import new_id
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, OverQuota, Unavailable
from spacelab.repositories import rules as repositories
from spacelab.workloads import actions as workload_actions
from spacelab.workloads.models import Workload
from spacelab.workloads.queries import capabilities


def allow(by: Person) -> None:
    """Check the right to author, the disk, and the quota of unfinished builds."""
    require_author(by)
    free = shutil.disk_usage(settings.SPACELAB.state).free // 2**20
    if free < settings.SPACELAB.disk_reserve_mb:
        raise Unavailable(
            f"The platform's disk has only {free} MiB left, so nothing can be brought.", advice="Tell an operator."
        )
    if capabilities().isolation == "none" and Workload.objects.exclude(owner=by).exists():
        raise Conflict(
            "Builds can't be kept apart on this host, so it serves one person only, and somebody else has begun.",
            advice="Ask the operator to install bubblewrap; `spacelab doctor` says what the host lacks.",
        )
    most = settings.SPACELAB.quota_builds
    if queries.unfinished(by) >= most:
        raise OverQuota(
            f"You have {most} builds that are not finished, and may have no more at once.",
            advice="Wait for one, or cancel one in the list of your builds.",
        )


def bring_files(
    *, by: Person, files: Sequence[Brought], previous: str = "", answers: Mapping[str, Any] | None = None
) -> Build:
    """Take in files, a folder or a zip, and plan how they are built. The build then waits for `start`.

    With `previous`, one of the person's own builds, the files replace or complete that one's.
    Raises `Invalid` for files that can't be taken or planned; then nothing is kept of them.
    """
    allow(by)
    earlier = queries.find_own(by, previous) if previous else None
    over = _files_of(earlier) if earlier and earlier.package else None
    with packages.staging() as folder:
        package = packages.take_in(files, folder, over=over)
    given = {**(earlier.answers if earlier else {}), **(answers or {})}
    planned = planning.plan(package, given)
    words = rules.words_of([one.path for one in files])
    with transaction.atomic():
        build = create(by, source="upload", brought=words[:200], previous=earlier, answers=given, package=package)
        move(by=by, build=build, state=State.PLANNED, reason="Ready to be built.", **planned.row())
    return build


def _files_of(build: Build) -> Path:
    """Return the folder of a build's files; raise `Conflict` once they were removed."""
    if not queries.is_package_kept(build):
        raise Conflict("The files of this build are not kept any more.", advice="Bring them again.", field="files")
    return queries.package_folder(build.package)


def bring_git(
    *, by: Person, url: str, ref: str = "", previous: str = "", answers: Mapping[str, Any] | None = None
) -> Build:
    """Have a public Git repository fetched, at a branch, tag or commit, to be planned once it is there.

    Raises `Invalid` for an address that is not http(s), or lies inside the platform's own network.
    """
    allow(by)
    earlier = queries.find_own(by, previous) if previous else None
    platform = settings.SPACELAB
    address = repositories.check_git_url(url, blocked=platform.egress_blocked, allowed=platform.egress_allowed)
    wanted = repositories.check_git_ref(ref)
    given = {**(earlier.answers if earlier else {}), **(answers or {})}
    words = f"{address.rstrip('/').rsplit('/', 1)[-1].removesuffix('.git')} from Git"
    with transaction.atomic():
        return create(
            by, source="git", brought=words[:200], previous=earlier, answers=given, git_url=address, git_ref=wanted
        )


def create(by: Person, **values: Any) -> Build:
    """Make the row of what was brought, with its first change and the trail."""
    build = Build.objects.create(id=new_id(), person=by, **values)
    told = "The files are here." if build.source == "upload" else "Waiting to be fetched."
    BuildChange.objects.create(build=build, state=State.RECEIVED, reason=told)
    audit.record(
        by=by,
        action="builds.bring",
        subject=f"build:{build.pk}",
        source=build.source,
        brought=build.brought,
        url=build.git_url,
        package=build.package,
    )
    return build


def again(*, by: Person, build_id: str) -> Build:
    """Plan an ended build once more, with its files and answers as they were: what undoes a cancelled one.

    Raises `Conflict` for one that has not ended, or of which no files came.
    """
    allow(by)
    earlier = queries.find_own(by, build_id)
    if State(earlier.state) not in FINAL or not earlier.package:
        raise Conflict("There is no plan to go back to.", advice="Look at the build's page, or bring the files again.")
    _files_of(earlier)
    kept = {name: getattr(earlier, name) for name in ("source", "brought", "git_url", "git_ref", "git_commit")}
    planned = planning.plan(earlier.package, earlier.answers)
    with transaction.atomic():
        build = create(by, **kept, previous=earlier, answers=earlier.answers, package=earlier.package)
        move(by=by, build=build, state=State.PLANNED, reason="Ready to be built.", **planned.row())
    return build


def start(*, by: Person, build_id: str, answers: Mapping[str, Any]) -> Build:
    """Queue a planned build with the person's answers; raise `Invalid` naming the field that lacks something.

    The metadata that she gave, here or since the last build, become part of the package, so that it is complete.
    """
    require_author(by)
    build = queries.find_own(by, build_id)
    if build.state != State.PLANNED:
        raise Conflict("This build has been started already.", advice="Look at its page.")
    changed = form_terms.changes(build)
    given = {**build.answers, **form_terms.as_answers(changed), **answers}
    path = rules.check_path(given.pop("path", ""))
    opens_at = build.plan.get("interface", {}).get("path", "/")
    described = packages.described(build.package, changed)
    package = packages.completed(described, {**given, "path": path if path != opens_at else ""})
    planned = planning.plan(package, given)
    manifest = planned.manifest
    if manifest is None:
        raise planned.lacking or Invalid("The package's metadata are not complete.", advice="Fill in the form.")
    if planned.plan.own_dockerfile and not may_author(by, dockerfile=True):
        raise Forbidden(
            "The package has a Dockerfile of its own, which needs the role of an advanced developer.",
            advice="Ask an operator for that role, or remove the Dockerfile: most packages don't need one.",
        )
    origin = None if planned.plan.own_dockerfile else origins.allowed_origin(by, manifest)
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=by.pk)
        _claim(by, manifest.slug, manifest.version)
        number = next_number(by, manifest.slug)
        build.package = package
        queries.builder().check(planning.order_of(build, planned, number=number, origin=origin))
        version = datalab_actions.open_version(
            by=by,
            manifest=manifest,
            package_dir=packages.folder_of(package),
            content_hash=package,
            derived_from=origin,
        )
        values = {**planned.row(), "answers": given, "package": package, "number": number}
        values["datalab_version_id"] = version.pk
        if not move(by=by, build=build, state=State.QUEUED, reason="Waiting for its turn.", **values):
            raise Conflict("This build has been started already.", advice="Look at its page.")
    return build


def next_number(person: Person, slug: str) -> int:
    """Return the number of the person's next build of a datalab; whoever asks has locked her row."""
    return 1 + (Build.objects.filter(person=person, slug=slug).aggregate(last=Max("number"))["last"] or 0)


def _claim(by: Person, slug: str, version: str) -> None:
    """Take the short name; raise unless it is free or the person's own, and the version not published already.

    Whoever else asks for the name at the same time waits here for this transaction's end, and then finds it taken.
    """
    held, _ = ShortName.objects.select_for_update().get_or_create(slug=slug, defaults={"person": by})
    datalab = Datalab.objects.filter(slug=slug).first()
    others = Build.objects.filter(slug=slug).exclude(person=by).exclude(state__in=[State.FAILED, State.CANCELLED])
    if (datalab is not None and datalab.maintainer_id != by.pk) or (datalab is None and others.exclude(number=None)):
        raise Invalid(
            f"There is a datalab “{slug}” of somebody else.", advice="Choose another short name.", field="short_name"
        )
    if datalab and datalab.versions.filter(version=version, state__in=KEPT).exists():
        raise Invalid(
            f"Version {version} of “{slug}” is published already.", advice="Choose a higher version.", field="version"
        )
    if held.person_id != by.pk:
        ShortName.objects.filter(pk=slug).update(person=by)  # whoever had it gave it up: all her builds of it failed


def cancel(*, by: Person, build_id: str) -> Build:
    """End a build: by its person, or by an operator; one that has ended stays as it is."""
    build = queries.find_seen(by, build_id)
    if State(build.state) in FINAL:
        return build
    reason = "An operator cancelled it."
    if build.person_id == by.pk:
        reason = "You discarded this plan." if build.state == State.PLANNED else "You cancelled it."
    with transaction.atomic():
        if move(by=by, build=build, state=State.CANCELLED, reason=reason) and build.workload_id:
            workload_actions.request_stop(by=by, workload_id=build.workload_id, reason="The build was cancelled.")
    return queries.find_seen(by, build_id)
