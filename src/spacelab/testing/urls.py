"""Addresses of launch tests: a tab of a version's authoring pages, and the pictures on its datalab's page."""

from __future__ import annotations

from django.urls import path

from spacelab.testing import views

app_name = "testing"
urlpatterns = [
    path("catalogue/<slug:slug>/versions/<str:version>/pictures/<str:name>", views.picture, name="picture"),
    path("author/<slug:slug>/<str:version>/testing", views.testing, name="author-testing"),
    path("author/<slug:slug>/<str:version>/testing/again", views.again, name="again"),
    path("author/<slug:slug>/<str:version>/testing/events", views.events, name="events"),
    path("author/<slug:slug>/<str:version>/testing/<int:evidence>/<str:name>", views.file, name="file"),
]
