"""Reports: made by anybody who may, settled by moderators."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require
from spacelab.audit import actions as audit
from spacelab.feedback import queries, rules
from spacelab.feedback.actions.marking import locked
from spacelab.feedback.models import Report
from spacelab.feedback.permissions import FeedbackPermission
from spacelab.kit.refusals import Conflict, NotFound, TooMany


@transaction.atomic
def report(*, by: Person, subject: str, reason: str, text: str = "", comment_id: int | None = None) -> Report:
    """Tell the moderators that something is wrong with an entry, or with a comment on it.

    Raises `Conflict` while an earlier report of the same person about the same is open, `Invalid` for a reason that
    does not fit, or for “something else” without words.
    """
    require(by, FeedbackPermission.REPORT)
    why = rules.clean_reason(reason, comment=comment_id is not None)
    words = rules.clean_text(text, what="What you report", longest=rules.LONGEST_NOTE, needed=why is rules.Reason.OTHER)
    locked(subject)
    about = queries.find_comment(subject, comment_id) if comment_id is not None else None
    if about is not None and about.deleted_at:
        raise NotFound("There is no such comment.", advice="Its author has taken it back.")
    if about is not None and about.author_id == by.pk:
        raise Conflict("This is your own comment.", advice="Change it, or take it back.")
    mine = Report.objects.filter(person=by)
    if mine.filter(subject=subject, comment=about, state=rules.ReportState.OPEN).exists():
        raise Conflict("You have reported this already.", advice="You will hear what the moderators say.")
    if mine.filter(at__gt=timezone.now() - timedelta(hours=1)).count() >= rules.MOST_REPORTS_AN_HOUR:
        raise TooMany(f"You have made {rules.MOST_REPORTS_AN_HOUR} reports within an hour.", advice="Come back later.")
    quoted = about.text if about else ""
    made = Report.objects.create(subject=subject, comment=about, quoted=quoted, reason=why, text=words, person=by)
    audit.record(by=by, action="feedback.report", subject=subject, report=made.pk, reason=why, comment=comment_id)
    return made


@transaction.atomic
def settle(*, by: Person, report_id: int, outcome: str, note: str, owner: Person | None) -> list[Report]:
    """Note what was done about a report; return all that this settles: every open one about the same comment.

    `owner` maintains what it is about, and can't settle it. Raises `Conflict` if it is settled, or concerns oneself.
    """
    require(by, FeedbackPermission.MODERATE)
    found = queries.find_report(by, report_id)
    done = rules.clean_outcome(outcome, comment=found.comment_id is not None)
    words = rules.clean_text(note, what="The note", field="note", longest=rules.LONGEST_NOTE)
    if by.pk in {owner.pk if owner else None, found.comment.author_id if found.comment else None}:
        raise Conflict("Nobody settles a report about her own work.", advice="Another moderator does.")
    same = Report.objects.select_for_update(of=("self",)).filter(state=rules.ReportState.OPEN)
    same = same.filter(comment=found.comment_id) if found.comment_id else same.filter(pk=found.pk)
    rows = list(same.select_related("person", "comment__author").order_by("pk"))
    if found.pk not in {one.pk for one in rows}:
        raise Conflict("This report is settled already.", advice="Look at what was done.")
    for one in rows:
        one.state, one.outcome, one.note = rules.ReportState.SETTLED, done, words
        one.settled_by, one.settled_at = by, timezone.now()
        one.save(update_fields=["state", "outcome", "note", "settled_by", "settled_at"])
        audit.record(by=by, action="feedback.settle", subject=one.subject, report=one.pk, outcome=done, note=words)
    return rows
