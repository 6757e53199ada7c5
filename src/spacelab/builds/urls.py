"""Addresses of builds."""

from __future__ import annotations

from django.urls import path

from spacelab.builds import views

app_name = "builds"
urlpatterns = [
    path("bring", views.bring, name="bring"),
    path("builds", views.own, name="list"),
    path("builds/all", views.everybodys, name="all"),
    path("datalabs/<slug:slug>/again", views.rebuild, name="rebuild"),
    path("builds/<str:build_id>", views.detail, name="detail"),
    path("builds/<str:build_id>/start", views.start, name="start"),
    path("builds/<str:build_id>/cancel", views.cancel, name="cancel"),
    path("builds/<str:build_id>/again", views.again, name="again"),
    path("builds/<str:build_id>/events", views.events, name="events"),
    path("builds/<str:build_id>/log", views.log, name="log"),
    path("builds/<str:build_id>/reports/<str:name>", views.report, name="report"),
]
