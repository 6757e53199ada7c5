"""Which address leads to which domain."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from spacelab.moderation import urls as moderation
from spacelab.site import views
from spacelab.site.api import api, reference
from spacelab.site.health import healthz
from spacelab.site.wes import wes

handler400 = "spacelab.ui.views.bad_request"
handler403 = "spacelab.ui.views.forbidden"
handler404 = "spacelab.ui.views.not_found"
handler500 = "spacelab.ui.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("spacelab.edge.urls")),
    path("healthz", healthz, name="healthz"),
    path("", views.front, name="front"),
    path("", include("spacelab.accounts.urls")),
    path("", include("spacelab.notifications.urls")),
    path("audit/", include("spacelab.accounts.trail_urls")),
    path("api/docs", reference, name="api-reference"),
    path("api/v1/", api.urls),
    path("ga4gh/wes/v1/", wes.urls),
    path("", include("spacelab.ui.urls")),
    path("", include("spacelab.datalabs.urls")),
    path("", include("spacelab.builds.urls")),
    path("", include("spacelab.pipelines.urls")),
    path("ga4gh/trs/v2/", include("spacelab.pipelines.trs")),
    path("", include("spacelab.runs.urls")),
    path("", include("spacelab.sessions.urls")),
    path("", include((moderation.PIPELINES, "pipeline-reviews"))),
    path("", include("spacelab.moderation.urls")),
    path("", include("spacelab.testing.urls")),
    path("vocabulary/", include("spacelab.publishing.urls")),
    path("images/", include("spacelab.images.urls")),
    path("data/", include("spacelab.volumes.urls")),
    path("volumes/", include("spacelab.volumes.manage_urls")),
]
