"""The addresses of the data pages, below /data/."""

from django.urls import path

from spacelab.volumes import views

app_name = "volumes"
urlpatterns = [
    path("", views.archive_list, name="list"),
    path("<slug:name>", views.detail, name="detail"),
    path("<slug:name>/files/<path:inside>", views.file, name="file"),
]
