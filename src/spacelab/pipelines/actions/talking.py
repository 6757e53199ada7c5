"""What people say about a pipeline that they see: as feedback does it for every kind of entry."""

from __future__ import annotations

from spacelab.accounts.models import Person
from spacelab.feedback.actions import Talk
from spacelab.pipelines import queries
from spacelab.pipelines.models import Pipeline


def _sees(person: Person, entry: Pipeline) -> bool:
    return queries.shown_to(person).filter(pk=entry.pk).exists()


TALK = Talk(
    word="pipeline",
    namespace="pipelines",
    find=queries.pipeline,
    discussed=queries.discussed,
    is_discussed=queries.is_published,
    subject_of=queries.subject_of,
    sees=_sees,
)
bookmark = TALK.bookmark
rate = TALK.rate
comment = TALK.comment
edit_comment = TALK.edit_comment
take_back_comment = TALK.take_back_comment
hide_comment = TALK.hide_comment
report = TALK.report
