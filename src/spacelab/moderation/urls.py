"""Addresses of reviews."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from spacelab.moderation import report_views, views


def _one(prefix: str, **fixed: str) -> list[URLPattern]:
    """Return the addresses of the pages of one version under review."""
    return [
        path(prefix, views.review, fixed, name="review"),
        path(f"{prefix}/contents", views.contents, fixed, name="contents"),
        path(f"{prefix}/files", views.files, fixed, name="files"),
        path(f"{prefix}/comments", views.comments, fixed, name="comments"),
        path(f"{prefix}/answer", views.answer, fixed, name="answer"),
        path(f"{prefix}/checklist", views.checklist, fixed, name="checklist"),
    ]


app_name = "moderation"
urlpatterns = [
    path("review/", views.queue, name="queue"),
    path("review/reports/", report_views.reports, name="reports"),
    path("review/reports/<int:report_id>/settle", report_views.settle, name="settle-report"),
    path("review/comments/<int:comment_id>/resolve", views.resolve, name="resolve"),
    *_one("review/<slug:slug>/<str:number>"),
    path("author/<slug:slug>/<str:number>/review", views.own, name="own"),
]
PIPELINES: list[URLPattern | URLResolver] = [
    *_one("pipelines/reviews/<slug:slug>/<str:number>", family="pipelines"),
    path("pipelines/<slug:slug>/<str:number>/author/review", views.own, {"family": "pipelines"}, name="own"),
]
"""The same pages for pipelines and steps."""
