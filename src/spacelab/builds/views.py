"""Pages of builds: bring an application, its plan, its build with steps and log, and the lists of builds."""

from __future__ import annotations

import io
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import may, require, signed_in
from spacelab.builds import actions, live, packages, planning, progress, queries
from spacelab.builds.forms import GitForm, StartForm, UploadForm, brought
from spacelab.builds.models import Build
from spacelab.builds.packages import MOST_FILES
from spacelab.builds.permissions import BuildPermission
from spacelab.builds.rules import State
from spacelab.datalabs.queries import may_author, require_author
from spacelab.kit import sse
from spacelab.kit.files import attachment
from spacelab.kit.refusals import Invalid, NotFound, NotSignedIn, Refusal
from spacelab.workloads.queries import capabilities, controller_is_running

PER_PAGE = 30


@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest) -> HttpResponse:
    """Take in a notebook, files, a folder, a zip or a Git address; a refusal stands at its field."""
    person = signed_in(request.user)
    require_author(person)
    previous = request.GET.get("change", "")
    earlier = queries.find_own(person, previous) if previous else None
    if request.method == "POST" and earlier and "text" in request.POST:
        return _rewritten(request, person, earlier)
    by_git = "git_url" in request.POST
    known = {"git_url": earlier.git_url, "git_ref": earlier.git_ref} if earlier else None
    upload = UploadForm(*((request.POST, request.FILES) if request.method == "POST" and not by_git else ()))
    git = GitForm(request.POST if by_git else None, initial=known)
    status = 200
    if request.method == "POST":
        form = git if by_git else upload
        status = 422
        if form.is_valid():
            try:
                build = _bring(person, form, previous)
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                return redirect("builds:detail", build.pk)
    context = {
        "upload": upload,
        "git": git,
        "earlier": earlier,
        "texts": packages.texts(earlier.package) if earlier and earlier.package else {},
        "at_fault": earlier.failure.get("file", "") if earlier else "",
        "recent": queries.of_person(person)[:5],
        "images": capabilities().images,
        "upload_mb": settings.SPACELAB.build_upload_mb,
        "most_files": MOST_FILES,
    }
    return render(request, "builds/bring.html", context, status=status)


def _rewritten(request: HttpRequest, person: Person, earlier: Build) -> HttpResponse:
    """Take a file that was changed on the page itself."""
    name, text = request.POST.get("name", ""), request.POST["text"].replace("\r\n", "\n")
    if name not in packages.EDITED:
        raise Invalid(f"“{name[:60]}” is not changed here.", advice="Upload it instead.", field="files")
    file = packages.Brought(name, io.BytesIO(text.encode()))
    build = actions.bring_files(by=person, files=[file], previous=earlier.pk)
    return redirect("builds:detail", build.pk)


def _bring(person: Person, form: UploadForm | GitForm, previous: str) -> Build:
    given = form.cleaned_data
    if isinstance(form, GitForm):
        return actions.bring_git(by=person, url=given["git_url"], ref=given["git_ref"], previous=previous)
    return actions.bring_files(by=person, files=brought(given["upload"], given["paths"]), previous=previous)


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """List the person's builds, newest first."""
    person = signed_in(request.user)
    page = Paginator(queries.of_person(person), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "sees_all": BuildPermission.MANAGE_ANY, "authors": may_author(person)}
    return render(request, "builds/list.html", context)


@require_safe
def everybodys(request: HttpRequest) -> HttpResponse:
    """List everybody's builds, for operators."""
    require(signed_in(request.user), BuildPermission.MANAGE_ANY)
    page = Paginator(queries.builds(), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "builds/all.html", {"page": page})


@require_safe
def detail(request: HttpRequest, build_id: str) -> HttpResponse:
    """Show one build: its plan with what is to be answered, or its steps and its log."""
    person = signed_in(request.user)
    build = queries.find_seen(person, build_id)
    if build.state == State.PLANNED:
        return _show_plan(request, build, person)
    context = {**progress.context_of(build, person), "controller_runs": controller_is_running()}
    return render(request, "builds/detail.html", context)


