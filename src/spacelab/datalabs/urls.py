"""Addresses of the app store."""

from django.urls import path

from spacelab.datalabs import views

app_name = "datalabs"
urlpatterns = [
    path("catalogue/", views.catalogue, name="catalogue"),
    path("catalogue/<slug:slug>/", views.detail, name="detail"),
    path("catalogue/<slug:slug>/icon.svg", views.icon, name="icon"),
]
