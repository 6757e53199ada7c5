"""Addresses of the look itself."""

from django.urls import path

from spacelab.ui import views

app_name = "ui"
urlpatterns = [
    path("theme", views.theme, name="theme"),
    path("styleguide", views.styleguide, name="styleguide"),
]
