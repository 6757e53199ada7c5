"""The addresses of the operators' pages about images and environments, below /images/."""

from __future__ import annotations

from django.urls import path

from spacelab.images import views

app_name = "images"
urlpatterns = [
    path("", views.every, name="list"),
    path("<str:key>", views.detail, name="detail"),
    path("<str:key>/look-up", views.look_up, name="look-up"),
    path("<str:key>/<str:kind>.json", views.paper, name="paper"),
]
