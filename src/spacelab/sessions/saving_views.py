"""The page that makes a datalab of what somebody installed and wrote in a session."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from spacelab.accounts.queries import signed_in
from spacelab.datalabs.queries import require_author
from spacelab.kit.refusals import Conflict, Refusal
from spacelab.sessions import actions, queries, saving
from spacelab.sessions.forms import SaveForm


@require_http_methods(["GET", "HEAD", "POST"])
def save(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show what would become of a session, ask for names and notebooks, and plan the draft."""
    person = signed_in(request.user)
    require_author(person)
    session = queries.find_own(person, session_id)
    if session.version is None:
        raise Conflict(f"{session.version_name} was deleted by its author.", advice="Nothing can be built on it.")
    found, offered = saving.personal_packages(session), saving.offered_notebooks(person)
    form = SaveForm(
        request.POST if request.method == "POST" else None,
        notebooks=offered,
        initial={"title": session.title, "short_name": f"{session.datalab_slug[:50]}-{person.username}"[:60]},
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                build = actions.save_as_datalab(by=person, session_id=session_id, **form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                return redirect("builds:detail", build.pk)
    context = {
        "session": session,
        "form": form,
        "found": found,
        "lines": [found.pins[name] for name in sorted(found.pins)],
        "most": saving.MOST_NOTEBOOKS,
        "most_mb": saving.LARGEST_NOTEBOOK // 2**20,
    }
    return render(request, "sessions/save.html", context, status=status)
