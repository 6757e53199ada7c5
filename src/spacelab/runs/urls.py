"""Addresses of runs."""

from __future__ import annotations

from django.urls import path

from spacelab.runs import views

app_name = "runs"
urlpatterns = [
    path("runs/", views.listing, name="list"),
    path("runs/events", views.list_events, name="list-events"),
    path("runs/<str:run_id>/", views.detail, name="detail"),
    path("runs/<str:run_id>/events", views.events, name="events"),
    path("runs/<str:run_id>/jobs", views.jobs, name="jobs"),
    path("runs/<str:run_id>/job", views.job, name="job"),
    path("runs/<str:run_id>/log", views.log, name="log"),
    path("runs/<str:run_id>/stop", views.stop, name="stop"),
    path("runs/<str:run_id>/pause", views.pause, name="pause"),
    path("runs/<str:run_id>/unpause", views.unpause, name="unpause"),
    path("runs/<str:run_id>/resume", views.resume, name="resume"),
    path("runs/<str:run_id>/rename", views.rename, name="rename"),
    path("runs/<str:run_id>/delete", views.delete, name="delete"),
]
