"""What every template knows about the platform."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from spacelab import __version__
from spacelab.accounts.queries import permissions_of


def platform(request: HttpRequest) -> dict[str, Any]:
    """Give templates the platform's version, its settings for people, and the visitor's permissions."""
    return {
        "platform_version": __version__,
        "demo": settings.SPACELAB.demo,
        "permissions": permissions_of(request.user),
    }
