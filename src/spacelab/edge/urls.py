"""Addresses of the edge on the portal."""

from __future__ import annotations

from django.urls import path

from spacelab.edge import views

app_name = "edge"
urlpatterns = [
    path("sessions/<str:session_id>/open", views.open_session, name="open"),
]
