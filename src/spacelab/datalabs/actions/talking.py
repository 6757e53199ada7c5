"""What people say about a datalab that they see: as feedback does it for every kind of entry."""

from __future__ import annotations

from spacelab.accounts.models import Person
from spacelab.datalabs import queries
from spacelab.datalabs.models import Datalab
from spacelab.feedback.actions import Talk


def _sees(person: Person, entry: Datalab) -> bool:
    return queries.shown_to(person).filter(pk=entry.pk).exists()


TALK = Talk(
    word="datalab",
    namespace="datalabs",
    find=queries.datalab,
    discussed=queries.discussed,
    is_discussed=queries.is_discussed,
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
