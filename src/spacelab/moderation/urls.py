"""Addresses of reviews."""

from __future__ import annotations

from django.urls import path

from spacelab.moderation import report_views, views

app_name = "moderation"
urlpatterns = [
    path("review/", views.queue, name="queue"),
    path("review/reports/", report_views.reports, name="reports"),
    path("review/reports/<int:report_id>/settle", report_views.settle, name="settle-report"),
    path("review/comments/<int:comment_id>/resolve", views.resolve, name="resolve"),
    path("review/<slug:slug>/<str:number>", views.review, name="review"),
    path("review/<slug:slug>/<str:number>/contents", views.contents, name="contents"),
    path("review/<slug:slug>/<str:number>/files", views.files, name="files"),
    path("review/<slug:slug>/<str:number>/comments", views.comments, name="comments"),
    path("review/<slug:slug>/<str:number>/answer", views.answer, name="answer"),
    path("review/<slug:slug>/<str:number>/checklist", views.checklist, name="checklist"),
    path("author/<slug:slug>/<str:number>/review", views.own, name="own"),
]
