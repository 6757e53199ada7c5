"""The addresses of the operators' pages about archive volumes, below /volumes/."""

from django.urls import path

from spacelab.volumes import manage_views as views

app_name = "manage-volumes"
urlpatterns = [
    path("", views.every, name="list"),
    path("declare", views.declare, name="declare"),
    path("<slug:name>/change", views.change, name="change"),
    path("<slug:name>/retire", views.retire, name="retire"),
    path("<slug:name>/bring-back", views.bring_back, name="bring-back"),
]
