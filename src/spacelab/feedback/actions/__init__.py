"""Every write to feedback; whether somebody sees what it is about, the domain that owns that has asked before."""

from spacelab.feedback.actions.marking import bookmark, forget, rate
from spacelab.feedback.actions.reporting import report, settle
from spacelab.feedback.actions.talk import Talk
from spacelab.feedback.actions.writing import comment, edit, hide, take_back

__all__ = ["Talk", "bookmark", "comment", "edit", "forget", "hide", "rate", "report", "settle", "take_back"]