def _show_plan(
    request: HttpRequest, build: Build, person: Person, form: StartForm | None = None, status: int = 200
) -> HttpResponse:
    proposals = build.plan.get("proposals", [])
    if form is None:
        taken = build.answers.get("requirements")
        offered = [one["package"] for one in proposals if one["package"]]
        initial: dict[str, Any] = {
            **planning.suggestions(build, build.person),
            "requirements": offered if taken is None else [one for one in offered if one in taken],
            "more": "\n".join(one for one in taken or [] if one not in offered),
            "path": build.plan.get("interface", {}).get("path", "/"),
        }
        form = _start_form(build, initial=initial)
    context = {
        "build": build,
        "form": form,
        "mine": build.person_id == person.pk,
        "badge": progress.badge_of(build),
        "images": capabilities().images,
        "unknown": [one["reason"] for one in proposals if not one["package"]],
    }
    return render(request, "builds/plan.html", context, status=status)


def _start_form(build: Build, *args: Any, **kwargs: Any) -> StartForm:
    """Make the form of a plan; where JupyterLab opens is its own affair."""
    plan = build.plan
    by_itself = plan.get("kind") == "jupyter" and not plan.get("command")
    return StartForm(*args, proposals=plan.get("proposals", []), interface=not by_itself, **kwargs)


@require_POST
def start(request: HttpRequest, build_id: str) -> HttpResponse:
    """Start a planned build with what was answered."""
    person = signed_in(request.user)
    build = queries.find_own(person, build_id)
    if build.state != State.PLANNED:  # pressed twice, or on a page that the Back button brought
        return redirect("builds:detail", build_id)
    form = _start_form(build, request.POST)
    status = 422
    if form.is_valid():
        try:
            actions.start(by=person, build_id=build_id, answers=form.answers())
        except Refusal as refusal:
            form.refuse(refusal)
            status = refusal.status
        else:
            return redirect("builds:detail", build_id)
    return _show_plan(request, build, person, form, status)


@require_POST
def rebuild(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a version built again that is not on this machine any more."""
    person = signed_in(request.user)
    build = actions.build_again(by=person, version=queries.find_version(person, slug, request.POST.get("version", "")))
    if build.person_id == person.pk or may(person, BuildPermission.MANAGE_ANY):
        return redirect("builds:detail", build.pk)
    return redirect("lab_sessions:launch", slug)


@require_POST
def cancel(request: HttpRequest, build_id: str) -> HttpResponse:
    """Cancel a build."""
    build = actions.cancel(by=signed_in(request.user), build_id=build_id)
    return redirect("builds:detail", build.pk)


@require_POST
def again(request: HttpRequest, build_id: str) -> HttpResponse:
    """Go back to the plan of a build that has ended."""
    build = actions.again(by=signed_in(request.user), build_id=build_id)
    return redirect("builds:detail", build.pk)


async def events(request: HttpRequest, build_id: str) -> StreamingHttpResponse:
    """Stream the pieces of a build's page."""
    person = await request.auser()
    if not isinstance(person, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in.")
    await sse.in_pool(queries.find_seen)(person, build_id)
    return sse.response(live.page_stream(person.pk, build_id, get_token(request)))


@require_safe
def log(request: HttpRequest, build_id: str) -> HttpResponse:
    """Send a build's log as text."""
    build = queries.find_seen(signed_in(request.user), build_id)
    headers = {"Content-Disposition": f'inline; filename="build-{build.pk}.log"', "Cache-Control": "no-store"}
    return HttpResponse(queries.log_of(build.pk), content_type="text/plain; charset=utf-8", headers=headers)


@require_safe
def report(request: HttpRequest, build_id: str, name: str) -> HttpResponseBase:
    """Hand out a report that one of a build's checks wrote, to whoever may see the build."""
    build = queries.find_seen(signed_in(request.user), build_id)
    file = queries.build_folder(build.pk) / "reports" / name
    if name not in {one.get("report_file") for one in build.checks if one.get("report_file")} or not file.is_file():
        raise NotFound("There is no such report.", advice="Look at the build's checks.")
    return attachment(request, file.open("rb"), f"{build.slug}-{name}", "application/json")
