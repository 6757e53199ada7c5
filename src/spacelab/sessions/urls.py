"""Addresses of sessions."""

from __future__ import annotations

from django.urls import path

from spacelab.sessions import link_views, saving_views, step_views, views

app_name = "lab_sessions"
urlpatterns = [
    path("datalabs/<slug:slug>/launch", views.launch, name="launch"),
    path("datalabs/<slug:slug>/relaunch", views.relaunch, name="relaunch"),
    path("datalabs/<slug:slug>/threads/<str:name>", views.thread, name="thread"),
    path("launch/<slug:slug>", link_views.launch_link, name="launch-link"),
    path("launch/<slug:slug>/badge.svg", link_views.badge, name="badge"),
    path("open", link_views.open_with, name="open-with"),
    path("runs/<str:run_id>/open", step_views.open_job, name="open-job"),
    path("sessions", views.own, name="list"),
    path("sessions/all", views.everybodys, name="all"),
    path("sessions/<str:session_id>", views.detail, name="detail"),
    path("sessions/<str:session_id>/events", views.events, name="events"),
    path("sessions/<str:session_id>/log", views.log, name="log"),
    path("sessions/<str:session_id>/save", saving_views.save, name="save"),
    path("sessions/<str:session_id>/stop", views.stop, name="stop"),
    path("sessions/<str:session_id>/restart", views.restart, name="restart"),
    path("sessions/<str:session_id>/extend", views.extend, name="extend"),
    path("sessions/<str:session_id>/rename", views.rename, name="rename"),
]
