"""The web program's entry point: the edge's front, and Django behind it."""

from __future__ import annotations

import os
import resource
from typing import cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spacelab.site.settings")
django_application = get_asgi_application()

from django.conf import settings  # noqa: E402  the applications have to be loaded first

from spacelab.edge.answers import Application  # noqa: E402  as above
from spacelab.edge.front import Front  # noqa: E402  as above

# Each open stream takes two files: the usual 1024 would let one person's tabs keep everybody else out.
_, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))

application = Front(
    cast("Application", django_application),
    portal_url=settings.SPACELAB.portal_url,
    apps_domain=settings.SPACELAB.apps_domain,
    run_directory=settings.SPACELAB.run_directory,
)
