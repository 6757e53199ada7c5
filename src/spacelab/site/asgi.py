"""The web program's entry point: the edge's front, and Django behind it."""

from __future__ import annotations

import os
from typing import cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spacelab.site.settings")
django_application = get_asgi_application()

from django.conf import settings  # noqa: E402  the applications have to be loaded first

from spacelab.edge.answers import Application  # noqa: E402  as above
from spacelab.edge.front import Front  # noqa: E402  as above

application = Front(
    cast("Application", django_application),
    portal_url=settings.SPACELAB.portal_url,
    apps_domain=settings.SPACELAB.apps_domain,
    run_directory=settings.SPACELAB.run_directory,
)
