"""The domain of what is written, reviewed, published and archived, whatever it is."""

from django.apps import AppConfig


class PublishingConfig(AppConfig):
    """Registers the domain; its models are abstract."""

    name = "spacelab.publishing"
    label = "publishing"
