"""What every template knows about the platform."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from spacelab import __version__
from spacelab.accounts.queries import invitations_waiting, permissions_of
from spacelab.datalabs.permissions import DatalabPermission
from spacelab.moderation.queries import waiting
from spacelab.notifications.queries import unread_count

MASTHEAD_PARTS = ("notifications/_bell.html",)
"""Templates that stand in the masthead of every page for who is signed in."""


def platform(request: HttpRequest) -> dict[str, Any]:
    """Give templates the platform's version and settings, the visitor's permissions and what waits for her."""
    permissions = permissions_of(request.user)
    return {
        "platform_version": __version__,
        "demo": settings.SPACELAB.demo,
        "permissions": permissions,
        "reviews_waiting": waiting() if DatalabPermission.MODERATE in permissions else 0,
        "invitations_waiting": invitations_waiting(request.user),
        "masthead_parts": MASTHEAD_PARTS,
        "unread_news": partial(unread_count, request.user),
    }
