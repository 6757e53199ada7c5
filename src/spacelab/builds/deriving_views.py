"""The page on which a developer begins a draft that is derived from another datalab's version."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from spacelab.accounts.queries import signed_in
from spacelab.builds import actions, queries
from spacelab.builds.forms import DeriveForm
from spacelab.datalabs.queries import require_author
from spacelab.kit.refusals import Refusal
from spacelab.workloads.queries import capabilities


@require_http_methods(["GET", "HEAD", "POST"])
def derive(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for the names of the new datalab, and plan it on the version that the address names."""
    person = signed_in(request.user)
    require_author(person)
    version = queries.find_launchable(person, slug, request.GET.get("version", ""))
    known = {"title": f"{version.datalab.title}, derived"[:120], "short_name": f"{slug[:50]}-derived"}
    form = DeriveForm(request.POST if request.method == "POST" else None, initial=known, label_suffix="")
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                build = actions.derive(by=person, version=version, **form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                return redirect("builds:detail", build.pk)
    context = {"version": version, "datalab": version.datalab, "form": form, "images": capabilities().images}
    return render(request, "builds/derive.html", context, status=status)
