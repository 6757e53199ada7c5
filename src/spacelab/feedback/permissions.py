"""What a role may allow in feedback."""

from enum import StrEnum


class FeedbackPermission(StrEnum):
    """Permissions on bookmarks, ratings, comments and reports."""

    BOOKMARK = "feedback.bookmark"
    RATE = "feedback.rate"
    COMMENT = "feedback.comment"
    REPORT = "feedback.report"
    MODERATE = "feedback.moderate"
