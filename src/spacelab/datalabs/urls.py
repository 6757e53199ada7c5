"""Addresses of the app store."""

from django.urls import path
from django.views.decorators.http import require_safe

from spacelab.datalabs import views
from spacelab.datalabs.shared_pages import FEEDBACK, PAGES

app_name = "datalabs"
urlpatterns = [
    path("catalogue/", views.catalogue, name="catalogue"),
    path("catalogue/<slug:slug>/", views.detail, name="detail"),
    path("catalogue/<slug:slug>/icon.svg", views.icon, name="icon"),
    path("bookmarks/", views.bookmarks, name="bookmarks"),
    *FEEDBACK.urls("catalogue/<slug:slug>/"),
    path("author/", require_safe(PAGES.own), name="author-list"),
    path(
        "catalogue/<slug:slug>/versions/<str:version>/metadata/<str:format_name>",
        require_safe(PAGES.export_metadata),
        name="metadata-export",
    ),
    *PAGES.urls("author/<slug:slug>/<str:version>/"),
]
