"""The addresses of the keyword picker, below /vocabulary/."""

from django.urls import path

from spacelab.publishing import views

app_name = "publishing"
urlpatterns = [
    path("suggestions", views.suggestions, name="suggestions"),
    path("pick", views.pick, name="pick"),
]
