"""Pages of what people reported: the list, and what was done about one."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from spacelab.accounts.queries import signed_in
from spacelab.feedback import queries as feedback
from spacelab.feedback.rules import ReportState
from spacelab.kit.refusals import Refusal
from spacelab.moderation import actions, queries
from spacelab.moderation.families import of_subject
from spacelab.moderation.forms import SettleForm

PER_PAGE = 30


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """List what people reported: what is open, the oldest first; or with `show=settled` what was done."""
    person = signed_in(request.user)
    settled = request.GET.get("show") == "settled"
    rows = feedback.reports(person, (ReportState.SETTLED if settled else ReportState.OPEN,))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    named = queries.entries_of(one.subject for one in page)
    context = {"page": page, "settled": settled, "rows": [(one, named.get(one.subject)) for one in page]}
    return render(request, "moderation/reports.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def settle(request: HttpRequest, report_id: int) -> HttpResponse:
    """Show one report, and note what was done about it; a refusal keeps what was written."""
    person = signed_in(request.user)
    found = feedback.find_report(person, report_id)
    form = SettleForm(request.POST if request.method == "POST" else None, about_comment=found.comment_id is not None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                actions.settle_report(by=person, report_id=report_id, **form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
                status = refusal.status
                found = feedback.find_report(person, report_id)
            else:
                messages.success(request, "Settled; who reported it hears what you wrote.")
                return redirect("moderation:reports")
    entry = queries.entries_of([found.subject]).get(found.subject)
    kind = of_subject(found.subject)
    ns = kind.kind.family.namespace if kind else ""
    context = {"report": found, "entry": entry, "ns": ns, "form": form}
    return render(request, "moderation/report.html", context, status=status)
