"""The domain of what people say about what they find: bookmarks, ratings, comments, reports."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """Registers the domain with Django."""

    name = "spacelab.feedback"
    label = "feedback"
