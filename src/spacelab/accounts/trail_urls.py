"""The address of the audit trail's page."""

from __future__ import annotations

from django.urls import path

from spacelab.accounts.views import trail

app_name = "audit"

urlpatterns = [path("", trail.trail, name="trail")]
