"""Addresses of builds."""

from __future__ import annotations

from django.urls import path

from spacelab.builds import author_views, deriving_views, views

app_name = "builds"
urlpatterns = [
    path("bring", views.bring, name="bring"),
    path("builds", views.own, name="list"),
    path("builds/all", views.everybodys, name="all"),
    path("datalabs/<slug:slug>/again", views.rebuild, name="rebuild"),
    path("datalabs/<slug:slug>/derive", deriving_views.derive, name="derive"),
    path("builds/<str:build_id>", views.detail, name="detail"),
    path("builds/<str:build_id>/start", views.start, name="start"),
    path("builds/<str:build_id>/cancel", views.cancel, name="cancel"),
    path("builds/<str:build_id>/again", views.again, name="again"),
    path("builds/<str:build_id>/events", views.events, name="events"),
    path("builds/<str:build_id>/log", views.log, name="log"),
    path("builds/<str:build_id>/reports/<str:name>", views.report, name="report"),
    path("author/<slug:slug>/<str:version>/files", author_views.files, name="author-files"),
    path("author/<slug:slug>/<str:version>/files/edit", author_views.edit, name="author-file"),
    path("author/<slug:slug>/<str:version>/files/content", author_views.content, name="author-content"),
    path("author/<slug:slug>/<str:version>/files/move", author_views.move_file, name="author-move"),
    path("author/<slug:slug>/<str:version>/build", author_views.build, name="author-build"),
]
