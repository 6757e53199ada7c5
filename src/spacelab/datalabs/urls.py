"""Addresses of the app store."""

from django.urls import path

from spacelab.datalabs import author_views, views

app_name = "datalabs"
urlpatterns = [
    path("catalogue/", views.catalogue, name="catalogue"),
    path("catalogue/<slug:slug>/", views.detail, name="detail"),
    path("catalogue/<slug:slug>/icon.svg", views.icon, name="icon"),
    path("author/", author_views.own, name="author-list"),
    path("author/<slug:slug>/<str:version>/", author_views.home, name="author"),
    path("author/<slug:slug>/<str:version>/history", author_views.history, name="author-history"),
    path("author/<slug:slug>/<str:version>/advance", author_views.advance, name="advance"),
    path("author/<slug:slug>/<str:version>/delete", author_views.delete_draft, name="delete-draft"),
]
