"""Addresses of reviews."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from spacelab.moderation import report_views, views

ONE = [
    path("", views.review, name="review"),
    path("/contents", views.contents, name="contents"),
    path("/files", views.files, name="files"),
    path("/comments", views.comments, name="comments"),
    path("/answer", views.answer, name="answer"),
    path("/checklist", views.checklist, name="checklist"),
]
"""The pages of one version under review."""
app_name = "moderation"
urlpatterns = [
    path("review/", views.queue, name="queue"),
    path("review/reports/", report_views.reports, name="reports"),
    path("review/reports/<int:report_id>/settle", report_views.settle, name="settle-report"),
    path("review/comments/<int:comment_id>/resolve", views.resolve, name="resolve"),
    path("review/<slug:slug>/<str:number>", include(ONE)),
    path("author/<slug:slug>/<str:number>/review", views.own, name="own"),
]
PIPELINES: list[URLPattern | URLResolver] = [
    path("pipelines/reviews/<slug:slug>/<str:number>", include(ONE), {"family": "pipelines"}),
    path("pipelines/<slug:slug>/<str:number>/author/review", views.own, {"family": "pipelines"}, name="own"),
]
"""The same pages for pipelines and steps."""
