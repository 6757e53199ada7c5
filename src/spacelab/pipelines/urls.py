"""Addresses of pipelines and steps."""

from __future__ import annotations

from django.urls import path
from django.views.decorators.http import require_safe

from spacelab.pipelines import author_views, import_views, views
from spacelab.pipelines.editor_urls import EDITOR
from spacelab.pipelines.shared_pages import FEEDBACK, PAGES

app_name = "pipelines"
AUTHOR = "pipelines/<slug:slug>/<str:version>/author/"
urlpatterns = [
    path("pipelines/", views.pipelines, name="catalogue"),
    path("pipelines/steps/", views.steps, name="steps"),
    path("pipelines/new", author_views.new, name="new"),
    path("pipelines/mine/", require_safe(PAGES.own), name="author-list"),
    path("pipelines/imports/<str:import_id>", import_views.show, name="import"),
    path("pipelines/imports/<str:import_id>/cancel", import_views.cancel, name="import-cancel"),
    *EDITOR,
    path("pipelines/<slug:slug>/", views.detail, name="detail"),
    path("pipelines/<slug:slug>/compare", views.compare, name="compare"),
    *FEEDBACK.urls("pipelines/<slug:slug>/"),
    path("pipelines/<slug:slug>/<str:version>/files/<path:path>", author_views.content, name="file"),
    path("pipelines/<slug:slug>/<str:version>/export/<str:name>", author_views.export, name="export"),
    path(
        "pipelines/<slug:slug>/<str:version>/metadata/<str:format_name>",
        require_safe(PAGES.export_metadata),
        name="metadata-export",
    ),
    path(f"{AUTHOR}files", author_views.files, name="author-files"),
    path(f"{AUTHOR}file", author_views.file, name="author-file"),
    path(f"{AUTHOR}remove", author_views.remove, name="author-remove"),
    path(f"{AUTHOR}main", author_views.choose_main, name="author-main"),
    path(f"{AUTHOR}testing", author_views.testing, name="author-testing"),
    *PAGES.urls(AUTHOR),
]
