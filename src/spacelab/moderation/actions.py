"""Every write of a review: its steps and decisions, ticks on the checklist, comments and answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from spacelab.accounts.models import Person
from spacelab.audit import actions as audit
from spacelab.feedback import actions as feedback
from spacelab.feedback.models import Report
from spacelab.feedback.queries import find_report
from spacelab.feedback.rules import Outcome, clean_text
from spacelab.kit.refusals import Conflict, Invalid, NotFound
from spacelab.moderation import queries, rules
from spacelab.moderation.families import Reviewed, Version, entry_named, folder_of, of, of_subject
from spacelab.moderation.models import ReviewComment, Tick
from spacelab.moderation.papers import papers_of
from spacelab.notifications import actions as notifications
from spacelab.notifications.rules import Kind
from spacelab.publishing.queries import MODERATED
from spacelab.publishing.rules import Need, State
from spacelab.publishing.rules.differences import files_of, text_of


@transaction.atomic
def decide(*, by: Person, version: Version, step: str, reason: str = "", revision: int | None) -> Version:
    """Take, give back, approve, ask for changes or reject, as a moderator who looked at this revision.

    Raises `Conflict` if the version has moved on, or if something is missing; then nothing has changed.
    """
    queries.require_moderator(by, version.family.namespace)
    if step not in rules.STEPS:
        raise Invalid(
            f"A review has no step “{step[:40]}”.", advice=f"It has {', '.join(rules.STEPS)}.", field="transition"
        )
    missing: frozenset[Need] = frozenset()
    if step == "approve":
        of(version).life.hold(version)  # no tick goes meanwhile
        missing = queries.missing_of(queries.checklist(version), papers_of(version))
    moved: Version = of(version).life.advance(
        by=by, version=version, transition=step, reason=rules.clean_reason(reason), revision=revision, lacking=missing
    )
    return moved


@transaction.atomic
def tick(*, by: Person, version: Version, points: Collection[str]) -> None:
    """Keep which points of the checklist are in order: those named, and no others. Earlier ticks keep their names.

    Raises `Conflict` unless the version is under review by somebody else than its author.
    """
    queries.require_moderator(by, version.family.namespace)
    wanted = rules.clean_points(points)
    version = of(version).life.hold(version)
    if version.entry.maintainer_id == by.pk:
        raise Conflict(Need.OTHER_EYES.value, advice="Another moderator ticks the points.")
    if version.state != State.IN_REVIEW or version.submitted_at is None:
        raise Conflict(
            f"The checklist belongs to a review, and this version is {State(version.state).words}.",
            advice="Take it for review first.",
        )
    ticks = version.ticks.filter(submitted_at=version.submitted_at)
    had = set(ticks.values_list("point", flat=True))
    ticks.exclude(point__in=wanted).delete()
    Tick.objects.bulk_create(
        Tick(**{of(version).column: version}, submitted_at=version.submitted_at, point=point, person=by)
        for point in sorted(wanted - had)
    )
    if wanted != had:
        _record(by, version, "moderation.tick", ticked=sorted(wanted - had), unticked=sorted(had - wanted))


@transaction.atomic
def comment(
    *,
    by: Person,
    version: Version,
    text: str,
    path: str = "",
    line: int | None = None,
    answers: int | None = None,
) -> ReviewComment:
    """Write a remark on a version, a file or a line, or an answer; tell the other side.

    Raises `Invalid` for a place that the files don't have, `NotFound` for anybody but its author and moderators.
    """
    version = queries.talk_about(by, version.entry.slug, version.version, version.family.namespace)
    text = clean_text(text)
    root = None
    if answers is not None:
        root = version.review_comments.filter(pk=answers, answers=None).first()
        if root is None:
            raise NotFound("There is no such remark to answer.", advice="Look at the list of comments.")
    else:
        _check_place(version, path, line)
    made = ReviewComment.objects.create(
        **{of(version).column: version},
        content_hash=version.content_hash,
        path="" if root else path,
        line=None if root else line,
        text=text,
        author=by,
        answers=root,
    )
    _record(by, version, "moderation.comment", comment=made.pk, place=made.place)
    _tell(by, version, made)
    return made


@transaction.atomic
def resolve(*, by: Person, comment_id: int, resolved: bool = True) -> ReviewComment:
    """Note that a remark is settled, or open again: a moderator does that."""
    rows = ReviewComment.objects.select_for_update(of=("self",))
    found = rows.filter(pk=comment_id, answers=None).first()
    queries.require_moderator(by, found.about.family.namespace if found else "datalabs")
    if found is None or found.about.state not in MODERATED:
        raise NotFound("There is no such remark.", advice="Look at the list of comments.")
    if bool(found.resolved_at) != resolved:
        found.resolved_at, found.resolved_by = (timezone.now(), by) if resolved else (None, None)
        found.save(update_fields=["resolved_at", "resolved_by"])
        _record(by, found.about, "moderation.resolve", comment=found.pk, resolved=resolved)
    return found


@transaction.atomic
def settle_report(*, by: Person, report_id: int, outcome: str, note: str) -> list[Report]:
    """Note what was done about a report, as a moderator; whoever reported hears it, and a comment is hidden by it.

    What is passed on reaches the maintainer with the note, and without the name of who reported. Raises `Conflict` if
    another moderator was faster, or if it is about one's own work.
    """
    about = find_report(by, report_id)
    entry, kind = entry_named(about.subject), of_subject(about.subject)
    rows = feedback.settle(
        by=by, report_id=report_id, outcome=outcome, note=note, owner=entry.maintainer if entry else None
    )
    if entry and kind and about.comment_id and outcome == Outcome.HIDDEN:
        kind.talk.hide_comment(by=by, slug=entry.slug, comment_id=about.comment_id, reason=note)
    _tell_of_report(by, entry, kind, rows)
    return rows


def _tell_of_report(by: Person, entry: Any, kind: Reviewed | None, rows: Sequence[Report]) -> None:
    """Tell those who reported what was done, and the maintainer what is passed on to her."""
    first = rows[0]
    word = kind.kind.family.word if kind else "entry"
    address = reverse(kind.kind.family.route("detail"), args=[entry.slug]) if entry and kind else ""
    for one in rows:
        if one.person and one.person.pk != by.pk:
            seen = entry is not None and kind is not None and kind.talk.sees(one.person, entry)
            notifications.tell(
                people=[one.person],
                kind=Kind.REPORT,
                title=f"Your report on {entry if seen else f'a {word}'}: {first.outcome_words}",
                text=one.note,
                url=address if seen else "",
                subject=f"report:{one.pk}",
            )
    if entry and entry.maintainer and first.outcome == Outcome.PASSED_ON:
        notifications.tell(
            people=[entry.maintainer],
            kind=Kind.REPORT,
            title=f"{entry}: {first.reason_words}",
            text=first.note,
            url=address,
            subject=first.subject,
        )


def _check_place(version: Version, path: str, line: int | None) -> None:
    """Raise `Invalid` unless the version has this file, and the file this line."""
    if not path:
        if line is not None:
            raise Invalid("A line belongs to a file.", advice="Name the file as well.", field="path")
        return
    with folder_of(version) as folder:
        file = files_of(folder).get(path) if folder else None
        lines = text_of(file)
    if file is None:
        raise Invalid(f"This version has no file “{path[:100]}”.", advice="Choose one that it has.", field="path")
    if line is None:
        return
    if lines is None or not 1 <= line <= max(len(lines), 1):
        has = f"It has {len(lines)}." if lines is not None else "It is no text, or too large: leave the line out."
        raise Invalid(f"{path} has no line {line}.", advice=has, field="line")


def _tell(by: Person, version: Version, made: ReviewComment) -> None:
    """Tell the author of a moderator's remark, and the moderators concerned of what the author writes."""
    place = [version.entry.slug, version.version]
    author = version.entry.maintainer
    title = f"{version}: {made.place or 'a comment'}"
    subject = f"{version.subject}:{version.version}"
    if author and author.pk != by.pk:
        url = reverse(f"{version.family.reviews}:own", args=place)
        notifications.tell(people=[author], kind=Kind.COMMENT, title=title, text=made.text, url=url, subject=subject)
    root = made.answers.author if made.answers else None
    asked = {one.pk: one for one in (root, version.reviewer) if one and one.pk != by.pk and one != author}
    hearers = [one for one in asked.values() if queries.may_moderate(one, version)]
    if author and author.pk == by.pk and hearers:
        url = reverse(f"{version.family.reviews}:comments", args=place)
        notifications.tell(people=hearers, kind=Kind.ANSWER, title=title, text=made.text, url=url, subject=subject)


def _record(by: Person, version: Version, action: str, **facts: object) -> None:
    audit.record(by=by, action=action, subject=version.subject, version=version.version, **facts)
