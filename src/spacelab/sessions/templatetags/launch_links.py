"""The launch link on a datalab's page."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse

from spacelab.datalabs.models import Datalab
from spacelab.datalabs.queries import is_published
from spacelab.sessions.links import snippets

register = template.Library()


@register.inclusion_tag("sessions/_link.html")
def launch_link(datalab: Datalab) -> dict[str, Any]:
    """Show the link with its badge in the languages of other pages; nothing for what is not for everybody."""
    if not is_published(datalab):
        return {}
    portal = settings.SPACELAB.portal_url
    link, badge = (portal + reverse(f"lab_sessions:{name}", args=[datalab.slug]) for name in ("launch-link", "badge"))
    return {"datalab": datalab, "parts": snippets(title=datalab.title, link=link, badge=badge)}
