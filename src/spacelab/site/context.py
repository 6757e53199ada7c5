"""What every template knows about the platform."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from spacelab import __version__
from spacelab.accounts.queries import invitations_waiting, permissions_of


def platform(request: HttpRequest) -> dict[str, Any]:
    """Give templates the platform's version, its settings for people, the visitor's permissions and invitations."""
    return {
        "platform_version": __version__,
        "demo": settings.SPACELAB.demo,
        "permissions": permissions_of(request.user),
        "invitations_waiting": invitations_waiting(request.user),
    }
